"""JSON lines: a message on each line, or a whole conversation on each; also as one JSON list.

Streams, so a file of any size needs little memory. Lines of several sessions may be mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.message_fields import (
    ID_FIELDS,
    TIME_FIELDS,
    looks_like_message,
    parse_message,
    take,
)
from daybook.importers.source import (
    DEFAULT_USER,
    BadRecord,
    ImportedMessage,
    ImportedSession,
    Record,
)
from daybook.importers.source_file import Broken, Element, SourceFile
from daybook.importers.source_times import parse_time
from daybook.importers.stable_ids import stable_id

__all__ = ["looks_like_conversation", "looks_like_line", "read_json_list", "read_jsonl"]

_SESSION = ("session_id", "conversation_id", "thread_id", "chat_id")
_USER = ("user_id",)
_TITLE = ("session_title", "title")
_MESSAGES = ("messages", "conversations")
_IDENTIFYING = (*ID_FIELDS, *TIME_FIELDS)


def looks_like_conversation(value: Any) -> bool:
    """Tell whether a JSON value is an object with a list of messages."""
    if not isinstance(value, dict):
        return False
    return any(
        isinstance(value.get(name), list) and any(map(looks_like_message, value[name]))
        for name in _MESSAGES
    )


def looks_like_line(value: Any) -> bool:
    """Tell whether a JSON value is a message or a conversation."""
    return looks_like_message(value) or looks_like_conversation(value)


def read_jsonl(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield what the lines of a file hold; `user_id` owns all of it, if given."""
    return _Reading(file, user_id).records(file.lines())


def read_json_list(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield what the elements of a JSON list hold, as if each stood on a line."""
    return _Reading(file, user_id).records(file.elements())


class _Reading:
    """One pass over a file: which sessions were met, and when each last spoke."""

    def __init__(self, file: SourceFile, user_id: str | None) -> None:
        self._file = file
        self._user_id = user_id
        self._sessions: dict[tuple[str, str], ImportedSession] = {}
        self._owners: dict[str, str] = {}
        self._last_time: dict[str, datetime] = {}
        self._unnamed = ""

    def records(self, elements: Iterable[Element | Broken]) -> Iterator[Record]:
        for element in elements:
            if isinstance(element, Broken):
                yield BadRecord(self._file.name, element.position, element.reason)
                continue
            try:
                yield from self._record(element)
            except InvalidInputError as exc:
                yield BadRecord(self._file.name, element.position, str(exc))

    def _record(self, element: Element) -> Iterator[Record]:
        value = element.value
        if not isinstance(value, dict):
            raise InvalidInputError(f"must be a JSON object, got {type(value).__name__}")
        if any(isinstance(value.get(name), list) for name in _MESSAGES):
            yield from self._conversation(element)
            return
        fields = dict(value)
        session_id = self._session_id(take(fields, _SESSION), element)
        session = self._session(session_id, fields, element.position)
        yield self._message(session, fields, element.position, element.position)

    def _conversation(self, element: Element) -> Iterator[Record]:
        """Yield a conversation that stands on one line, message by message."""
        fields = dict(element.value)
        messages = take(fields, _MESSAGES)
        named = take(fields, (*_SESSION, "id"))
        session_id = stable_id("conversation", element.text) if named is None else _id(named)
        metadata = fields.pop("metadata", None)
        fields["session_metadata"] = {
            **{name: fields.pop(name) for name in list(fields) if name not in (*_USER, *_TITLE)},
            **(metadata if isinstance(metadata, dict) else {}),
        }
        session = self._session(session_id, fields, element.position)
        if not messages:
            yield session
        for index, message in enumerate(messages):
            position = f"{element.position}.messages[{index}]"
            try:
                if not isinstance(message, dict):
                    raise InvalidInputError("a message must be an object")  # noqa: TRY301 - reported below
                yield self._message(session, message, position, str(index))
            except InvalidInputError as exc:
                yield BadRecord(self._file.name, position, str(exc))

    def _message(
        self, session: ImportedSession, fields: dict[str, Any], position: str, place: str
    ) -> ImportedMessage:
        """Return a message; without a time it was said when the one before it was."""
        fields = dict(fields)
        said_at = parse_time(take(fields, TIME_FIELDS))
        known = said_at or self._last_time.get(session.session_id)
        # A time tells files apart wherever they lie; without one, the file's name has to.
        origin = said_at.isoformat() if said_at else self._file.key
        fallback = stable_id(session.session_id, origin, place)
        message = parse_message({**fields, "created_at": known}, fallback_id=fallback)
        if known is not None:
            self._last_time[session.session_id] = known
        return ImportedMessage(session, message, position)

    def _session(self, session_id: str, fields: dict[str, Any], position: str) -> ImportedSession:
        """Return the session a line belongs to; its first line says whose it is and its title."""
        named = take(fields, _USER)
        title = take(fields, _TITLE)
        metadata = fields.pop("session_metadata", None)
        user_id = self._user_id or (_id(named) if named is not None else None)
        user_id = user_id or self._owners.get(session_id, DEFAULT_USER)
        self._owners.setdefault(session_id, user_id)
        session = self._sessions.get((session_id, user_id))
        if session is None:
            session = ImportedSession(
                session_id=session_id,
                user_id=user_id,
                title=title if isinstance(title, str) else None,
                metadata=metadata if isinstance(metadata, dict) else {},
                position=position,
            )
            self._sessions[session_id, user_id] = session
        return session

    def _session_id(self, named: Any, element: Element) -> str:
        """Return the session a line names; all lines of a file that name none are one session."""
        if named is not None:
            return _id(named)
        if not self._unnamed:
            dated = any(element.value.get(name) is not None for name in _IDENTIFYING)
            self._unnamed = stable_id("session", "" if dated else self._file.key, element.text)
        return self._unnamed


def _id(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise InvalidInputError("a session or user id must be text")
