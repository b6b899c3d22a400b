"""Small stored values for contracts: sessions, entries, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from daybook.model.codec import decode_message, encode_json, encode_message, fingerprint
from daybook.model.entry import NewEntry, StoredEntry
from daybook.model.memory_record import Namespace, NewRecord, Provenance
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog

__all__ = [
    "ALICE",
    "BOB",
    "RIVAL",
    "entries",
    "entry",
    "entry_of",
    "make_session",
    "message_ids",
    "record",
    "start_session",
]

ALICE = Scope("acme", "alice")
BOB = Scope("acme", "bob")
RIVAL = Scope("rival", "alice")


def entry_of(message: Message, tokens: int = 5) -> NewEntry:
    """Encode a message as a log takes it."""
    body = encode_message(message)
    return NewEntry(message.id, body, fingerprint(message, body), message.role, tokens)


def entry(message_id: str, text: str | None = None, **fields: Any) -> NewEntry:
    """Make one message of a user; its text is its id unless given."""
    return entry_of(Message.user(message_id if text is None else text, id=message_id, **fields))


def entries(*ids: str) -> list[NewEntry]:
    """Make several."""
    return [entry(one) for one in ids]


def message_ids(stored: Iterable[StoredEntry]) -> list[str]:
    """Return the ids of what was read."""
    return [decode_message(one.body).id for one in stored]


def make_session(
    session_id: str,
    clock: Clock,
    *,
    user: str = "alice",
    ttl: timedelta | None = None,
    **fields: Any,
) -> Session:
    """Describe a new session as the facade does."""
    now: datetime = clock.now()
    return Session(
        id=session_id,
        user_id=user,
        created_at=now,
        last_active_at=now,
        ttl=ttl,
        expires_at=None if ttl is None else now + ttl,
        **fields,
    )


async def start_session(
    log: MessageLog,
    clock: Clock,
    *ids: str,
    scope: Scope = ALICE,
    session_id: str = "s",
    ttl: timedelta | None = None,
) -> None:
    """Create a session of the scope's user and append messages with these ids."""
    assert scope.user_id is not None
    await log.create_session(scope, make_session(session_id, clock, user=scope.user_id, ttl=ttl))
    if ids:
        await log.append(scope, session_id, entries(*ids))


def record(
    key: str,
    value: dict[str, Any] | None = None,
    *,
    namespace: Namespace = ("alice",),
    expires_at: datetime | None = None,
    expected_version: int | None = None,
    provenance: Provenance | None = None,
) -> NewRecord:
    """Make a record on its way into a store."""
    return NewRecord(
        namespace=namespace,
        key=key,
        value=encode_json({"is": key} if value is None else value),
        expires_at=expires_at,
        provenance=provenance or Provenance(),
        expected_version=expected_version,
    )
