"""Where ADK's states are kept: one record each for an app, a user of it and a session."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec
from google.adk.sessions.state import State
from msgspec import Struct
from pydantic_core import to_jsonable_python

from daybook.adapters.raw_items import packed, unpacked
from daybook.client import AsyncDaybook
from daybook.facets.records import RecordWrite
from daybook.model.memory_record import MemoryRecord
from daybook.model.message import Message

__all__ = [
    "AppAndUser",
    "Deltas",
    "SessionHead",
    "changed",
    "decoded",
    "deltas_of",
    "encoded",
    "merged",
    "state_of",
]

_OURS = "google_adk"
_Place = tuple[tuple[str, ...], str]


class AppAndUser(Struct, frozen=True):
    """Whose records: a user's in one app."""

    app_name: str
    user_id: str

    @property
    def app_state(self) -> _Place:
        """Where the app's state stands; it has an owner of its own."""
        return (_OURS, "apps", self.app_name), "state"

    @property
    def user_state(self) -> _Place:
        """Where the user's state stands."""
        return (self.user_id, _OURS, self.app_name), "state"

    def session(self, session_id: str) -> _Place:
        """Where the head of a session stands."""
        return (self.user_id, _OURS, self.app_name, "sessions"), session_id


class Deltas(Struct, frozen=True):
    """A change of state, parted by where it goes; what is temporary goes nowhere."""

    app: dict[str, Any]
    user: dict[str, Any]
    session: dict[str, Any]


def deltas_of(delta: dict[str, Any] | None) -> Deltas:
    """Part a state or a change of one; what is no JSON becomes text, as in ADK's own services."""
    parted = Deltas({}, {}, {})
    for key, value in to_jsonable_python(delta or {}, fallback=str).items():
        if key.startswith(State.APP_PREFIX):
            parted.app[key.removeprefix(State.APP_PREFIX)] = value
        elif key.startswith(State.USER_PREFIX):
            parted.user[key.removeprefix(State.USER_PREFIX)] = value
        elif not key.startswith(State.TEMP_PREFIX):
            parted.session[key] = value
    return parted


def state_of(record: MemoryRecord | None) -> dict[str, Any]:
    """Return the state that a record holds."""
    return {} if record is None else dict(unpacked(record.value["state"]))


def changed(place: _Place, before: MemoryRecord | None, delta: dict[str, Any]) -> RecordWrite:
    """Return the write that changes an app's or a user's state, from the version that was read."""
    return RecordWrite(
        namespace=place[0],
        key=place[1],
        value={"state": packed({**state_of(before), **delta})},
        searched=False,
        expected_version=0 if before is None else before.version,
    )


async def merged(
    book: AsyncDaybook, whose: AppAndUser, session_state: dict[str, Any]
) -> dict[str, Any]:
    """Return a session's state with those of the app and the user, under their prefixes."""
    app, user = await book.records.get_many([whose.app_state, whose.user_state])
    return {
        **session_state,
        **{State.APP_PREFIX + key: value for key, value in state_of(app).items()},
        **{State.USER_PREFIX + key: value for key, value in state_of(user).items()},
    }


class SessionHead(Struct, frozen=True, kw_only=True):
    """What is known of a session besides its events: state, revision, newest event.

    The newest event stands here too: should the process end after this was written and before the
    event is in the log, whoever comes next puts it there.

    Attributes:
        birth: Tells a session from an earlier one of the same name.
        version: The record's version; 0 before it is written.
        state: The session's own state.
        updated_at: Unix time in seconds of the newest event, or of its making.
        last: The newest event as a message, encoded; None before the first.
        last_id: That event's own id.
    """

    birth: str
    version: int
    state: dict[str, Any]
    updated_at: float
    last: dict[str, Any] | None = None
    last_id: str | None = None

    @classmethod
    def fresh(cls, state: dict[str, Any], now: float) -> SessionHead:
        """Return the head of a session that is about to be made."""
        return cls(birth=uuid4().hex, version=0, state=state, updated_at=now)

    @classmethod
    def of(cls, record: MemoryRecord) -> SessionHead:
        """Return the head that a record holds."""
        value = record.value
        return cls(
            birth=value["birth"],
            version=record.version,
            state=state_of(record),
            updated_at=value["updated_at"],
            last=value.get("last"),
            last_id=value.get("last_id"),
        )

    @property
    def marker(self) -> str:
        """The revision, as a `Session` of ADK's carries it."""
        return f"{self.birth}:{self.version}"

    def write(self, whose: AppAndUser, session_id: str) -> RecordWrite:
        """Return the write that stores this in place of its version."""
        namespace, key = whose.session(session_id)
        return RecordWrite(
            namespace=namespace,
            key=key,
            value={
                "app": whose.app_name,
                "birth": self.birth,
                "state": packed(self.state),
                "updated_at": self.updated_at,
                "last": self.last,
                "last_id": self.last_id,
            },
            searched=False,
            expected_version=self.version,
        )


def encoded(message: Message) -> dict[str, Any]:
    """Return a message as a value of a record."""
    return packed(msgspec.to_builtins(message))


def decoded(value: dict[str, Any]) -> Message:
    """Return the message that `encoded` was given."""
    return msgspec.convert(unpacked(value), Message)
