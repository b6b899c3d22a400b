"""A chat of BEAM: a folder with ``chat.json`` and ``probing_questions.json``.

Format: mohammadtavakoli78/BEAM. A session is one topic's group of turns in a batch. What the chats
append to a user's message about where it was planned (``->-> 1,2``) is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import UNDATED, Conversation, Question, Turn
from daybook.evaluation.fields import list_of, object_of, only_element, text_of
from daybook.importers.message_fields import ROLE_WORDS

__all__ = ["CHAT", "QUESTIONS", "is_beam_folder", "read_beam"]

CHAT, QUESTIONS = "chat.json", "probing_questions.json"
_PLAN_MARK = re.compile(r"\s*->->\s*[\d,N/A ]*\s*$")


def is_beam_folder(folder: Path) -> bool:
    """Tell whether a folder is one chat; one whose chat is an empty file is none."""
    chat = folder / CHAT
    return (folder / QUESTIONS).is_file() and chat.is_file() and chat.stat().st_size > 0


def read_beam(folder: Path) -> Conversation:
    """Return the conversation of a folder.

    Raises:
        InvalidInputError: A file is not JSON, or something is missing; names the place.
    """
    folder = folder.resolve()
    size = folder.parent.name
    dataset = size if size.lower().startswith("beam") else f"beam {size}"
    name = f"{dataset}-{folder.name}"
    turns = list(_turns(only_element(folder / CHAT), str(folder / CHAT)))
    asked = object_of(only_element(folder / QUESTIONS), str(folder / QUESTIONS))
    questions = list(_questions(asked, name, {turn.id for turn in turns}, str(folder / QUESTIONS)))
    return Conversation(name, dataset, turns, questions)


def _turns(batches: Any, where: str) -> Iterator[Turn]:
    if not isinstance(batches, list):
        raise InvalidInputError(f"{where}: must be a list of batches")
    said_at = UNDATED
    for at, one in enumerate(batches):
        place = f"{where}: $[{at}]"
        batch = object_of(one, place)
        for number, group in enumerate(list_of(batch, "turns", place)):
            session = f"B{text_of(batch, 'batch_number', place)}.{number}"
            if not isinstance(group, list):
                raise InvalidInputError(f"{place}.turns[{number}]: must be a list of messages")
            for message in group:
                said = object_of(message, f"{place}.turns[{number}]")
                said_at = _time(said.get("time_anchor"), said_at)
                yield _turn(said, session, said_at, f"{place}.turns[{number}]")


def _turn(message: dict[str, Any], session: str, said_at: datetime, where: str) -> Turn:
    role = ROLE_WORDS.get(text_of(message, "role", where))
    if role is None:
        raise InvalidInputError(f"{where}: role must be user or assistant")
    text = _PLAN_MARK.sub("", text_of(message, "content", where))
    return Turn(text_of(message, "id", where), session, "", role, text, said_at)


def _time(written: Any, before: datetime) -> datetime:
    """Return the day a message names, else that of the message before it."""
    try:
        return datetime.strptime(str(written), "%B-%d-%Y").replace(tzinfo=UTC)
    except ValueError:
        return before


def _questions(asked: dict[str, Any], name: str, known: set[str], where: str) -> Iterator[Question]:
    for category in asked:
        for number, one in enumerate(list_of(asked, category, where)):
            place = f"{where}: {category}[{number}]"
            question = object_of(one, place)
            ids = dict.fromkeys(map(str, _numbers(question.get("source_chat_ids"))))
            yield Question(
                id=f"{name}_{category}_{number}",
                text=text_of(question, "question", place),
                category=category,
                evidence=tuple(one for one in ids if one in known),
            )


def _numbers(value: Any) -> Iterator[int]:
    """Yield the message numbers in a nest of lists and objects."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        yield int(value)
