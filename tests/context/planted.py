"""Facts to plant in conversations, in several phrasings and languages, and small talk.

Each fact stands beside the word by which it is found again. The sets named ``held out`` were
written before the cues of `daybook.context.salience` and are never used to mend them.
"""

# ruff: noqa: RUF001

from __future__ import annotations

import random

__all__ = ["FACTS", "FILLERS", "REMARKS", "Fact", "filler_sentences"]

Fact = tuple[str, str]

FACTS: dict[str, tuple[Fact, ...]] = {
    "first person": (
        ("I am allergic to walnuts.", "walnuts"),
        ("My sister Marta lives in Porto.", "Porto"),
        ("We decided to launch on 14 March.", "14 March"),
        ("Please remember that the gate code is 4711.", "4711"),
        ("I work as a nurse at the harbour clinic.", "harbour clinic"),
        ("I moved to Oslo in 2021.", "Oslo"),
        ("My budget is 1,200 euros.", "1,200"),
        ("I prefer trains to planes.", "trains"),
    ),
    "third person": (
        ("Marta is allergic to penicillin.", "penicillin"),
        ("The launch was moved to 14 March.", "14 March"),
        ("Ben's flight lands at 18:40 in Rome.", "18:40"),
        ("The production server has 80 GB of memory.", "80 GB"),
        ("Dr. Lindqvist prescribed 20 mg of lisinopril.", "lisinopril"),
        ("The contract with Acme ends on 30 June.", "30 June"),
        ("Grandma's birthday is on 3 May.", "3 May"),
        ("Priya takes over the budget from Tom.", "Priya"),
    ),
    "elliptic": (
        ("Walnuts make me ill.", "Walnuts"),
        ("Been a vegetarian since 2015.", "vegetarian"),
        ("Got two kids, Ada and Ben.", "Ada"),
        ("The doctor put me on metformin.", "metformin"),
        ("You can reach me at 555-0142.", "555-0142"),
        ("Anything with gluten is off the table for me.", "gluten"),
        ("Just adopted a greyhound named Pixel.", "greyhound"),
        ("Turning 40 next month.", "Turning 40"),
    ),
    "German": (
        ("Ich bin gegen Walnüsse allergisch.", "Walnüsse"),
        ("Meine Schwester Marta wohnt in Porto.", "Porto"),
        ("Wir haben uns für den 14. März entschieden.", "März"),
        ("Merk dir bitte, dass der Code 4711 ist.", "4711"),
        ("Ich arbeite als Krankenpfleger im Hafen.", "Krankenpfleger"),
        ("Unser Vermieter heißt Herr Okafor.", "Okafor"),
        ("Der Vertrag mit Acme endet am 30. Juni.", "30. Juni"),
        ("Am liebsten fahre ich mit dem Zug.", "Zug"),
    ),
    "French": (
        ("Je suis allergique aux noix.", "noix"),
        ("Ma sœur Marta habite à Porto.", "Porto"),
        ("Nous avons choisi le 14 mars.", "14 mars"),
        ("N'oublie pas que le code est 4711.", "4711"),
        ("Je travaille comme infirmier au port.", "infirmier"),
        ("Notre propriétaire s'appelle Okafor.", "Okafor"),
        ("Le contrat avec Acme finit le 30 juin.", "30 juin"),
        ("Je préfère le train.", "train"),
    ),
    "Spanish": (
        ("Soy alérgico a las nueces.", "nueces"),
        ("Mi hermana Marta vive en Oporto.", "Oporto"),
        ("Hemos decidido empezar el 14 de marzo.", "14 de marzo"),
        ("Recuerda que el código es 4711.", "4711"),
        ("Trabajo de enfermero en el puerto.", "enfermero"),
        ("Nuestro casero se llama Okafor.", "Okafor"),
        ("El contrato con Acme termina el 30 de junio.", "30 de junio"),
        ("Prefiero ir en tren.", "tren"),
    ),
    "Chinese": (
        ("我对核桃过敏。", "核桃"),
        ("我妹妹住在波尔图。", "波尔图"),
        ("我们决定三月十四日发布。", "三月十四日"),
        ("请记住门禁密码是4711。", "4711"),
        ("我在港口医院当护士。", "港口医院"),
        ("房东叫奥卡福。", "奥卡福"),
        ("和Acme的合同六月三十日到期。", "六月三十日"),
        ("比起飞机我更喜欢火车。", "火车"),
    ),
    "held out": (
        ("Dairy and I don't get along.", "Dairy"),
        ("The wifi at the cabin goes by heron-lake.", "heron-lake"),
        ("Tuesdays are out for Jonas, he coaches then.", "Jonas"),
        ("We settled on the blue tiles for the kitchen.", "blue tiles"),
        ("After the surgery in 2019 running was over for me.", "surgery"),
        ("Their invoice, number 88213, is still unpaid.", "88213"),
        ("Half of what I earn goes to the flat in Leith.", "Leith"),
        ("Nothing spicy for my mother, please.", "spicy"),
    ),
    "held out, other languages": (
        ("Auf Nüsse reagiere ich heftig.", "Nüsse"),
        ("Das Auto steht in der Tiefgarage auf Platz 212.", "212"),
        ("Les arachides me rendent malade.", "arachides"),
        ("Le dentiste est fixé au 8 avril.", "8 avril"),
        ("Los mariscos me sientan fatal.", "mariscos"),
        ("Quedamos con el abogado el 9 de mayo.", "9 de mayo"),
        ("花生会让我起疹子。", "花生"),
        ("车停在地下二层212号。", "212号"),
    ),
}

FILLERS = (
    "Can you make the {adjective} part {other}?",
    "How long should the {thing} take?",
    "What do you think of the {adjective} {thing}?",
    "Please rewrite the {thing} so that it sounds {adjective}.",
    "That {thing} reads {other} now.",
    "Thanks, the {thing} looks {adjective}.",
    "Could you try a {adjective} {thing} instead?",
    "Show me the {thing} again, but {other}.",
    "Hm, the {adjective} {thing} still feels wrong.",
    "Ok, let us go on with the {thing}.",
    "Why is the {thing} so {adjective}?",
    "Give me three {adjective} words for a {thing}.",
    "The {thing} could be {other}, could it not?",
    "Go on with the next {thing}.",
    "Make it {other} and a bit more {adjective}.",
    "I see what you mean with the {thing}.",
    "Is there a {adjective} way to end the {thing}?",
    "That is a {adjective} {thing}.",
    "Let me read the {adjective} {thing} once more.",
    "No, the {other} {thing} was fine.",
    "Add a {adjective} sentence before the {thing}.",
    "I like the {adjective} {thing} better.",
    "I don't understand the {adjective} {thing}.",
    "Explain the {thing} in {adjective} words.",
    "Kannst du den Absatz {adjective} machen?",
    "Merci, le paragraphe est {adjective}.",
    "Puedes hacer el texto más {adjective}?",
    "这一段可以再{adjective}一点吗？",
)
# What people say to an assistant all day, each once: not made from a pattern.
REMARKS = (
    "That makes sense now.",
    "I think the second one is better.",
    "Hmm, not quite what I meant.",
    "The first answer was closer.",
    "Can we go back to the earlier draft?",
    "It still looks off.",
    "I wonder whether that is true.",
    "Interesting, tell me more about volcanoes.",
    "So it is!",
    "Could you check the grammar?",
    "The tone is too stiff for a blog.",
    "Why do cats purr?",
    "This is exactly what was needed.",
    "I am not sure about that.",
    "Let us try another angle.",
    "The table is hard to read on a small screen.",
    "What is the capital of Peru?",
    "The code does not compile.",
    "It says there is a missing bracket.",
    "Line twelve is wrong.",
    "That was quick.",
    "You are right.",
    "The joke fell flat.",
    "Do whales sleep?",
    "Perhaps a list would be clearer.",
    "The rhyme in the middle is forced.",
    "One more, please.",
    "The colours clash a little.",
    "Shorter.",
    "It reads like an advert.",
    "Good enough for now.",
    "I see.",
    "I mean the other one.",
    "The sauce was too salty.",
    "Is rain more likely in autumn?",
    "The summary leaves out the best part.",
    "Bread needs more time than cake.",
    "Never mind.",
    "The ending is sad.",
    "People will laugh at that.",
    "Which of them is older?",
    "Much better.",
    "That is a lot of steps.",
    "It was a joke.",
    "The loop never ends.",
    "He would say it louder.",
    "I am happy with that.",
    "I'm confused by the third step.",
    "I was thinking of the first one.",
    "My text is too long.",
    "Our draft needs work.",
    "I need a better word.",
    "We are getting there.",
    "Das klingt gut.",
    "Das ist mir zu lang.",
    "Noch einmal, aber lustiger.",
    "Warum ist das so?",
    "Ça me plaît.",
    "C'est trop long.",
    "Encore une fois, plus simple.",
    "Pourquoi pas ?",
    "Me gusta.",
    "Es demasiado largo.",
    "Otra vez, más sencillo.",
    "¿Y por qué?",
    "听起来不错。",
    "太长了。",
    "再简单一点。",
    "为什么？",
)
_ADJECTIVES = (
    "short long plain warm dry formal funny gentle clear odd soft bright bold calm dull light"
).split()
_REMARKS = 0.5
_OTHERS = "shorter longer simpler warmer nicer better slower quicker lighter clearer".split()
_THINGS = (
    "paragraph title ending list sentence example table letter story poem recipe opening"
).split()


def filler_sentences(count: int, seed: int) -> list[str]:
    """Return sentences that say nothing worth keeping."""
    rng = random.Random(seed)  # noqa: S311 - no secret depends on it
    return [
        rng.choice(REMARKS)
        if rng.random() < _REMARKS
        else rng.choice(FILLERS).format(
            adjective=rng.choice(_ADJECTIVES), other=rng.choice(_OTHERS), thing=rng.choice(_THINGS)
        )
        for _ in range(count)
    ]
