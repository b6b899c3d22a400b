"""A LoCoMo file: two people in dated sessions, questions with the ids of the turns that answer.

Format: snap-research/locomo, ``data/locomo10.json``. Its evidence is written loosely and names some
turns that are not there; those are left out, as its scorers do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import UNDATED, Conversation, Turn
from daybook.evaluation.dialogue_questions import dialogue_questions
from daybook.evaluation.fields import (
    elements,
    list_of,
    object_of,
    text_of,
    with_caption,
)
from daybook.importers.locomo import looks_like_locomo, sample_name
from daybook.importers.source_file import SourceFile
from daybook.importers.source_times import parse_time

__all__ = ["read_locomo"]

_SESSION = re.compile(r"session_(\d+)")
_CATEGORIES = {
    1: "multi-hop",
    2: "temporal",
    3: "open-domain",
    4: "single-hop",
    5: "adversarial",
}


def read_locomo(file: SourceFile) -> Iterator[Conversation]:
    """Yield the samples of a file, a conversation each.

    Raises:
        InvalidInputError: The file is not JSON, or a sample lacks something; names the place.
    """
    for where, value in elements(file):
        if not looks_like_locomo(value):
            raise InvalidInputError(f"{where}: is no LoCoMo sample: it has no sessions")
        name = sample_name(value)
        turns = list(_turns(value["conversation"], where))
        yield Conversation(
            name,
            "locomo",
            turns,
            list(dialogue_questions(value, name, turns, where, categories=_CATEGORIES)),
        )


def _turns(talk: dict[str, Any], where: str) -> Iterator[Turn]:
    numbers = sorted(int(found[1]) for key in talk if (found := _SESSION.fullmatch(key)))
    for number in numbers:
        said_at = _time(talk.get(f"session_{number}_date_time"), f"{where}: session {number}")
        for at, one in enumerate(list_of(talk, f"session_{number}", where)):
            place = f"{where}: session_{number}[{at}]"
            turn = object_of(one, place)
            yield Turn(
                id=text_of(turn, "dia_id", place),
                session=f"S{number}",
                speaker=text_of(turn, "speaker", place),
                role="user",
                text=with_caption(str(turn.get("text") or ""), turn),
                said_at=said_at,
            )


def _time(value: Any, where: str) -> datetime:
    try:
        return parse_time(value) or UNDATED
    except InvalidInputError as exc:
        raise InvalidInputError(f"{where}: {exc}") from None
