"""The half of the message log that is about sessions: make, find, change, fork, remove."""

from __future__ import annotations

from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.postgresql.binary_arrays import int4_array
from daybook.engines.postgresql.driver_errors import ENGINE, ParentChangedError
from daybook.engines.postgresql.pool import Pool
from daybook.engines.postgresql.session_rows import (
    SESSION_COLUMNS,
    StoredSession,
    life_columns,
    read_session,
)
from daybook.errors import ConflictError, InvalidInputError, StoreUnavailableError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.lineage import inherited_segments
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges
from daybook.model.session_codec import (
    decode_cursor,
    decode_session,
    encode_cursor,
    encode_session,
)
from daybook.model.session_rules import changed_session, check_fork, forked_session, fresh_session
from daybook.protocols.clock import Clock

__all__ = ["SessionLog", "check_first_seq", "id_taken", "user_bytes"]

_CREATE = (
    "SELECT number FROM {schema}.create_session(%b::bytea, %b::bytea, %b::bytea, %b::int8, "
    "%b::int8, %b::int8, %b::int8, %b::int8, %b::int4, %b::int8, %b::bytea)"
)
_GET = (
    f"SELECT {SESSION_COLUMNS} "
    "FROM {schema}.get_session(%b::bytea, %b::bytea, %b::bytea, %b::int8)"
)
_LIST = (
    f"SELECT {SESSION_COLUMNS} FROM {{schema}}.list_sessions("
    "%b::bytea, %b::bytea, %b::int8, %b::int8, %b::int8, %b::bytea)"
)
_UPDATE = (
    f"SELECT {SESSION_COLUMNS} FROM {{schema}}.update_session("
    "%b::bytea, %b::bytea, %b::bytea, %b::int8, %b::int4, %b::int4, "
    "%b::bytea, %b::int8, %b::int8, %b::int8, %b::bool, %b::int8)"
)
_DELETE = "SELECT {schema}.delete_session(%b::bytea, %b::bytea, %b::bytea, %b::int8)"
_CLEAR = "SELECT {schema}.clear_session(%b::bytea, %b::bytea, %b::bytea, %b::int8)"
_FORK_FACTS = (
    "SELECT "
    + ", ".join(f"(f.parent).{name}" for name in SESSION_COLUMNS.split(", "))
    + ", f.messages, f.tokens, f.roles FROM "
    "{schema}.fork_facts(%b::bytea, %b::bytea, %b::bytea, %b::int8, %b::int8) AS f"
)
_FORK = (
    "SELECT {schema}.fork_session(%b::bytea, %b::bytea, %b::bytea, %b::int8, "
    "%b::int4, %b::int4, %b::int4, %b::bytea, %b::bytea, %b::int8, %b::int8, %b::int8, %b::int8, "
    "%b::int8, %b::bytea, %b::int4, %b::int4, %b::int8, %b, %b, %b, %b)"
)

_ID_TAKEN = 2
_MOST_ATTEMPTS = 100
_MOST_SEQ = 2**31 - 1
_MOST_COUNT = 2**62


class SessionLog:
    """Sessions in the tables of one schema."""

    def __init__(self, pool: Pool, clock: Clock, capabilities: EngineCapabilities) -> None:
        self._pool = pool
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new, empty session."""
        made = check_first_seq(fresh_session(scope, session))
        created, active, expires, ttl, most, header = life_columns(made)
        arguments = (
            scope.tenant.encode(),
            made.user_id.encode(),
            made.id.encode(),
            self._now(),
            created,
            active,
            expires,
            ttl,
            made.first_seq,
            most,
            header,
        )
        row = await self._pool.one("create session", _CREATE, arguments)
        if row[0] is None:
            raise id_taken(made.id)
        return decode_session(header)  # its metadata is nobody's alias

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session, or None if missing."""
        stored = await self._get(scope, session_id)
        return None if stored is None else stored.session

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return live sessions, most recently active first."""
        active, last_id = decode_cursor(cursor) or (None, None)
        arguments = (
            scope.tenant.encode(),
            user_bytes(scope),
            self._now(),
            min(limit, _MOST_COUNT) + 1,
            active,
            None if last_id is None else last_id.encode(),
        )
        rows = await self._pool.fetch("list sessions", _LIST, arguments)
        items = [read_session(row).session for row in rows[:limit]]
        return Page(items, encode_cursor(items[-1]) if len(rows) > limit else None)

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Set the fields that `changes` names.

        The change is worked out here and written only if the session is still at the revision it
        was worked out from; otherwise once more.
        """
        for _ in range(_MOST_ATTEMPTS):
            stored = await self._get(scope, session_id)
            if stored is None:
                return None
            changed = changed_session(stored.session, changes, self._clock.now())
            _, active, expires, ttl, most, header = life_columns(changed)
            arguments = (
                *self._place(scope, session_id),
                stored.number,
                stored.revision,
                header,
                most,
                ttl,
                None if changes.last_active_at is ... else active,
                _moves_end(changes),
                expires,
            )
            rows = await self._pool.fetch("update session", _UPDATE, arguments)
            if rows:
                return read_session(rows[0]).session
        raise _contended("update session")

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session and all its messages; forks keep what they share."""
        row = await self._pool.one("delete session", _DELETE, self._place(scope, session_id))
        return bool(row[0])

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove all messages of a session, keep the session; forks keep what they share."""
        row = await self._pool.one("clear", _CLEAR, self._place(scope, session_id))
        return int(row[0])

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that reads another one's messages up to a place."""
        for _ in range(_MOST_ATTEMPTS):
            bound = None if at is None else min(max(at, -1), _MOST_SEQ)
            row = await self._pool.one(
                "fork session", _FORK_FACTS, (*self._place(scope, session_id), bound)
            )
            if row[0] is None:
                return None
            parent = read_session(row)
            place = check_fork(scope, parent.session, child, at)
            messages, tokens, roles = row[14:17]
            made = forked_session(
                scope, parent.session, child, place, messages=messages, tokens=tokens
            )
            arguments = (
                *self._place(scope, session_id),
                *_fork_arguments(parent, made, place, roles),
            )
            try:
                row = await self._pool.one("fork session", _FORK, arguments)
            except ParentChangedError:
                continue
            if row[0] == _ID_TAKEN:
                raise id_taken(made.id)
            return decode_session(encode_session(made))  # its metadata is nobody's alias
        raise _contended("fork session")

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    async def _get(self, scope: Scope, session_id: str) -> StoredSession | None:
        rows = await self._pool.fetch("get session", _GET, self._place(scope, session_id))
        return read_session(rows[0]) if rows else None

    def _place(self, scope: Scope, session_id: str) -> tuple[bytes, bytes | None, bytes, int]:
        """Return tenant, user, session and the time: what most functions begin with."""
        return scope.tenant.encode(), user_bytes(scope), session_id.encode(), self._now()

    def _now(self) -> int:
        return to_micros(self._clock.now())


def user_bytes(scope: Scope) -> bytes | None:
    """Return a scope's user as a column, None for all users of the tenant."""
    return None if scope.user_id is None else scope.user_id.encode()


def check_first_seq(session: Session) -> Session:
    """Return a new session whose numbers fit their column.

    Raises:
        InvalidInputError: Its first number is too high.
    """
    if session.first_seq > _MOST_SEQ:
        raise InvalidInputError(f"first_seq must be at most {_MOST_SEQ}")
    return session


def id_taken(session_id: str) -> ConflictError:
    """Return the error of a session id that is not free."""
    return ConflictError(f"session {session_id} is not free: choose another id")


def _moves_end(changes: SessionChanges) -> bool:
    return any(one is not ... for one in (changes.ttl, changes.last_active_at, changes.expires_at))


def _fork_arguments(
    parent: StoredSession, made: Session, at: int, roles: list[int]
) -> tuple[Any, ...]:
    """Return what `fork_session` takes beside the parent's place."""
    first = parent.session.first_seq
    segments = inherited_segments(parent.segments, parent.stream, at, first_seq=first)
    lasts = [segment.last_seq for segment in segments]
    created, active, expires, ttl, most, header = life_columns(made)
    lineage: tuple[Any, ...] = (None, None, None)
    if segments:
        lineage = (
            int4_array([segment.stream for segment in segments]),
            int4_array([first, *(last + 1 for last in lasts[:-1])]),
            int4_array(lasts),
        )
    return (
        parent.number,
        parent.stream,
        first,
        made.id.encode(),
        made.user_id.encode(),
        active,
        expires,
        ttl,
        created,
        most,
        header,
        at,
        made.message_count,
        made.token_count,
        int4_array(roles),
        *lineage,
    )


def _contended(operation: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        "others changed this session all the time; retry", engine=ENGINE, operation=operation
    )
