"""Daybook's own JSON export, read back: the same ids, times, tool calls and metadata.

Strict where the other readers are tolerant: the format is ours, closed and versioned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import MsgspecError, ValidationError

from daybook.errors import InvalidInputError
from daybook.exporters.json_export import EXPORT_FORMAT, EXPORT_VERSION, session_of
from daybook.importers.source import BadRecord, ImportedMessage, ImportedSession, Record
from daybook.importers.source_file import Broken, Element, SourceFile
from daybook.model.codec import decode_message
from daybook.model.message import Message

__all__ = ["looks_like_export", "read_export"]

_TIMES = ("created_at", "last_active_at")  # an export without them was written by hand


def looks_like_export(value: Any) -> bool:
    """Tell whether a JSON value is a session that Daybook exported."""
    return isinstance(value, dict) and value.get("format") == EXPORT_FORMAT


def read_export(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the exported sessions; `user_id` owns them if given, else their own user."""
    for element in file.elements():
        if isinstance(element, Broken):
            yield BadRecord(file.name, element.position, element.reason)
            continue
        try:
            session = _session(element, user_id)
        except InvalidInputError as exc:
            yield BadRecord(file.name, element.position, str(exc))
            continue
        yield session
        yield from _messages(file, session, element.value["messages"])


def _session(element: Element, user_id: str | None) -> ImportedSession:
    value = element.value
    if not looks_like_export(value):
        raise InvalidInputError("not a Daybook export")
    if value.get("version") != EXPORT_VERSION:
        raise InvalidInputError(
            f"the export has a version other than {EXPORT_VERSION}: upgrade Daybook to read it"
        )
    facts = value.get("session")
    if not isinstance(facts, dict) or not isinstance(value.get("messages"), list):
        raise InvalidInputError("the export has no session or no messages")
    facts = {"metadata": {}, **facts} | ({"user_id": user_id} if user_id else {})
    if not all(isinstance(facts.get(name), str) and facts[name] for name in ("id", "user_id")):
        raise InvalidInputError("the session has no id or no user_id")
    now = {name: "1970-01-01T00:00:00Z" for name in _TIMES if name not in facts}
    session = session_of(now | facts)
    return ImportedSession(
        session_id=session.id,
        user_id=session.user_id,
        title=session.title,
        metadata=session.metadata,
        ttl=session.ttl,
        position=element.position,
        exported=None if now else session,
    )


def _messages(file: SourceFile, session: ImportedSession, messages: list[Any]) -> Iterator[Record]:
    for index, value in enumerate(messages):
        position = f"{session.position}.messages[{index}]"
        try:
            message = _message(value)
        except (MsgspecError, UnicodeError, RecursionError):
            yield BadRecord(file.name, position, "not a message of a known version")
            continue
        yield ImportedMessage(session, message, position)


def _message(value: Any) -> Message:
    if not isinstance(value, dict) or "id" not in value:
        raise ValidationError("a message has an id")  # else it would get another at each reading
    return decode_message(json.dumps(value).encode())
