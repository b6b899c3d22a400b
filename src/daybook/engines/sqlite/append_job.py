"""The append transaction: find the session, place new messages, recognise repeated ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import timedelta

from daybook.engines.sqlite import session_jobs
from daybook.engines.sqlite.schema import SPAN
from daybook.engines.sqlite.times import id_to_column
from daybook.errors import ConflictError
from daybook.model.entry import AppendResult, NewEntry
from daybook.model.message import ROLES
from daybook.model.scope import Scope
from daybook.model.session import Session

__all__ = ["append"]

_FIND = "SELECT row, user_id, last_seq, expires_at, ttl FROM sessions WHERE tenant = ? AND id = ?"
_CLAIM_ID = "INSERT OR IGNORE INTO message_ids (session, id, seq, fingerprint) VALUES (?, ?, ?, ?)"
_CLAIMED = "SELECT seq, fingerprint FROM message_ids WHERE session = ? AND id = ?"
_INSERT = "INSERT INTO messages (key, role, tokens, body) VALUES (?, ?, ?, ?)"
_ADVANCE = (
    "UPDATE sessions SET last_seq = ?, message_count = message_count + ?, "
    "token_count = token_count + ?, last_active_at = ?, expires_at = ?, changes = changes + 1 "
    "WHERE row = ?"
)
_MICROSECOND = timedelta(microseconds=1)
_ROLE_NUMBER: dict[str, int] = {role: number for number, role in enumerate(ROLES)}


def append(
    connection: sqlite3.Connection,
    *,
    scope: Scope,
    session_id: str,
    entries: Sequence[NewEntry],
    new_session: Session | None,
    now: int,
) -> AppendResult | None:
    """Append a batch inside the caller's transaction; see `MessageLog.append`."""
    found = _find_or_create(connection, scope, session_id, new_session, now)
    if found is None:
        return None
    row, user_id, last_seq, ttl = found
    places, next_seq, tokens = _place(connection, row, session_id, last_seq, entries)
    added = next_seq - 1 - last_seq
    if added:
        expires_at = None if ttl is None else now + ttl
        connection.execute(_ADVANCE, (next_seq - 1, added, tokens, now, expires_at, row))
        session_jobs.mark_pending(connection, scope.tenant, session_id, user_id)
    return AppendResult(min(places), max(places), len(entries) - added, user_id)


def _find_or_create(
    connection: sqlite3.Connection,
    scope: Scope,
    session_id: str,
    new_session: Session | None,
    now: int,
) -> tuple[int, str, int, int | None] | None:
    """Return the live session's (row, user, last seq, ttl), or None if it is missing."""
    found = connection.execute(_FIND, (scope.tenant, session_id)).fetchone()
    if found is not None:
        row, user_id, last_seq, expires_at, ttl = found
        alive = expires_at is None or expires_at > now
        if alive and new_session is not None and new_session.user_id != user_id:
            raise ConflictError(f"session {session_id} is not free: choose another id")
        if alive and scope.reaches(user_id):
            return row, user_id, last_seq, ttl
    if new_session is None:
        return None
    made = session_jobs.create(connection, scope=scope, session=new_session, now=now)
    (row,) = connection.execute("SELECT last_insert_rowid()").fetchone()
    return row, made.user_id, 0, None if made.ttl is None else made.ttl // _MICROSECOND


def _place(
    connection: sqlite3.Connection,
    row: int,
    session_id: str,
    last_seq: int,
    entries: Sequence[NewEntry],
) -> tuple[list[int], int, int]:
    """Store what is new; return every message's seq, the next free seq and the tokens added."""
    base = row * SPAN
    places: list[int] = []
    next_seq = last_seq + 1
    tokens = 0
    for entry in entries:
        name = id_to_column(entry.id)
        claim = connection.execute(_CLAIM_ID, (row, name, next_seq, entry.fingerprint))
        if not claim.rowcount:
            seq, fingerprint = connection.execute(_CLAIMED, (row, name)).fetchone()
            if fingerprint != entry.fingerprint:
                raise ConflictError(
                    f"message {entry.id} is already in session {session_id} with another body; "
                    "nothing of this batch was stored: give the new message its own id"
                )
            places.append(seq)
            continue
        role = _ROLE_NUMBER[entry.role]
        connection.execute(_INSERT, (base + next_seq, role, entry.tokens, entry.body))
        places.append(next_seq)
        next_seq += 1
        tokens += entry.tokens
    return places, next_seq, tokens
