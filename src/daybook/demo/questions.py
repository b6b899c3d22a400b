"""Questions for the tour: written for the bundled history, a file's own, or derived from it. Pure.

Each knows the messages that answer it, so that the tour can say whether they were found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from daybook.importers.locomo import looks_like_locomo, sample_name
from daybook.importers.source_file import Element, SourceFile
from daybook.model.message import Message
from daybook.recall.text.stop_words import STOP_WORDS
from daybook.recall.text.words import words

__all__ = [
    "BUNDLED_QUESTIONS",
    "DemoQuestion",
    "bundled_file",
    "derived_questions",
    "evenly",
    "locomo_questions",
]

_ADVERSARIAL = 5  # LoCoMo's category of questions that have no answer
_DIALOGUE_ID = re.compile(r"D:?(\d+):(\d+)")
_QUERY_WORDS = 4
_LEAST_WORDS = 6
_LONG_WORD = 5


class DemoQuestion(Struct, frozen=True):
    """A question to one user's memory.

    Attributes:
        user_id: Whose memory.
        text: The question.
        evidence: Ids of the messages that answer it; any of them will do.
    """

    user_id: str
    text: str
    evidence: tuple[str, ...] = ()


BUNDLED_QUESTIONS: tuple[DemoQuestion, ...] = (
    DemoQuestion(
        "mara",
        "Why did I turn down the flat on Kasteellaan?",
        ("mara-02-viewing-03", "mara-02-viewing-06", "mara-02-viewing-05"),
    ),
    DemoQuestion(
        "mara",
        "What happened to the trip to Lisbon?",
        ("mara-06-change-01", "mara-06-change-04"),
    ),
    DemoQuestion(
        "teo",
        "What did I decide about the shop in Lisbon, and why?",
        ("teo-05-decision-01", "teo-05-decision-03"),
    ),
    DemoQuestion(
        "priya",
        "Which painkiller must I not take?",
        ("priya-01-plan-12", "priya-01-plan-13"),
    ),
    DemoQuestion(
        "teo",
        "What was wrong with the oven in March?",
        ("teo-02-oven-01", "teo-02-oven-05", "teo-02-oven-06", "teo-02-oven-07", "teo-02-oven-08"),
    ),
    DemoQuestion(
        "priya",
        "Where did I stay in Lisbon?",
        ("priya-04-race-05",),
    ),
)


def locomo_questions(file: SourceFile) -> list[DemoQuestion]:
    """Return the questions a LoCoMo file brings along, without those that have no answer."""
    questions: list[DemoQuestion] = []
    for element in file.elements():
        if isinstance(element, Element) and looks_like_locomo(element.value):
            user_id = sample_name(element.value)
            for asked in element.value.get("qa") or ():
                question = _locomo_question(asked, user_id)
                if question is not None:
                    questions.append(question)
    return questions


def _locomo_question(asked: Any, user_id: str) -> DemoQuestion | None:
    if not isinstance(asked, dict) or asked.get("category") == _ADVERSARIAL:
        return None
    evidence = tuple(
        f"D{int(session)}:{int(turn)}"
        for one in asked.get("evidence") or ()
        for session, turn in _DIALOGUE_ID.findall(str(one))
    )
    if not evidence or not isinstance(asked.get("question"), str):
        return None
    return DemoQuestion(user_id, asked["question"], evidence)


def derived_questions(
    user_id: str, messages: Iterable[Message], *, limit: int
) -> list[DemoQuestion]:
    """Return questions made of the rarest words of some messages that people wrote.

    Args:
        user_id: Whose messages these are.
        messages: All of them, in order.
        limit: At most so many questions, spread evenly over the messages.
    """
    said = [(one, set(words(one.text)) - STOP_WORDS) for one in messages if one.role == "user"]
    frequency = Counter(word for _, found in said for word in found)
    rich = [
        (message, found)
        for message, found in said
        if sum(len(word) >= _LONG_WORD for word in found) >= _LEAST_WORDS
    ]
    return [
        DemoQuestion(user_id, _query(message, found, frequency), (message.id,))
        for message, found in evenly(rich, limit)
    ]


def evenly(items: Sequence[Any], limit: int) -> list[Any]:
    """Return at most `limit` items, evenly spread, the same ones every time."""
    if len(items) <= limit:
        return list(items)
    return [items[(2 * at + 1) * len(items) // (2 * limit)] for at in range(limit)]


def bundled_file() -> Path:
    """Return the history that ships with the package."""
    return Path(__file__).with_name("conversations.jsonl")


def _query(message: Message, found: set[str], frequency: Counter[str]) -> str:
    rarest = sorted(
        (word for word in found if len(word) >= _LONG_WORD),
        key=lambda word: (frequency[word], -len(word), word),
    )[:_QUERY_WORDS]
    in_order = [word for word in words(message.text) if word in rarest]
    return " ".join(dict.fromkeys(in_order))
