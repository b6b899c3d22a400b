"""Transactions and queries over sessions: plain functions of a connection."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.engines.sqlite import stream_jobs
from daybook.engines.sqlite.schema import SPAN
from daybook.engines.sqlite.stream_jobs import Segments, Stream, decode_segments, encode_segments
from daybook.errors import ConflictError
from daybook.model.codec import decode_json, encode_json
from daybook.model.lineage import inherited_segments
from daybook.model.message import ROLES
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.model.session_codec import (
    decode_ancestors,
    decode_grants,
    decode_pins,
    encode_ancestors,
    encode_cursor,
    encode_grants,
    encode_pins,
)
from daybook.model.session_rules import (
    changed_session,
    check_fork,
    forked_session,
    fresh_session,
)
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = [
    "MARK_PENDING",
    "clear",
    "create",
    "delete",
    "find_stream",
    "fork",
    "get",
    "insert",
    "mark_pending",
    "page",
    "pending",
    "settle",
    "span",
    "stats",
    "sweep",
    "tenants",
    "update",
]

_COLUMNS = (
    "id, user_id, title, metadata, created_at, last_active_at, ttl, expires_at, message_count, "
    "token_count, last_seq, first_seq, conversation_id, max_messages, ancestors, grants, pins"
)
# Missing means: absent, expired, or another user's. The user is NULL for a scope of the tenant.
_LIVE = (
    "tenant = :tenant AND id = :id AND (:user IS NULL OR user_id = :user) "
    "AND (expires_at IS NULL OR expires_at > :now)"
)
_ALIVE = "tenant = :tenant AND (expires_at IS NULL OR expires_at > :now)"
_FIND_STREAM = f"SELECT row, segments, last_seq, max_messages FROM sessions WHERE {_LIVE}"
_GET = f"SELECT {_COLUMNS} FROM sessions WHERE {_LIVE}"
_NAMES = _COLUMNS.split(", ")
_INSERT = (
    f"INSERT INTO sessions (tenant, segments, {_COLUMNS}) "
    f"VALUES (?, ?, {', '.join('?' * len(_NAMES))})"
)
_UPDATE = (
    f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in _NAMES)} WHERE tenant = ? AND id = ?"
)
_CLEAR = (
    "UPDATE sessions SET first_seq = last_seq + 1, message_count = 0, token_count = 0, "
    "segments = NULL, changes = changes + 1 WHERE row = ?"
)
MARK_PENDING = "INSERT OR IGNORE INTO pending (tenant, session_id, user_id) VALUES (?, ?, ?)"
_MARK_REMOVED = (
    "INSERT INTO pending (tenant, session_id, user_id, removed) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (tenant, session_id, user_id) DO UPDATE SET removed = excluded.removed"
)
# Grows with every change of a session, and again when a session made anew has its id.
_CURRENT_MARK = (
    f"coalesce((SELECT row * {SPAN} + changes FROM sessions WHERE tenant = pending.tenant "
    "AND id = pending.session_id AND user_id = pending.user_id), "
    f"removed * {SPAN} + {SPAN - 1})"
)

Start = tuple[int, str] | None


def _names(scope: Scope, session_id: str, now: int) -> dict[str, Any]:
    return {"tenant": scope.tenant, "id": session_id, "user": scope.user_id, "now": now}


def _to_session(columns: tuple[Any, ...]) -> Session:
    (name, user, title, metadata, created, active, ttl, expires, messages, tokens, *rest) = columns
    last, first, conversation, shown, ancestors, grants, pins = rest
    return Session(
        id=name,
        user_id=user,
        title=title,
        metadata=decode_json(metadata) if metadata else {},
        created_at=moment(created),
        last_active_at=moment(active),
        ttl=None if ttl is None else timedelta(microseconds=ttl),
        expires_at=moment_or_none(expires),
        message_count=messages,
        token_count=tokens,
        first_seq=first,
        last_seq=last,
        conversation_id=conversation,
        max_messages=shown,
        ancestors=decode_ancestors(ancestors),
        grants=decode_grants(grants),
        pins=decode_pins(pins),
    )


def _to_columns(session: Session) -> tuple[Any, ...]:
    return (
        session.id,
        session.user_id,
        session.title,
        encode_json(session.metadata) if session.metadata else None,
        to_micros(session.created_at),
        to_micros(session.last_active_at),
        None if session.ttl is None else session.ttl // timedelta(microseconds=1),
        None if session.expires_at is None else to_micros(session.expires_at),
        session.message_count,
        session.token_count,
        session.last_seq,
        session.first_seq,
        session.conversation_id,
        session.max_messages,
        encode_ancestors(session.ancestors),
        encode_grants(session.grants),
        encode_pins(session.pins),
    )


def find_stream(
    connection: sqlite3.Connection, scope: Scope, session_id: str, now: int
) -> Stream | None:
    """Return where a live session's messages are, or None if missing."""
    found = connection.execute(_FIND_STREAM, _names(scope, session_id, now)).fetchone()
    if found is None:
        return None
    row, segments, last_seq, max_messages = found
    hidden = 0 if max_messages is None else max(0, last_seq - max_messages)
    return Stream(row, decode_segments(segments), hidden)


def get(
    connection: sqlite3.Connection, *, scope: Scope, session_id: str, now: int
) -> Session | None:
    """Return a live session, or None if missing."""
    found = connection.execute(_GET, _names(scope, session_id, now)).fetchone()
    return _to_session(found) if found else None


def create(connection: sqlite3.Connection, *, scope: Scope, session: Session, now: int) -> Session:
    """Insert a session, empty; one with its id that has expired makes room."""
    fresh = fresh_session(scope, session)
    insert(connection, scope.tenant, fresh, (), now)
    return fresh


def insert(
    connection: sqlite3.Connection, tenant: str, session: Session, segments: Segments, now: int
) -> int:
    """Insert a session as it is and return its row; an expired one with its id makes room.

    Raises:
        ConflictError: A live session has its id.
    """
    found = connection.execute(
        "SELECT row, user_id, expires_at FROM sessions WHERE tenant = ? AND id = ?",
        (tenant, session.id),
    ).fetchone()
    if found is not None:
        row, user_id, expires_at = found
        if expires_at is None or expires_at > now:
            raise ConflictError(
                f"session {session.id} already exists: choose another id, or leave the id out to "
                "get a fresh one"
            )
        _remove(connection, tenant, session.id, user_id, row)
    inserted = connection.execute(
        _INSERT, (tenant, encode_segments(segments), *_to_columns(session))
    )
    row = inserted.lastrowid or 0
    if segments:
        stream_jobs.refer(connection, row, segments)
    return row


def fork(
    connection: sqlite3.Connection,
    *,
    scope: Scope,
    session_id: str,
    child: Session,
    at: int | None,
    now: int,
) -> Session | None:
    """Insert a session that reads another one's messages up to a place."""
    parent = get(connection, scope=scope, session_id=session_id, now=now)
    stream = find_stream(connection, scope, session_id, now)
    if parent is None or stream is None:
        return None
    place = check_fork(scope, parent, child, at)
    messages, tokens = stream_jobs.totals(connection, stream, up_to=place)
    made = forked_session(scope, parent, child, place, messages=messages, tokens=tokens)
    segments = inherited_segments(stream.segments, stream.row, place, first_seq=parent.first_seq)
    insert(connection, scope.tenant, made, segments, now)
    mark_pending(connection, scope.tenant, made.id, made.user_id)
    return made


def page(
    connection: sqlite3.Connection, *, scope: Scope, limit: int, start: Start, now: int
) -> Page[Session]:
    """Return one page of live sessions."""
    where = _ALIVE
    names: dict[str, Any] = {"tenant": scope.tenant, "now": now, "limit": limit + 1}
    if scope.user_id is not None:
        where += " AND user_id = :user"
        names["user"] = scope.user_id
    if start is not None:
        where += " AND (last_active_at < :active OR (last_active_at = :active AND id > :id))"
        names["active"], names["id"] = start
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM sessions WHERE {where} "
        "ORDER BY last_active_at DESC, id LIMIT :limit",
        names,
    ).fetchall()
    items = [_to_session(columns) for columns in found[:limit]]
    cursor = encode_cursor(items[-1]) if len(found) > limit else None
    return Page(items, cursor)


def update(
    connection: sqlite3.Connection,
    *,
    scope: Scope,
    session_id: str,
    changes: SessionChanges,
    now: int,
) -> Session | None:
    """Set the named fields of a live session."""
    before = get(connection, scope=scope, session_id=session_id, now=now)
    if before is None:
        return None
    after = changed_session(before, changes, moment(now))
    connection.execute(_UPDATE, (*_to_columns(after), scope.tenant, session_id))
    return after


def delete(connection: sqlite3.Connection, *, scope: Scope, session_id: str, now: int) -> bool:
    """Remove a session with all its messages; an expired one counts as gone already."""
    found = connection.execute(
        "SELECT row, user_id, expires_at FROM sessions WHERE tenant = ? AND id = ?",
        (scope.tenant, session_id),
    ).fetchone()
    if found is None or not scope.reaches(found[1]):
        return False
    row, user_id, expires_at = found
    _remove(connection, scope.tenant, session_id, user_id, row)
    return expires_at is None or expires_at > now


def clear(connection: sqlite3.Connection, *, scope: Scope, session_id: str, now: int) -> int:
    """Remove a session's messages; numbers go on after the last one ever given."""
    found = connection.execute(
        f"SELECT row, user_id, message_count, segments FROM sessions WHERE {_LIVE}",
        _names(scope, session_id, now),
    ).fetchone()
    if found is None or not found[2]:
        return 0
    row, user_id, count, segments = found
    connection.execute(_CLEAR, (row,))
    if segments or stream_jobs.is_shared(connection, row):
        _move_to_new_stream(connection, row)
        stream_jobs.drop_stream(connection, row, decode_segments(segments))
    else:
        connection.execute(
            "DELETE FROM messages WHERE key > ? AND key < ?", (row * SPAN, row * SPAN + SPAN)
        )
        connection.execute("DELETE FROM message_ids WHERE session = ?", (row,))
    mark_pending(connection, scope.tenant, session_id, user_id)
    return int(count)


def _move_to_new_stream(connection: sqlite3.Connection, row: int) -> None:
    """Give a session a new row: its old stream belongs to forks alone from now on."""
    (fresh,) = connection.execute(
        "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'sessions' RETURNING seq"
    ).fetchone()
    connection.execute("UPDATE sessions SET row = ? WHERE row = ?", (fresh, row))


def sweep(connection: sqlite3.Connection, *, now: int) -> int:
    """Remove every expired session."""
    expired = connection.execute(
        "SELECT tenant, id, user_id, row FROM sessions WHERE expires_at <= ?", (now,)
    ).fetchall()
    for tenant, session_id, user_id, row in expired:
        _remove(connection, tenant, session_id, user_id, row)
    return len(expired)


def _remove(
    connection: sqlite3.Connection, tenant: str, session_id: str, user_id: str, row: int
) -> None:
    (segments,) = connection.execute(
        "DELETE FROM sessions WHERE row = ? RETURNING segments", (row,)
    ).fetchone()
    stream_jobs.drop_stream(connection, row, decode_segments(segments))
    connection.execute(_MARK_REMOVED, (tenant, session_id, user_id, row))


def stats(
    connection: sqlite3.Connection, *, scope: Scope, session_id: str | None, now: int
) -> SessionStats | None:
    """Return counts over one session or all of the scope."""
    where, names = _ALIVE, {"tenant": scope.tenant, "now": now}
    if session_id is not None:
        where, names = _LIVE, _names(scope, session_id, now)
    elif scope.user_id is not None:
        where, names["user"] = f"{_ALIVE} AND user_id = :user", scope.user_id
    count, first, last, tokens = connection.execute(
        "SELECT count(*), min(created_at), max(last_active_at), sum(token_count) "
        f"FROM sessions WHERE {where}",
        names,
    ).fetchone()
    if session_id is not None and not count:
        return None
    by_role = _roles(connection, where, names)
    return SessionStats(
        session_count=count,
        message_count=sum(by_role.values()),
        turn_count=by_role.get("user", 0),
        token_count=tokens or 0,
        messages_by_role=by_role,
        first_at=moment_or_none(first),
        last_at=moment_or_none(last),
    )


def _roles(connection: sqlite3.Connection, where: str, names: dict[str, Any]) -> dict[str, int]:
    """Return the messages of each role over the sessions of a condition."""
    roles: Counter[int] = Counter(
        dict(
            connection.execute(
                "SELECT messages.role, count(*) FROM sessions JOIN messages "
                f"ON messages.key > sessions.row * {SPAN} "
                f"AND messages.key < (sessions.row + 1) * {SPAN} "
                f"WHERE {where} GROUP BY messages.role",
                names,
            ).fetchall()
        )
    )
    forks = connection.execute(
        f"SELECT segments FROM sessions WHERE {where} AND segments IS NOT NULL", names
    ).fetchall()
    for (segments,) in forks:
        for role, count in stream_jobs.roles_inherited(connection, decode_segments(segments)):
            roles[role] += count
    return {ROLES[number]: roles[number] for number in sorted(roles)}


def tenants(connection: sqlite3.Connection) -> list[str]:
    """Return the tenants that have sessions, sorted."""
    found = connection.execute("SELECT DISTINCT tenant FROM sessions ORDER BY tenant")
    return [tenant for (tenant,) in found]


def span(
    connection: sqlite3.Connection, *, scope: Scope, session_id: str, now: int
) -> SessionSpan | None:
    """Return what of a live session can be read."""
    found = connection.execute(
        f"SELECT user_id, first_seq, last_seq, row FROM sessions WHERE {_LIVE}",
        _names(scope, session_id, now),
    ).fetchone()
    return SessionSpan(*found) if found else None


def mark_pending(
    connection: sqlite3.Connection, tenant: str, session_id: str, user_id: str
) -> None:
    """Note, in the same transaction, that a session changed."""
    connection.execute(MARK_PENDING, (tenant, session_id, user_id))


def pending(
    connection: sqlite3.Connection, *, limit: int, scope: Scope | None
) -> list[PendingSession]:
    """Return noted changes, oldest first."""
    names = {
        "tenant": scope.tenant if scope else None,
        "user": scope.user_id if scope else None,
        "limit": limit,
    }
    found = connection.execute(
        f"SELECT tenant, user_id, session_id, {_CURRENT_MARK} FROM pending "
        "WHERE (:tenant IS NULL OR tenant = :tenant) AND (:user IS NULL OR user_id = :user) "
        "ORDER BY row LIMIT :limit",
        names,
    )
    return [PendingSession(*columns) for columns in found]


def settle(connection: sqlite3.Connection, *, settled: Sequence[PendingSession]) -> None:
    """Forget noted changes that nothing newer has replaced."""
    connection.executemany(
        "DELETE FROM pending WHERE tenant = ? AND session_id = ? AND user_id = ? "
        f"AND {_CURRENT_MARK} = ?",
        [(one.tenant, one.session_id, one.user_id, one.mark) for one in settled],
    )
