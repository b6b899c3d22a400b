"""Conversations of our own in which only time tells the answer, and questions to them.

Every book is one person's. What competes for a question is said in nearly the same words on other
days, so that a ranker that does not understand the question's time cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["BOOKS", "NOW", "SCENARIOS", "Scenario"]

# A Wednesday.
NOW = datetime(2024, 5, 15, 20, 0, tzinfo=UTC)

DINNERS = """
2023-07-12 For dinner we had gazpacho on the balcony.
2023-10-31 For dinner we had pumpkin pie with the neighbours' children.
2023-11-23 For dinner we had turkey with far too many people.
2023-12-25 For dinner we had roast goose with red cabbage.
2024-01-01 For dinner we had lentils, for luck.
2024-02-14 For dinner we had oysters and something sparkling.
2024-03-05 For dinner we had pea soup from the freezer.
2024-03-29 For dinner we had lamb with rosemary.
2024-04-16 For dinner we had mushroom risotto with thyme.
2024-05-01 For dinner we had asparagus with ham.
2024-05-08 For dinner we had fish tacos with lime.
2024-05-11 For dinner we had pizza from the place downstairs.
2024-05-13 For dinner we had ravioli with sage butter.
2024-05-14 For dinner we had chickpea curry with rice.
"""

PURCHASES = """
2023-12-12 I bought a paperback about volcanoes.
2024-01-13 I bought a hiking backpack.
2024-01-20 We landed in Iceland today, the trip of our dreams begins!
2024-01-21 I bought a wool sweater with a pattern.
2024-01-23 I bought a lava stone necklace.
2024-01-30 I bought a frame for a picture.
2024-02-10 I bought a set of moving boxes.
2024-02-20 We moved into the new flat yesterday, at last.
2024-02-23 I bought a floor lamp.
2024-03-07 I bought a second-hand bicycle.
2024-03-15 I got the job at the observatory!
2024-03-15 I bought a bottle of sparkling wine.
2024-03-29 I bought a pair of gardening gloves.
2024-04-06 Nora's wedding was so beautiful that I cried.
2024-04-09 I bought a book of poems.
2024-04-24 I bought a tea pot.
2024-05-06 I bought a rain coat.
"""

VISITS = """
2024-02-03 Our heating broke, so Mr Ortega from the heating firm came by last Thursday.
2024-03-09 A chimney sweep came by, a Mr Lindqvist, with a top hat.
2024-03-25 Someone came by to read the water meter three weeks ago, Mrs Adeyemi she was called.
2024-04-21 Mr Petrov wants to come by tomorrow, to measure the windows.
2024-04-28 A lady from the city came by about the trees, Mrs Kowalski.
2024-05-02 Two weeks ago a painter came by to give us a price, Mr Haddad.
2024-05-12 An inspector for the lift, Mr Tanaka, comes by next Friday.
2024-05-13 Mrs Okafor came by to tune the piano.
"""

RUNNING = """
2023-06-05 My knee feels sore when I run, even on short runs.
2023-06-06 My knee still feels sore when I run downhill.
2023-06-07 My knee feels a bit sore when I run fast.
2023-06-08 My knee feels sore when I run in old shoes.
2023-06-09 My knee feels sore again when I run uphill.
2023-06-10 My knee feels sore when I run with Karl.
2023-06-11 My knee feels sore after I run on the track.
2023-08-20 With the new shoes my knee hurts less.
2023-10-15 The physiotherapist gave me exercises for the knee.
2023-12-10 My knee is stronger, the exercises help.
2024-02-18 I ran ten kilometres and the knee was fine.
2024-04-21 No trouble at all with the knee in the half marathon.
"""

FACTS = """
2023-09-01 I live in Hamburg, close to the harbour.
2023-09-02 My favourite tea is Darjeeling.
2023-09-03 My sister lives in Leeds.
2023-09-04 The rehearsal starts at 18:00.
2023-09-05 My rent is 950 euros a month.
2023-09-06 We have two cats.
2023-09-07 I smoke about ten cigarettes a day.
2023-09-08 My manager is Petra.
2023-09-09 I take the bus to work.
2023-09-10 The deadline for the grant report is 5 December.
2023-09-11 I use Firefox as my browser.
2023-09-12 My cousin Mia plays tennis.
2023-09-13 My cousin Noah plays football.
2023-09-14 I ran 5 km along the canal.
2024-02-01 My rent went up to 1,100 euros a month.
2024-02-02 The rehearsal starts at 19:30 from now on.
2024-02-03 I moved to Munich last week.
2024-02-04 My favourite tea is Assam these days.
2024-02-05 We have three cats now.
2024-02-06 I stopped smoking cigarettes.
2024-02-07 My manager is Jonas now.
2024-02-08 I no longer take the bus to work, I cycle.
2024-02-09 The deadline for the grant report has moved to 12 December.
2024-02-10 I switched from Firefox to Vivaldi.
2024-02-11 I ran 8 km along the canal.
"""

BOOKS = {
    "dinners": DINNERS,
    "purchases": PURCHASES,
    "visits": VISITS,
    "running": RUNNING,
    "facts": FACTS,
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A question and a word of each message that may come first.

    Attributes:
        book: Whose.
        question: What is asked.
        first: Words; the best hit must have one of them.
        kind: calendar, event, said, history or update.
        months: For a history: from how many months the best five must be at least.
        outdated: For an update: a word of the message that must be marked and come behind.
    """

    book: str
    question: str
    first: tuple[str, ...] = ()
    kind: str = "calendar"
    months: int = 0
    outdated: str = ""


def _dinner(question: str, *first: str) -> Scenario:
    return Scenario("dinners", f"What did we have for dinner {question}?", first)


def _bought(question: str, *first: str) -> Scenario:
    return Scenario("purchases", question, first, "event")


def _came(question: str, first: str) -> Scenario:
    return Scenario("visits", f"Who came by {question}?", (first,), "said")


def _knee(question: str) -> Scenario:
    return Scenario("running", question, (), "history", months=3)


def _fact(question: str, first: str, outdated: str) -> Scenario:
    return Scenario("facts", question, (first,), "update", outdated=outdated)


SCENARIOS = (
    _dinner("yesterday", "curry"),
    _dinner("on Monday", "ravioli"),
    _dinner("last weekend", "pizza"),
    _dinner("last week", "tacos", "pizza"),
    _dinner("two weeks ago", "asparagus"),
    _dinner("last month", "risotto"),
    _dinner("in March", "pea soup", "lamb"),
    _dinner("at Easter", "lamb"),
    _dinner("on Valentine's Day", "oysters"),
    _dinner("on New Year's Day", "lentils"),
    _dinner("at Christmas", "goose"),
    _dinner("at Thanksgiving", "turkey"),
    _dinner("on Halloween", "pumpkin"),
    _dinner("last summer", "gazpacho"),
    _dinner("in winter 2023", "goose", "lentils", "oysters"),
    _dinner("on 5 March", "pea soup"),
    _dinner("between 10 and 20 April", "risotto"),
    _dinner("two weeks after Easter", "risotto"),
    _dinner("three days before 8 March 2024", "pea soup"),
    _dinner("before November 2023", "gazpacho", "pumpkin"),
    _bought("What did I buy the day I got the job?", "sparkling"),
    _bought("What did I buy on the day of the wedding?", "poems"),
    _bought("What did I buy when we were in Iceland?", "sweater", "necklace"),
    _bought("What did I buy the week after the wedding?", "poems"),
    _bought("What did I buy the week before the trip to Iceland?", "backpack"),
    _bought("What did I buy two weeks after we moved?", "bicycle"),
    _bought("What did I buy ten days before we moved?", "boxes"),
    _bought("What did I buy the month after Nora's wedding?", "poems", "tea pot", "rain coat"),
    _bought("After Nora's wedding, what did I buy?", "poems", "tea pot", "rain coat"),
    _bought("What have I bought since Nora's wedding?", "poems", "tea pot", "rain coat"),
    _bought(
        "What did I buy between the trip to Iceland and when we moved?",
        "sweater",
        "necklace",
        "frame",
        "boxes",
    ),
    _bought("What did I buy right after we moved into the new flat?", "lamp", "bicycle"),
    _came("on 1 February", "Ortega"),
    _came("on 4 March", "Adeyemi"),
    _came("on 18 April", "Haddad"),
    Scenario("visits", "Who wanted to come by on 22 April?", ("Petrov",), "said"),
    Scenario("visits", "Who comes by next Friday?", ("Tanaka",), "said"),
    _knee("How has my knee changed over time?"),
    _knee("Give me the timeline of my knee trouble when I run."),
    _knee("How has the soreness of my knee developed?"),
    _knee("How did my knee progress from the beginning to now?"),
    _fact("Where do I live?", "Munich", "Hamburg"),
    _fact("What is my favourite tea?", "Assam", "Darjeeling"),
    _fact("When does the rehearsal start?", "19:30", "18:00"),
    _fact("How much is my rent a month?", "1,100", "950"),
    _fact("How many cats do we have?", "three cats", "two cats"),
    _fact("How many cigarettes do I smoke?", "stopped", "ten cigarettes"),
    _fact("Who is my manager?", "Jonas", "Petra"),
    _fact("Do I take the bus to work?", "no longer", "take the bus to work."),
    _fact("What is the deadline for the grant report?", "12 December", "5 December"),
    _fact("Which browser do I use?", "Vivaldi", "Firefox as"),
)
