"""The append transaction: find the session, place new messages, recognise repeated ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from daybook.enginekit.packed_ids import id_to_column
from daybook.engines.sqlite import session_jobs, stream_jobs
from daybook.engines.sqlite.schema import SPAN
from daybook.engines.sqlite.writer import GroupedJob
from daybook.errors import ConflictError
from daybook.model.entry import AppendResult, NewEntry
from daybook.model.message import ROLES
from daybook.model.scope import Scope
from daybook.model.session import Session

__all__ = ["APPEND", "AppendRequest"]

_FIND = (
    "SELECT row, user_id, last_seq, expires_at, ttl, segments FROM sessions "
    "WHERE tenant = ? AND id = ?"
)
_CLAIM_ID = "INSERT OR IGNORE INTO message_ids (session, id, seq, fingerprint) VALUES (?, ?, ?, ?)"
_CLAIMED = "SELECT seq, fingerprint FROM message_ids WHERE session = ? AND id = ?"
_INSERT = "INSERT INTO messages (key, role, tokens, body) VALUES (?, ?, ?, ?)"
_ADVANCE = (
    "UPDATE sessions SET last_seq = ?, message_count = message_count + ?, "
    "token_count = token_count + ?, last_active_at = ?, expires_at = ?, changes = changes + 1 "
    "WHERE row = ?"
)
_ROLE_NUMBER: dict[str, int] = {role: number for number, role in enumerate(ROLES)}


class AppendRequest(Struct, frozen=True, gc=False):
    """The arguments of `MessageLog.append`, and the time."""

    scope: Scope
    session_id: str
    entries: Sequence[NewEntry]
    new_session: Session | None
    now: int


class _Head(Struct, gc=False):
    """What an append needs to know of a session, advanced as a group of appends goes on."""

    row: int
    user_id: str
    last_seq: int
    expires_at: int | None
    ttl: int | None
    segments: bytes | None
    added: int = 0
    tokens: int = 0


def append(connection: sqlite3.Connection, request: AppendRequest) -> AppendResult | None:
    """Append a batch inside the caller's transaction; see `MessageLog.append`."""
    scope, entries, now = request.scope, request.entries, request.now
    head = _find_or_create(connection, scope, request.session_id, request.new_session, now)
    if head is None:
        return None
    places = _place(connection, head, request.session_id, entries)
    if head.added:
        expires_at = None if head.ttl is None else now + head.ttl
        columns = (head.last_seq, head.added, head.tokens, now, expires_at, head.row)
        connection.execute(_ADVANCE, columns)
        session_jobs.mark_pending(connection, scope.tenant, request.session_id, head.user_id)
    return AppendResult(min(places), max(places), len(entries) - head.added, head.user_id)


def append_together(
    connection: sqlite3.Connection, requests: Sequence[AppendRequest]
) -> list[AppendResult] | None:
    """Append many batches of new messages to sessions that are there.

    Statements run once for all batches, so each costs a third of what it does alone.

    Returns:
        The results in order; None if a session is missing or a message id is known.
    """
    heads: dict[tuple[str, str], _Head] = {}
    ids: list[tuple[int, bytes | str, int, bytes]] = []
    messages: list[tuple[int, int, int, bytes]] = []
    results: list[AppendResult] = []
    for request in requests:
        head = _head(connection, request, heads)
        if head is None:
            return None
        if head.segments and _inherits(connection, head, request.entries):
            return None
        first = head.last_seq + 1
        _collect(request.entries, head, ids, messages)
        results.append(AppendResult(first, head.last_seq, 0, head.user_id))
    if connection.executemany(_CLAIM_ID, ids).rowcount != len(ids):
        return None
    connection.executemany(_INSERT, messages)
    now = max(request.now for request in requests)
    connection.executemany(
        _ADVANCE,
        [
            (h.last_seq, h.added, h.tokens, now, None if h.ttl is None else now + h.ttl, h.row)
            for h in heads.values()
        ],
    )
    marks = [(tenant, session_id, head.user_id) for (tenant, session_id), head in heads.items()]
    connection.executemany(session_jobs.MARK_PENDING, marks)
    return results


def _head(
    connection: sqlite3.Connection,
    request: AppendRequest,
    heads: dict[tuple[str, str], _Head],
) -> _Head | None:
    """Return the session of a request as the requests before left it; None if it is missing."""
    key = (request.scope.tenant, request.session_id)
    head = heads.get(key)
    if head is None:
        found = connection.execute(_FIND, key).fetchone()
        if found is None:
            return None
        head = heads[key] = _Head(*found)
    if head.expires_at is not None and head.expires_at <= request.now:
        return None
    made_for = request.new_session
    if made_for is not None and made_for.user_id != head.user_id:
        return None
    return head if request.scope.reaches(head.user_id) else None


def _collect(
    entries: Sequence[NewEntry],
    head: _Head,
    ids: list[tuple[int, bytes | str, int, bytes]],
    messages: list[tuple[int, int, int, bytes]],
) -> None:
    """Give new messages their places and add them to what will be written."""
    row, seq = head.row, head.last_seq
    base = row * SPAN
    for entry in entries:
        seq += 1
        ids.append((row, id_to_column(entry.id), seq, entry.fingerprint))
        messages.append((base + seq, _ROLE_NUMBER[entry.role], entry.tokens, entry.body))
        head.tokens += entry.tokens
    head.added += len(entries)
    head.last_seq = seq


def _inherits(
    connection: sqlite3.Connection, head: _Head, entries: Sequence[NewEntry]
) -> dict[str, tuple[int, bytes]]:
    """Return what a fork's older streams know of a batch."""
    segments = stream_jobs.decode_segments(head.segments)
    return stream_jobs.find_inherited(connection, segments, entries)


def _find_or_create(
    connection: sqlite3.Connection,
    scope: Scope,
    session_id: str,
    new_session: Session | None,
    now: int,
) -> _Head | None:
    """Return the live session, or None if it is missing."""
    found = connection.execute(_FIND, (scope.tenant, session_id)).fetchone()
    if found is not None:
        head = _Head(*found)
        alive = head.expires_at is None or head.expires_at > now
        if alive and new_session is not None and new_session.user_id != head.user_id:
            raise ConflictError(f"session {session_id} is not free: choose another id")
        if alive and scope.reaches(head.user_id):
            return head
    if new_session is None:
        return None
    session_jobs.create(connection, scope=scope, session=new_session, now=now)
    return _Head(*connection.execute(_FIND, (scope.tenant, session_id)).fetchone())


def _place(
    connection: sqlite3.Connection, head: _Head, session_id: str, entries: Sequence[NewEntry]
) -> list[int]:
    """Store what is new and advance the head; return every message's number."""
    row = head.row
    inherited = _inherits(connection, head, entries) if head.segments else {}
    places: list[int] = []
    for entry in entries:
        name, seq = id_to_column(entry.id), head.last_seq + 1
        known = inherited.get(entry.id)
        if known is None:
            claim = connection.execute(_CLAIM_ID, (row, name, seq, entry.fingerprint))
            if not claim.rowcount:
                known = connection.execute(_CLAIMED, (row, name)).fetchone()
        if known is not None:
            if known[1] != entry.fingerprint:
                raise ConflictError(
                    f"message {entry.id} is already in session {session_id} with another body; "
                    "nothing of this batch was stored: give the new message its own id"
                )
            places.append(known[0])
            continue
        role = _ROLE_NUMBER[entry.role]
        connection.execute(_INSERT, (row * SPAN + seq, role, entry.tokens, entry.body))
        places.append(seq)
        head.last_seq, head.added, head.tokens = seq, head.added + 1, head.tokens + entry.tokens
    return places


APPEND: GroupedJob[AppendRequest, AppendResult | None] = GroupedJob(append, append_together)
