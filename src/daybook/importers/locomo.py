"""A LoCoMo file: long conversations between two people, in dated sessions.

Each sample is one memory: its id is the `user_id`. Both speakers are people and neither is an
assistant, so both have role ``user``, and `name` says who speaks: no turn is taken for a model's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.source import BadRecord, ImportedMessage, ImportedSession, Record
from daybook.importers.source_file import Broken, Element, SourceFile
from daybook.importers.source_times import parse_time
from daybook.importers.stable_ids import stable_id
from daybook.model.message import Content, ContentPart, Message

__all__ = ["looks_like_locomo", "read_locomo", "sample_name"]

_SESSION = re.compile(r"session_(\d+)")


def looks_like_locomo(value: Any) -> bool:
    """Tell whether a JSON value is a LoCoMo sample."""
    if not isinstance(value, dict) or not isinstance(value.get("conversation"), dict):
        return False
    return any(_SESSION.fullmatch(name) for name in value["conversation"])


def read_locomo(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the samples of a file; `user_id` owns all of them, if given."""
    for element in file.elements():
        if isinstance(element, Broken):
            yield BadRecord(file.name, element.position, element.reason)
        elif not looks_like_locomo(element.value):
            yield BadRecord(file.name, element.position, "not a sample: it has no sessions")
        else:
            yield from _sample(file, element, user_id)


def sample_name(value: dict[str, Any]) -> str:
    """Return the id of a sample."""
    named = value.get("sample_id")
    if isinstance(named, str | int) and named != "":
        return str(named)
    talk = value["conversation"]
    return stable_id("locomo", talk.get("speaker_a"), talk.get("speaker_b"))


def _sample(file: SourceFile, element: Element, user_id: str | None) -> Iterator[Record]:
    value = element.value
    talk: dict[str, Any] = value["conversation"]
    sample = sample_name(value)
    speakers = [talk[key] for key in ("speaker_a", "speaker_b") if isinstance(talk.get(key), str)]
    numbers = sorted(int(found[1]) for name in talk if (found := _SESSION.fullmatch(name)))
    for number in numbers:
        position = f"{element.position}.conversation.session_{number}"
        turns = talk[f"session_{number}"]
        if not isinstance(turns, list):
            yield BadRecord(file.name, position, "the session is not a list of turns")
            continue
        try:
            said_at = parse_time(talk.get(f"session_{number}_date_time"))
        except InvalidInputError as exc:
            yield BadRecord(file.name, f"{position}_date_time", str(exc))
            said_at = None
        session = ImportedSession(
            session_id=f"{sample}/session_{number}",
            user_id=user_id or sample,
            title=f"{' and '.join(speakers) or sample}, session {number}",
            metadata={"locomo": {"sample_id": sample, "session": number}},
            position=position,
        )
        yield session
        yield from _turns(file, session, turns, said_at)


def _turns(
    file: SourceFile, session: ImportedSession, turns: list[Any], said_at: datetime | None
) -> Iterator[Record]:
    for index, turn in enumerate(turns):
        position = f"{session.position}[{index}]"
        try:
            message = _message(turn, said_at, fallback_id=f"{session.session_id}:{index + 1}")
        except InvalidInputError as exc:
            yield BadRecord(file.name, position, str(exc))
            continue
        yield ImportedMessage(session, message, position)


def _message(turn: Any, said_at: datetime | None, *, fallback_id: str) -> Message:
    if not isinstance(turn, dict) or not isinstance(turn.get("text"), str):
        raise InvalidInputError("the turn has no text")
    speaker, named = turn.get("speaker"), turn.get("dia_id")
    if not isinstance(speaker, str) or not speaker:
        raise InvalidInputError("the turn has no speaker")
    return Message(
        id=named if isinstance(named, str) and named else fallback_id,
        role="user",
        content=_content(turn),
        name=speaker,
        created_at=said_at,
    )


def _content(turn: dict[str, Any]) -> Content:
    """Return what was said; a shared picture is a part whose caption can be found."""
    caption = turn.get("blip_caption")
    if not isinstance(caption, str) or not caption:
        return str(turn["text"])
    data = {name: turn[name] for name in ("img_url", "query") if turn.get(name)}
    return (
        ContentPart("text", turn["text"]),
        ContentPart("caption", f"[shares a photo: {caption}]", data),
    )
