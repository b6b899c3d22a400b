"""Transactions and queries over sessions: plain functions of a connection."""

from __future__ import annotations

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.engines.sqlite.schema import SPAN
from daybook.errors import AccessDeniedError, ConflictError, InvalidInputError
from daybook.model.codec import decode_json, encode_json, to_utc
from daybook.model.message import ROLES
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = [
    "MARK_PENDING",
    "clear",
    "create",
    "delete",
    "find_row",
    "get",
    "mark_pending",
    "page",
    "parse_cursor",
    "pending",
    "settle",
    "span",
    "stats",
    "sweep",
    "update",
]

_COLUMNS = (
    "id, user_id, title, metadata, created_at, last_active_at, ttl, expires_at, message_count, "
    "token_count, last_seq"
)
# Missing means: absent, expired, or another user's. The user is NULL for a scope of the tenant.
_LIVE = (
    "tenant = :tenant AND id = :id AND (:user IS NULL OR user_id = :user) "
    "AND (expires_at IS NULL OR expires_at > :now)"
)
_ALIVE = "tenant = :tenant AND (expires_at IS NULL OR expires_at > :now)"
_FIND_ROW = f"SELECT row FROM sessions WHERE {_LIVE}"
_GET = f"SELECT {_COLUMNS} FROM sessions WHERE {_LIVE}"
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
    (name, user, title, metadata, created, active, ttl, expires, messages, tokens, last) = columns
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
        last_seq=last,
    )


def find_row(connection: sqlite3.Connection, scope: Scope, session_id: str, now: int) -> int | None:
    """Return the row of a live session, or None if missing."""
    found = connection.execute(_FIND_ROW, _names(scope, session_id, now)).fetchone()
    return found[0] if found else None


def get(
    connection: sqlite3.Connection, *, scope: Scope, session_id: str, now: int
) -> Session | None:
    """Return a live session, or None if missing."""
    found = connection.execute(_GET, _names(scope, session_id, now)).fetchone()
    return _to_session(found) if found else None


def create(connection: sqlite3.Connection, *, scope: Scope, session: Session, now: int) -> Session:
    """Insert a session, empty; one with its id that has expired makes room."""
    if not scope.reaches(session.user_id):
        raise AccessDeniedError(
            f"session {session.id} would belong to another user than the scope names"
        )
    found = connection.execute(
        "SELECT row, user_id, expires_at FROM sessions WHERE tenant = ? AND id = ?",
        (scope.tenant, session.id),
    ).fetchone()
    if found is not None:
        row, user_id, expires_at = found
        if expires_at is None or expires_at > now:
            raise ConflictError(
                f"session {session.id} already exists: choose another id, or leave the id out to "
                "get a fresh one"
            )
        _remove(connection, scope.tenant, session.id, user_id, row)
    connection.execute(
        "INSERT INTO sessions (tenant, id, user_id, title, metadata, created_at, last_active_at, "
        "ttl, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            scope.tenant,
            session.id,
            session.user_id,
            session.title,
            encode_json(session.metadata) if session.metadata else None,
            to_micros(session.created_at),
            to_micros(session.last_active_at),
            None if session.ttl is None else session.ttl // timedelta(microseconds=1),
            None if session.expires_at is None else to_micros(session.expires_at),
        ),
    )
    return msgspec.structs.replace(
        session,
        created_at=to_utc(session.created_at),
        last_active_at=to_utc(session.last_active_at),
        expires_at=None if session.expires_at is None else to_utc(session.expires_at),
        message_count=0,
        token_count=0,
        last_seq=0,
    )


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
    cursor = _make_cursor(items[-1]) if len(found) > limit else None
    return Page(items, cursor)


def _make_cursor(session: Session) -> str:
    rank = (to_micros(session.last_active_at), session.id)
    return b64encode(msgspec.json.encode(rank), altchars=b"-_").decode()


def parse_cursor(cursor: str | None) -> Start:
    """Return where a page starts.

    Raises:
        InvalidInputError: The text is not a cursor of this method.
    """
    if cursor is None:
        return None
    try:
        body = b64decode(cursor, altchars=b"-_", validate=True)
        return msgspec.json.decode(body, type=tuple[int, str])
    except (ValueError, msgspec.MsgspecError):
        raise InvalidInputError(
            "cursor: pass the cursor of the page before unchanged, or None for the first page"
        ) from None


def update(
    connection: sqlite3.Connection,
    *,
    scope: Scope,
    session_id: str,
    changes: SessionChanges,
    now: int,
) -> Session | None:
    """Set the named fields of a live session."""
    row = find_row(connection, scope, session_id, now)
    if row is None:
        return None
    if changes.title is not ...:
        connection.execute("UPDATE sessions SET title = ? WHERE row = ?", (changes.title, row))
    if changes.metadata is not ...:
        metadata = encode_json(changes.metadata) if changes.metadata else None
        connection.execute("UPDATE sessions SET metadata = ? WHERE row = ?", (metadata, row))
    if changes.ttl is not ...:
        ttl = None if changes.ttl is None else changes.ttl // timedelta(microseconds=1)
        connection.execute(
            "UPDATE sessions SET ttl = ?, expires_at = ? WHERE row = ?",
            (ttl, None if ttl is None else now + ttl, row),
        )
    return get(connection, scope=scope, session_id=session_id, now=now)


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
        f"SELECT row, user_id, message_count FROM sessions WHERE {_LIVE}",
        _names(scope, session_id, now),
    ).fetchone()
    if found is None or not found[2]:
        return 0
    row, user_id, count = found
    _remove_messages(connection, row)
    connection.execute(
        "UPDATE sessions SET first_seq = last_seq + 1, message_count = 0, token_count = 0, "
        "changes = changes + 1 "
        "WHERE row = ?",
        (row,),
    )
    mark_pending(connection, scope.tenant, session_id, user_id)
    return int(count)


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
    _remove_messages(connection, row)
    connection.execute("DELETE FROM sessions WHERE row = ?", (row,))
    connection.execute(_MARK_REMOVED, (tenant, session_id, user_id, row))


def _remove_messages(connection: sqlite3.Connection, row: int) -> None:
    bounds = (row * SPAN, row * SPAN + SPAN)
    connection.execute("DELETE FROM messages WHERE key > ? AND key < ?", bounds)
    connection.execute("DELETE FROM message_ids WHERE session = ?", (row,))


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
    roles = dict(
        connection.execute(
            "SELECT messages.role, count(*) FROM sessions JOIN messages "
            f"ON messages.key > sessions.row * {SPAN} "
            f"AND messages.key < (sessions.row + 1) * {SPAN} "
            f"WHERE {where} GROUP BY messages.role",
            names,
        ).fetchall()
    )
    by_role: dict[str, int] = {ROLES[number]: roles[number] for number in sorted(roles)}
    return SessionStats(
        session_count=count,
        message_count=sum(by_role.values()),
        turn_count=by_role.get("user", 0),
        token_count=tokens or 0,
        messages_by_role=by_role,
        first_at=moment_or_none(first),
        last_at=moment_or_none(last),
    )


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
