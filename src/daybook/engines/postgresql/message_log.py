"""The message log on PostgreSQL. Method texts: `daybook.protocols.message_log`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from daybook.enginekit.packed_bodies import unpack_body
from daybook.enginekit.times import moment_or_none, to_micros
from daybook.engines.postgresql.append_batch import Batch, batch_of
from daybook.engines.postgresql.binary_arrays import bytea_array, int8_array
from daybook.engines.postgresql.driver_errors import RepeatedError
from daybook.engines.postgresql.pool import Pool
from daybook.engines.postgresql.schema_tables import PARTITIONS
from daybook.engines.postgresql.session_log import (
    SessionLog,
    check_first_seq,
    id_taken,
    user_bytes,
)
from daybook.engines.postgresql.session_places import SessionPlace, SessionPlaces, place_of
from daybook.engines.postgresql.session_rows import life_columns
from daybook.errors import ConflictError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.message import ROLES
from daybook.model.scope import Scope
from daybook.model.session import Session, SessionStats
from daybook.model.session_rules import fresh_session
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = ["PostgreSQLMessageLog"]

_APPEND = tuple(
    f"SELECT * FROM {{schema}}.append_{part}(%b::bytea, %b::bytea, %b::bytea, %b::int8, "
    "%b::int4, %b::int4, %b, %b, %b, %b, %b::int8, %b)"
    for part in range(PARTITIONS)
)
_APPEND_KNOWN = (
    "SELECT * FROM {schema}.append_known(%b::bytea, %b::bytea, %b::bytea, %b::int8, "
    "%b, %b, %b, %b, %b::bytea, %b::int8, %b::int8, %b::int8, %b::int8, %b::int4, %b::int8, "
    "%b::bytea)"
)
_READ = (
    "SELECT * FROM {schema}.read_packed(%b::bytea, %b::bytea, %b::bytea, %b::int8, "
    "%b::int8, %b::int8, %b::int8, %b::bool, %b::bool)"
)
_READ_PART = tuple(
    f"SELECT * FROM {{schema}}.read_packed_{part}(%b::bytea, %b::bytea, %b::bytea, %b::int8, "
    "%b::int4, %b::int4, %b::int8, %b::int8, %b::int8, %b::bool, %b::bool)"
    for part in range(PARTITIONS)
)
_READ_AT = "SELECT * FROM {schema}.read_packed_places(%b::bytea, %b::bytea, %b::int8, %b, %b, %b)"
_STATS = "SELECT * FROM {schema}.count_sessions(%b::bytea, %b::bytea, %b::bytea, %b::int8)"
_SPAN = (
    "SELECT user_id, first_seq, last_seq, number "
    "FROM {schema}.get_session(%b::bytea, %b::bytea, %b::bytea, %b::int8)"
)
_TENANTS = "SELECT * FROM {schema}.list_tenants() AS tenant"
_SWEEP = "SELECT {schema}.sweep_sessions(%b::int8, %b::int4)"
_PENDING = "SELECT * FROM {schema}.list_pending(%b::bytea, %b::bytea, %b::int8)"
_SETTLE = "SELECT {schema}.settle(%b, %b, %b, %b)"

_STORED, _MISSING, _CLASH, _TAKEN = range(4)
_NOT_HERE = -1
_END = 2**31
_SWEPT_AT_ONCE = 200


class PostgreSQLMessageLog(SessionLog):
    """Sessions and messages in the tables of one schema."""

    def __init__(self, pool: Pool, clock: Clock, capabilities: EngineCapabilities) -> None:
        super().__init__(pool, clock, capabilities)
        self._places = SessionPlaces()

    async def append(
        self,
        scope: Scope,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        create: Session | None = None,
    ) -> AppendResult | None:
        """Add messages to the end of a session, in one statement if all of them are new."""
        made = None if create is None else check_first_seq(fresh_session(scope, create))
        batch = batch_of(entries)
        if batch.clash is not None:
            if made is None and await self.get_session(scope, session_id) is None:
                return None
            raise _other_body(batch.clash, session_id)
        place = self._places.get((scope.tenant, session_id))
        if place is not None and (made is None or made.user_id == place.user_id):
            try:
                result = await self._append_new(scope, session_id, batch, place)
            except RepeatedError:
                result = None
            if result is not None:
                return result
        return await self._append_known(scope, session_id, batch, made)

    async def _append_new(
        self, scope: Scope, session_id: str, batch: Batch, place: SessionPlace
    ) -> AppendResult | None:
        """Append to a session whose place is known; None if it is not there any more."""
        if not scope.reaches(place.user_id):
            return None
        arguments = (
            *_known_place(scope, session_id, place, self._now()),
            *batch.columns,
            batch.tokens,
            batch.roles,
        )
        status, last, *_ = await self._pool.one("append", _APPEND[place.part], arguments)
        if status == _MISSING:
            self._places.drop((scope.tenant, session_id))
            return None
        first = last - len(batch.ids) + 1
        return AppendResult(first, last, batch.repeated, place.user_id)

    async def _append_known(
        self, scope: Scope, session_id: str, batch: Batch, made: Session | None
    ) -> AppendResult | None:
        """Append what is not stored yet, looking first; `made` is created if it is missing."""
        new: tuple[Any, ...] = (None,) * 8
        if made is not None:
            *life, most, header = life_columns(made)
            new = (made.user_id.encode(), *life, made.first_seq, most, header)
        arguments = (*self._place(scope, session_id), *batch.columns, *new)
        row = await self._pool.one("append", _APPEND_KNOWN, arguments)
        if row[0] == _MISSING:
            return None
        if row[0] == _CLASH:
            raise _other_body(batch.ids[row[1] - 1], session_id)
        if row[0] == _TAKEN:
            raise id_taken(session_id)
        _, first, last, duplicates, user, owner, number, part, *_ = row
        place = SessionPlace(user.decode(), user, owner, number, part)
        self._places.keep((scope.tenant, session_id), place)
        return AppendResult(first, last, duplicates + batch.repeated, place.user_id)

    async def read(
        self,
        scope: Scope,
        session_id: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        view: bool = False,
    ) -> list[StoredEntry]:
        """Return messages with ``after < seq < before``."""
        window = (
            _bounded(after),
            _END if before is None else _bounded(before),
            None if limit is None else _bounded(limit),
            newest_first,
            view,
        )
        name = (scope.tenant, session_id)
        place = self._places.get(name)
        if place is not None and scope.reaches(place.user_id):
            known = (*_known_place(scope, session_id, place, self._now()), *window)
            rows = await self._pool.fetch_marked("read", _READ_PART[place.part], known)
            if not rows or rows[0][0] != _NOT_HERE:
                return _entries(rows)
        arguments = (*self._place(scope, session_id), *window)
        rows = await self._pool.fetch_marked("read", _READ, arguments)
        if rows:
            self._places.keep(name, place_of(rows[0][1], rows[0][3]))
        return _entries(rows[1:])

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places in one trip."""
        arguments = (
            scope.tenant.encode(),
            user_bytes(scope),
            self._now(),
            bytea_array([session_id.encode() for session_id, _, _ in places]),
            int8_array([_bounded(first) for _, first, _ in places]),
            int8_array([_bounded(last) for _, _, last in places]),
        )
        answer: list[list[StoredEntry]] = [[] for _ in places]
        rows = await self._pool.fetch_marked("read", _READ_AT, arguments)
        entries = _entries([row[1:] for row in rows])
        for row, entry in zip(rows, entries, strict=True):
            answer[row[0] - 1].append(entry)
        return answer

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts over one session or over all of the scope."""
        name = None if session_id is None else session_id.encode()
        arguments = (scope.tenant.encode(), user_bytes(scope), name, self._now())
        row = await self._pool.one("stats", _STATS, arguments)
        sessions, tokens, first_at, last_at, *counts = row[:8]
        if session_id is not None and not sessions:
            return None
        by_role: dict[str, int] = {
            role: count for role, count in zip(ROLES, counts, strict=True) if count
        }
        return SessionStats(
            session_count=sessions,
            message_count=sum(by_role.values()),
            turn_count=by_role.get("user", 0),
            token_count=tokens,
            messages_by_role=by_role,
            first_at=moment_or_none(first_at),
            last_at=moment_or_none(last_at),
        )

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what of a session can be read."""
        rows = await self._pool.fetch("span", _SPAN, self._place(scope, session_id))
        return SessionSpan(rows[0][0].decode(), *rows[0][1:4]) if rows else None

    async def tenants(self) -> list[str]:
        """Return the tenants that have had sessions."""
        return [row[0].decode() for row in await self._pool.fetch("tenants", _TENANTS)]

    async def sweep(self, now: datetime) -> int:
        """Remove what expired up to `now`, some at a time."""
        removed = 0
        while True:
            row = await self._pool.one("sweep", _SWEEP, (to_micros(now), _SWEPT_AT_ONCE))
            count: int = row[0]
            removed += count
            if count < _SWEPT_AT_ONCE:
                return removed

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return sessions with changes that no `settle` has covered."""
        whose = (None, None) if scope is None else (scope.tenant.encode(), user_bytes(scope))
        rows = await self._pool.fetch("pending", _PENDING, (*whose, _bounded(limit)))
        return [
            PendingSession(tenant.decode(), user.decode(), session_id.decode(), mark)
            for tenant, user, session_id, mark in rows
        ]

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget these marks, each unless its session changed again since."""
        arguments = (
            bytea_array([one.tenant.encode() for one in settled]),
            bytea_array([one.user_id.encode() for one in settled]),
            bytea_array([one.session_id.encode() for one in settled]),
            int8_array([one.mark for one in settled]),
        )
        await self._pool.one("settle", _SETTLE, arguments)


def _known_place(
    scope: Scope, session_id: str, place: SessionPlace, now: int
) -> tuple[bytes, bytes, bytes, int, int, int]:
    return (
        scope.tenant.encode(),
        place.user,
        session_id.encode(),
        now,
        place.owner,
        place.number,
    )


def _entries(rows: Sequence[tuple[Any, ...]]) -> list[StoredEntry]:
    """Return messages of rows of number, role with tokens, id, body, and the pool's columns."""
    return [
        StoredEntry(seq, unpack_body(ROLES[meta & 3], message_id, body), meta >> 2)
        for seq, meta, message_id, body, _, _ in rows
    ]


def _bounded(number: int) -> int:
    """Return a bound that fits the column and means the same."""
    return min(max(number, 0), _END)


def _other_body(message_id: str, session_id: str) -> ConflictError:
    return ConflictError(
        f"message {message_id} is already in session {session_id} with another body; nothing of "
        "this batch was stored: give the new message its own id"
    )
