"""The message log on MongoDB. Method texts: `daybook.protocols.message_log`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from daybook.enginekit.times import to_micros
from daybook.engines.mongodb import listing, pending, session_writes
from daybook.engines.mongodb.append import AppendRequest, append
from daybook.engines.mongodb.connection import Connections, Document
from daybook.engines.mongodb.fork import ForkRequest, fork
from daybook.engines.mongodb.header import to_session
from daybook.engines.mongodb.reading import Wanted, read
from daybook.engines.mongodb.session_cache import SessionCache
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.model.session_codec import decode_cursor
from daybook.model.session_rules import first_in_view
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = ["MongoMessageLog"]

_NO_BOUND = 1 << 62


class MongoMessageLog:
    """Sessions and messages in one database."""

    def __init__(
        self, connections: Connections, clock: Clock, capabilities: EngineCapabilities
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._capabilities = capabilities
        self._cache = SessionCache()

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new, empty session."""
        async with self._connections.call("create session") as handles:
            return await session_writes.create(handles, scope, session, self._now())

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session, or None if missing."""
        async with self._connections.call("get session") as handles:
            header = await session_writes.find_live(handles, scope, session_id, self._now())
            return None if header is None else to_session(header)

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return live sessions, most recently active first."""
        start = decode_cursor(cursor)
        async with self._connections.call("list sessions") as handles:
            return await listing.page(handles, scope, limit=limit, start=start, now=self._now())

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Set the fields that `changes` names."""
        now = self._clock.now()
        async with self._connections.call("update session") as handles:
            return await session_writes.update(handles, scope, session_id, changes, now)

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session and all its messages."""
        async with self._connections.call("delete session") as handles:
            return await session_writes.delete(handles, scope, session_id, self._now())

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that shares another one's messages up to a place."""
        request = ForkRequest(scope, session_id, child, at, self._now())
        async with self._connections.call("fork session") as handles:
            return await fork(handles, request)

    async def append(
        self,
        scope: Scope,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        create: Session | None = None,
    ) -> AppendResult | None:
        """Add messages to the end of a session."""
        request = AppendRequest(scope, session_id, tuple(entries), create, self._now())
        async with self._connections.call("append") as handles:
            return await append(handles, request, self._cache)

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

        def bounds(header: Document) -> tuple[int, int]:
            low = max(after, header["first"] - 1)
            if view:
                low = max(low, first_in_view(to_session(header)) - 1)
            high = min(_NO_BOUND if before is None else before, header["last"] + 1)
            if limit is not None and newest_first:
                low = max(low, high - 1 - limit)
            elif limit is not None:
                high = min(high, low + 1 + limit)
            return low, high

        async with self._connections.call("read") as handles:
            [found] = await read(handles, scope, [Wanted(session_id, bounds)], self._now())
        return found[::-1] if newest_first else found

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places in one trip."""

        def bounds(first: int, last: int, _: Document) -> tuple[int, int]:
            return first - 1, last + 1

        wanted = [Wanted(name, partial(bounds, first, last)) for name, first, last in places]
        async with self._connections.call("read") as handles:
            return await read(handles, scope, wanted, self._now()) if wanted else []

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove all messages of a session, keep the session."""
        async with self._connections.call("clear") as handles:
            return await session_writes.clear(handles, scope, session_id, self._now())

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts over one session or over all of the scope."""
        async with self._connections.call("stats") as handles:
            return await listing.stats(handles, scope, session_id, self._now())

    async def tenants(self) -> list[str]:
        """Return the tenants that have sessions."""
        async with self._connections.call("tenants") as handles:
            return await listing.tenants(handles)

    async def sweep(self, now: datetime) -> int:
        """Remove what expired up to `now`."""
        removed = 0
        while True:
            async with self._connections.call("sweep") as handles:
                some = await listing.sweep_some(handles, to_micros(now))
            if some is None:
                return removed
            removed += some

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what of a session can be read."""
        async with self._connections.call("span") as handles:
            header = await session_writes.find_live(handles, scope, session_id, self._now())
        if header is None:
            return None
        return SessionSpan(header["u"], header["first"], header["last"], header["inc"])

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return sessions with changes that no `settle` has covered."""
        async with self._connections.call("pending") as handles:
            return await pending.pending(handles, limit=limit, scope=scope)

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget these marks, each unless its session changed again since."""
        async with self._connections.call("settle") as handles:
            await pending.settle(handles, settled)

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _now(self) -> int:
        return to_micros(self._clock.now())
