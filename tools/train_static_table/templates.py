"""Chat-like sentences made from hand-written frames, so that the table sees how people talk.

The frames and the fixed word lists are ours; the open slots (`{food}`, `{thing}`, ...) are filled
with nouns that WordNet files under that heading. Nothing here comes from a benchmark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

Slots = dict[str, list[str]]

_SLOT = re.compile(r"\{(\w+)\}")

_FIXED: dict[str, str] = {
    "name": """Anna|Ben|Carla|David|Elena|Farid|Grace|Henry|Iris|Jack|Karen|Leo|Maya|Nadia|Oscar|
        Paula|Quinn|Rosa|Sam|Tara|Umar|Vera|Will|Xenia|Yusuf|Zoe|Michael|Sarah|James|Emma|Thomas|
        Julia|Daniel|Laura|Peter|Alice|Kevin|Nina|Robert|Sophie|Alex|Chris|Marta|Victor|Lucy""",
    "kin": """mother|father|sister|brother|wife|husband|daughter|son|grandmother|grandfather|
        cousin|aunt|uncle|nephew|niece|partner|boyfriend|girlfriend|friend|best friend|roommate|
        neighbour|colleague|boss|teacher|coach|doctor|landlord|parents|kids|family|team""",
    "city": """London|Paris|Berlin|Tokyo|Rome|Madrid|Chicago|Boston|Toronto|Sydney|Lisbon|Vienna|
        Dublin|Prague|Oslo|Seoul|Mumbai|Cairo|Nairobi|Lima|Denver|Seattle|Austin|Miami|Portland|
        Amsterdam|Zurich|Athens|Istanbul|Singapore|Bangkok|Vancouver|Montreal|San Francisco""",
    "land": """Italy|France|Spain|Japan|Canada|Mexico|Brazil|India|Kenya|Greece|Norway|Sweden|
        Germany|Poland|Ireland|Scotland|Portugal|Turkey|Vietnam|Thailand|Peru|Chile|Australia""",
    "when": """yesterday|last night|last week|last Friday|last month|two weeks ago|last summer|
        this morning|today|on Monday|on Saturday|a few days ago|last year|in March|in October|
        in 2019|in 2022|over the weekend|recently|when I was a child|during the holidays|
        three years ago|earlier today|at Christmas|on my birthday""",
    "soon": """tomorrow|next week|next month|on Sunday|this weekend|in two weeks|next year|soon|
        in the spring|in December|tonight|after work|by Friday|at the end of the month|
        next summer|in June|on the 14th|before the deadline""",
    "feel": """happy|sad|nervous|excited|proud|tired|angry|lonely|grateful|worried|relaxed|
        stressed|hopeful|confused|surprised|jealous|calm|overwhelmed|motivated|disappointed|
        embarrassed|scared|bored|curious|inspired|peaceful|anxious|relieved|guilty|confident""",
    "hobby": """painting|hiking|running|swimming|cooking|baking|reading|gardening|pottery|yoga|
        photography|knitting|dancing|singing|chess|camping|cycling|climbing|surfing|skiing|
        fishing|writing|drawing|video games|board games|playing the guitar|playing the piano|
        volunteering|meditation|woodworking|football|basketball|tennis|birdwatching|travelling|
        learning languages|stand-up comedy|theatre|boxing|martial arts|sewing|astronomy""",
    "job": """nurse|teacher|engineer|lawyer|designer|developer|chef|writer|manager|accountant|
        student|scientist|driver|artist|musician|electrician|carpenter|pharmacist|journalist|
        librarian|architect|therapist|social worker|counselor|salesperson|data analyst|
        police officer|firefighter|farmer|photographer|barista|dentist|veterinarian""",
    "tech": """Python|JavaScript|TypeScript|Java|Rust|SQL|Docker|Kubernetes|React|Flask|Django|
        PostgreSQL|Redis|MongoDB|GraphQL|AWS|Linux|Git|Node|Terraform|Pandas|NumPy|PyTorch|
        TensorFlow|Excel|Kafka|Nginx|FastAPI|Spring Boot|Vue|Angular|Jenkins|Elasticsearch""",
    "bug": """a null pointer exception|a timeout|a memory leak|an import error|a 404 response|
        a syntax error|a race condition|a merge conflict|a failing test|a type error|
        a slow query|a permission denied error|a deadlock|an invalid token|a CORS error""",
    "num": """2|3|4|5|7|10|12|15|20|25|30|40|50|75|100|120|200|250|500|1,000|2,500|10,000|a dozen|
        two|three|four|five|six|seven|eight|ten|twenty|a hundred|several|a couple of""",
    "topic": """climate change|mental health|artificial intelligence|personal finance|retirement|
        nutrition|a marathon|a wedding|a job interview|a research paper|a novel|a business plan|
        renovation|adoption|immigration|a mortgage|tax returns|insurance|parenting|sleep|
        time management|calculus|probability|statistics|geometry|chemistry|history|philosophy|
        a cover letter|a resume|a budget|a garden|a road trip|an anniversary|a surgery|a divorce|
        machine learning|database design|web security|unit testing|deployment|caching|
        a mobile app|a portfolio website|user authentication|an API|a spreadsheet|a podcast""",
    "adj": """new|old|big|small|beautiful|expensive|cheap|strange|favourite|difficult|easy|broken|
        wooden|red|blue|green|black|white|local|modern|quiet|noisy|famous|delicious|funny""",
}

FRAMES: tuple[str, ...] = (
    "I went to {city} with my {kin} {when}.",
    "My {kin} and I are going to {land} {soon}, I'm so {feel}!",
    "I bought a {adj} {thing} {when} and it cost {num} dollars.",
    "We had {food} for dinner {when}, it was really good.",
    "I've been into {hobby} for {num} years now.",
    "Hey {name}! How have you been? I started {hobby} {when}.",
    "That's great, {name}! I'm {feel} for you.",
    "My {kin} works as a {job} in {city}.",
    "I just got a new job as a {job} and I feel {feel}.",
    "I'm thinking about becoming a {job}.",
    "Our {animal} ran away {when} and the kids were {feel}.",
    "We adopted a {animal} from the shelter, her name is {name}.",
    "Do you have any pets? I have a {animal} and {num} {animal}s.",
    "I can't eat {food} because I'm allergic to {food}.",
    "My favourite {thing} is the one my {kin} gave me {when}.",
    "I signed up for a {hobby} class {when}.",
    "What do you usually do to relax? For me it's {hobby}.",
    "I made this {thing} in my {hobby} workshop.",
    "We're planning a {event} for my {kin} {soon}.",
    "I was {feel} about the {event}, but it went well.",
    "There's a {event} in {city} {soon}, want to come along?",
    "I hurt my {body} {when} while {hobby}.",
    "The doctor said my {body} needs {num} weeks of rest.",
    "I finally finished reading a book about {topic}.",
    "I saw a {adj} {plant} near the {place} {when}.",
    "We moved from {city} to {city} {when}.",
    "I live in {city} with my {kin} and a {animal}.",
    "It was raining the whole day, so we stayed in the {place} and played {hobby}.",
    "Thanks for the {thing}, {name}, I really appreciate it.",
    "My {kin} taught me {hobby} when I was young.",
    "I lost my {thing} at the {place}. Have you seen it?",
    "I'm saving money for a {adj} {thing}.",
    "The {place} was full of {animal}s and {plant}s.",
    "I dream of opening my own {place} one day.",
    "I have a meeting with my {kin} about {topic} {soon}.",
    "Remember when we went to the {place} in {land}? I was so {feel}.",
    "My {kin} got married {when} in {city}.",
    "I broke up with my {kin} {when} and I've felt {feel} since.",
    "I ran {num} kilometres {when}, a personal record!",
    "We won the {event}! The score was {num} to {num}.",
    "I'm taking {num} mg of {substance} for my {body}.",
    "I prefer {food} over {food}, please remember that.",
    "Never suggest {food}, I don't like it.",
    "From now on, answer in short sentences when I ask about {topic}.",
    "I always include a {thing} when I write about {topic}.",
    "My meeting with {name} was moved to {soon}.",
    "My budget for the {event} is {num} dollars.",
    "I changed my mind, I'd rather have the {adj} {thing}.",
    "Can you help me with {topic}?",
    "I'm trying to plan {topic} and I need a schedule for {num} days.",
    "How do I use {tech} together with {tech}?",
    "I'm getting {bug} in my {tech} code, can you help me fix it?",
    "I upgraded {tech} to version {num} and now there is {bug}.",
    "Here is the function I wrote in {tech}, how could I make it faster?",
    "My {tech} project has {num} endpoints and {num} tables.",
    "Could you review my plan for {topic}? I want to finish it {soon}.",
    "I decided to use {tech} instead of {tech} for caching.",
    "The deadline for {topic} is {soon}, we have {num} tasks left.",
    "To fix {bug}, first check the logs, then restart the service.",
    "Here's a step by step guide to {topic}: start with the basics and set a goal.",
    "For {topic}, I recommend talking to a {job} first.",
    "You could try {hobby} or {hobby} to feel less {feel}.",
    "That sounds {feel}! What happened with the {thing}?",
    "What did {name} do {when}?",
    "When did {name} go to {city}?",
    "Where did {name} buy the {thing}?",
    "Why is {name} {feel}?",
    "Who gave {name} the {thing}?",
    "What does {name} think about {topic}?",
    "How many {animal}s does {name} have?",
    "How long has {name} been {hobby}?",
    "What kind of {food} does {name}'s {kin} like?",
    "Which {place} did {name} visit in {land}?",
    "What is {name}'s job?",
    "What are {name}'s hobbies?",
    "Would {name} enjoy a trip to the {place}?",
    "Is {name} married?",
    "What instrument does {name} play?",
    "What did I say about {topic}?",
    "Which version of {tech} am I using?",
    "What is my budget for {topic}?",
    "When is my {event}?",
    "What {food} did I tell you I was allergic to?",
    "How much did the {thing} cost?",
    "What activities does {name} do with her {kin}?",
    "What symptoms did {name} have in the {body}?",
    "How did {name} feel after the {event}?",
    "What are {name}'s plans for the {event}?",
    "What book did {name} read {when}?",
    "{name} is a {job} who loves {hobby} and {food}.",
    "{name} went {hobby} with {name} {when}.",
    "{name} felt {feel} about the {event} in {city}.",
    "{name}'s {kin} has a {adj} {thing}.",
    "The user is learning {tech} and works as a {job}.",
    "The user's {kin} lives in {city} and likes {hobby}.",
    "shares a photo of a {animal} next to a {thing}",
    "a photo of a {adj} {thing} on a {thing}",
    "a photo of {num} people in a {place}",
    "a bowl of {food} and {food} on the table",
    "lol yeah, same here, my {kin} said the same about the {thing}",
    "omg no way!! the {event} was {when}?",
    "ok cool, see you at the {place} {soon}",
    "btw I cooked {food} {when}, my {kin} loved it",
    "just landed in {city}, the {place} is amazing",
    "Sorry I missed the {event}, I was sick with my {body}.",
    "My {thing} broke {when}, so I have to get a new one.",
    "I grew up in {land} and moved here {num} years ago.",
    "I studied {topic} at university in {city}.",
    "My {kin} passed away {when}. I still think of the {food} we cooked together.",
    "I've been going to the {place} every week to work on {topic}.",
    "My new {job} colleague {name} is from {land}.",
    "I'm {num} years old and I want to learn {hobby}.",
    "We painted the {place} {adj} {when}.",
    "I'm writing a story about a {job} who finds a {adj} {thing} in {land}.",
    "The {act} took {num} hours and we were all {feel}.",
    "I'm not sure about the {act}, what would a {job} say?",
    "Let's talk about {act} {soon}.",
    "My {kin} is worried about the {act} at the {place}.",
    "I'm looking for a {thing} that goes with my {adj} {thing}.",
    "What's the best way to cook {food} without {food}?",
    "Is {substance} safe for {animal}s?",
    "I planted {plant} and {plant} in the garden {when}.",
)


def fixed_slots() -> Slots:
    """Return the slots whose words are written down in this file."""
    return {
        slot: [word.strip() for word in words.replace("\n", " ").split("|")]
        for slot, words in _FIXED.items()
    }


def sentences(count: int, open_slots: Slots, rng: random.Random) -> list[str]:
    """Fill `count` frames, frame by frame in turn, each slot drawn anew."""
    slots = fixed_slots() | open_slots

    def fill(match: re.Match[str]) -> str:
        return rng.choice(slots[match.group(1)])

    return [_SLOT.sub(fill, FRAMES[i % len(FRAMES)]) for i in range(count)]
