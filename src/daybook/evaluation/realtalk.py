"""REALTALK's ``Chat_*.json``: two strangers' real messages over weeks, and questions on them.

Format: danny911kr/REALTALK. Sessions and turn ids are written as in LoCoMo, but at the top of the
file, and every message has its own time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import Conversation, Turn
from daybook.evaluation.dialogue_questions import dialogue_questions
from daybook.evaluation.fields import (
    elements,
    list_of,
    object_of,
    text_of,
    with_caption,
)
from daybook.importers.source_file import SourceFile

__all__ = ["looks_like_realtalk", "read_realtalk"]

_SESSION = re.compile(r"session_(\d+)")
_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "commonsense"}
_TIMES = ("%d.%m.%Y, %H:%M:%S", "%d.%m.%Y, %H:%M")


def looks_like_realtalk(value: Any) -> bool:
    """Tell whether a JSON value is a chat with sessions at its top."""
    return isinstance(value, dict) and "qa" in value and any(map(_SESSION.fullmatch, value))


def read_realtalk(file: SourceFile) -> Iterator[Conversation]:
    """Yield the one conversation of a file.

    Raises:
        InvalidInputError: The file is not JSON, or something is missing; names the place.
    """
    for where, value in elements(file):
        if not looks_like_realtalk(value):
            raise InvalidInputError(f"{where}: is no REALTALK chat: it has no sessions or no qa")
        turns = list(_turns(value, where))
        questions = list(
            dialogue_questions(value, file.path.stem, turns, where, categories=_CATEGORIES)
        )
        yield Conversation(file.path.stem, "realtalk", turns, questions)


def _turns(chat: dict[str, Any], where: str) -> Iterator[Turn]:
    numbers = sorted(int(found[1]) for key in chat if (found := _SESSION.fullmatch(key)))
    for number in numbers:
        for at, one in enumerate(list_of(chat, f"session_{number}", where)):
            place = f"{where}: session_{number}[{at}]"
            turn = object_of(one, place)
            text = turn.get("clean_text", turn.get("text"))
            yield Turn(
                id=text_of(turn, "dia_id", place),
                session=f"S{number}",
                speaker=text_of(turn, "speaker", place),
                role="user",
                text=with_caption(str(text or ""), turn),
                said_at=_time(text_of(turn, "date_time", place), place),
            )


def _time(written: str, where: str) -> datetime:
    for form in _TIMES:
        try:
            return datetime.strptime(written.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise InvalidInputError(f"{where}: date_time must be written 29.12.2023, 16:44:01")
