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
from daybook.engines.mongodb.keys import session_key
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
        self._run = connections.run
        self._clock = clock
        self._capabilities = capabilities
        self._cache = SessionCache()

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new, empty session."""
        body = partial(session_writes.create, scope=scope, session=session, now=self._now())
        return await self._run("create session", body)

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session, or None if missing."""
        header = await self._find("get session", scope, session_id)
        return None if header is None else to_session(header)

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return live sessions, most recently active first."""
        start = decode_cursor(cursor)
        body = partial(listing.page, scope=scope, limit=limit, start=start, now=self._now())
        return await self._run("list sessions", body)

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Set the fields that `changes` names."""
        body = partial(
            session_writes.update,
            scope=scope,
            session_id=session_id,
            changes=changes,
            now=self._clock.now(),
        )
        return await self._run("update session", body)

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session and all its messages."""
        body = partial(session_writes.delete, scope=scope, session_id=session_id, now=self._now())
        return await self._run("delete session", body)

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that shares another one's messages up to a place."""
        request = ForkRequest(scope, session_id, child, at, self._now())
        return await self._run("fork session", partial(fork, request=request))

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
        body = partial(append, request=request, cache=self._cache)
        return await self._run("append", body, alone=session_key(scope.tenant, session_id))

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

        [found] = await self._read(scope, [Wanted(session_id, bounds)])
        return found[::-1] if newest_first else found

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places in one trip."""

        def bounds(first: int, last: int, _: Document) -> tuple[int, int]:
            return first - 1, last + 1

        return await self._read(
            scope, [Wanted(name, partial(bounds, first, last)) for name, first, last in places]
        )

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove all messages of a session, keep the session."""
        body = partial(session_writes.clear, scope=scope, session_id=session_id, now=self._now())
        return await self._run("clear", body)

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts over one session or over all of the scope."""
        body = partial(listing.stats, scope=scope, session_id=session_id, now=self._now())
        return await self._run("stats", body)

    async def tenants(self) -> list[str]:
        """Return the tenants that have sessions."""
        return await self._run("tenants", listing.tenants)

    async def sweep(self, now: datetime) -> int:
        """Remove what expired up to `now`, some hundred sessions in each call of the server."""
        body = partial(listing.sweep_some, now=to_micros(now))
        removed = 0
        while (some := await self._run("sweep", body)) is not None:
            removed += some
        return removed

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what of a session can be read."""
        header = await self._find("span", scope, session_id)
        if header is None:
            return None
        return SessionSpan(header["u"], header["first"], header["last"], header["inc"])

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return sessions with changes that no `settle` has covered."""
        return await self._run("pending", partial(pending.pending, limit=limit, scope=scope))

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget these marks, each unless its session changed again since."""
        await self._run("settle", partial(pending.settle, settled=tuple(settled)))

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    async def _find(self, operation: str, scope: Scope, session_id: str) -> Document | None:
        body = partial(
            session_writes.find_live, scope=scope, session_id=session_id, now=self._now()
        )
        return await self._run(operation, body)

    async def _read(self, scope: Scope, wanted: Sequence[Wanted]) -> list[list[StoredEntry]]:
        return await self._run("read", partial(read, scope=scope, wanted=wanted, now=self._now()))

    def _now(self) -> int:
        return to_micros(self._clock.now())
