"""Conversations as user interfaces hold them: objects with a list of messages, or bare messages.

What a message is, a format says: `UiFormat`. This finds the messages, their session and place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from daybook.errors import InvalidInputError
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
from daybook.model.message import Message

__all__ = ["UiFormat", "known_time", "read_ui"]

_USER = ("userId", "user_id")
_MESSAGES = "messages"


class UiFormat(Struct, frozen=True):
    """How one kind of interface writes conversations.

    Attributes:
        name: Its short name; also where a message's own form stands in the metadata.
        session_names: Fields that name the conversation, best first.
        messages_of: From a message, an id for it if it names none and the time of the one before,
            to ours: one, or several.
        is_message: Tells a bare message from what else may stand there.
        is_known: Tells what is neither and holds no messages, such as an event.
    """

    name: str
    session_names: tuple[str, ...]
    messages_of: Callable[[dict[str, Any], str, datetime | None], list[Message]]
    is_message: Callable[[Any], bool]
    is_known: Callable[[Any], bool]


def read_ui(file: SourceFile, user_id: str | None, form: UiFormat) -> Iterator[Record]:
    """Yield what a file holds, a JSON document or lines; `user_id` owns all of it, if given."""
    return _Reading(file, user_id, form).records(_elements(file))


def known_time(value: Any) -> datetime | None:
    """Return a moment, or None where it is none: an interface may write what it likes there."""
    try:
        return parse_time(value)
    except InvalidInputError:
        return None


def _elements(file: SourceFile) -> Iterable[Element | Broken]:
    """Yield lines where the first is JSON by itself and no list, else the document's elements."""
    first = next(file.lines(), None)
    if isinstance(first, Element) and not isinstance(first.value, list):
        return file.lines()
    return file.elements()


class _Reading:
    """One pass over a file."""

    def __init__(self, file: SourceFile, user_id: str | None, form: UiFormat) -> None:
        self._file = file
        self._user_id = user_id
        self._form = form
        self._named: str | None = None  # what the last object called the conversation
        self._bare: ImportedSession | None = None
        self._sessions: dict[tuple[str, str], ImportedSession] = {}
        self._last: dict[str, datetime] = {}

    def records(self, elements: Iterable[Element | Broken]) -> Iterator[Record]:
        for element in elements:
            if isinstance(element, Broken):
                yield BadRecord(self._file.name, element.position, element.reason)
                continue
            value = element.value
            if isinstance(value, dict) and isinstance(value.get(_MESSAGES), list):
                yield from self._conversation(element)
            elif self._form.is_message(value):
                session = self._bare_session(element)
                yield from self._message(session, value, element.position, element.position)
            elif isinstance(value, dict) and self._form.is_known(value):
                self._named = self._name_in(value) or self._named
            else:
                reason = "neither a message nor a conversation"
                yield BadRecord(self._file.name, element.position, reason)

    def _conversation(self, element: Element) -> Iterator[Record]:
        value = element.value
        self._named = self._name_in(value) or self._named
        name = self._named or stable_id(self._form.name, self._file.key, element.position)
        title = value.get("title")
        session = self._session(name, value, element.position, title)
        if not value[_MESSAGES]:
            yield session
        for at, message in enumerate(value[_MESSAGES]):
            yield from self._message(
                session, message, f"{element.position}.messages[{at}]", str(at)
            )

    def _message(
        self, session: ImportedSession, value: Any, position: str, place: str
    ) -> Iterator[Record]:
        try:
            if not isinstance(value, dict):
                raise InvalidInputError("a message must be an object")  # noqa: TRY301 - reported below
            fallback = stable_id(session.session_id, self._file.key, place)
            said_at = self._last.get(session.session_id)
            made = self._form.messages_of(value, fallback, said_at)
        except InvalidInputError as exc:
            yield BadRecord(self._file.name, position, str(exc))
            return
        for message in made:
            if message.created_at is not None:
                self._last[session.session_id] = message.created_at
            yield ImportedMessage(session, message, position)

    def _bare_session(self, element: Element) -> ImportedSession:
        """Return the session of messages that stand in no conversation: one for the file."""
        if self._bare is None:
            name = self._named or stable_id(self._form.name, self._file.key, element.text)
            self._bare = self._session(name, {}, element.position, None)
        return self._bare

    def _session(
        self, name: str, value: dict[str, Any], position: str, title: Any
    ) -> ImportedSession:
        named = next((value[one] for one in _USER if isinstance(value.get(one), str)), None)
        user_id = self._user_id or named or DEFAULT_USER
        found = self._sessions.get((name, user_id))
        if found is None:
            found = self._sessions[name, user_id] = ImportedSession(
                session_id=name,
                user_id=user_id,
                title=title if isinstance(title, str) and title else None,
                position=position,
            )
        return found

    def _name_in(self, value: dict[str, Any]) -> str | None:
        for name in self._form.session_names:
            if isinstance(value.get(name), str) and value[name]:
                return str(value[name])
        return None
