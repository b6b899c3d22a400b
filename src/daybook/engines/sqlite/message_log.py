"""The message log on SQLite. Method texts: `daybook.protocols.message_log`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from daybook.enginekit.times import to_micros
from daybook.engines.sqlite import session_jobs, stream_jobs
from daybook.engines.sqlite.append_job import APPEND, AppendRequest
from daybook.engines.sqlite.reader_pool import ReaderPool
from daybook.engines.sqlite.schema import SPAN
from daybook.engines.sqlite.stream_jobs import Stream
from daybook.engines.sqlite.writer import Writer
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.model.session_codec import decode_cursor
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = ["SQLiteMessageLog"]


class SQLiteMessageLog:
    """Sessions and messages in one SQLite file."""

    def __init__(
        self, writer: Writer, readers: ReaderPool, clock: Clock, capabilities: EngineCapabilities
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new, empty session."""
        job = partial(session_jobs.create, scope=scope, session=session, now=self._now())
        return await self._writer.run(job, "create session")

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session, or None if missing."""
        job = partial(session_jobs.get, scope=scope, session_id=session_id, now=self._now())
        return await self._readers.run(job, "get session")

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return live sessions, most recently active first."""
        start = decode_cursor(cursor)
        job = partial(session_jobs.page, scope=scope, limit=limit, start=start, now=self._now())
        return await self._readers.run(job, "list sessions")

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Set title, metadata or ttl."""
        job = partial(
            session_jobs.update,
            scope=scope,
            session_id=session_id,
            changes=changes,
            now=self._now(),
        )
        return await self._writer.run(job, "update session")

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session and all its messages in one transaction."""
        job = partial(session_jobs.delete, scope=scope, session_id=session_id, now=self._now())
        return await self._writer.run(job, "delete session")

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that reads another one's messages up to a place."""
        job = partial(
            session_jobs.fork,
            scope=scope,
            session_id=session_id,
            child=child,
            at=at,
            now=self._now(),
        )
        return await self._writer.run(job, "fork session")

    async def append(
        self,
        scope: Scope,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        create: Session | None = None,
    ) -> AppendResult | None:
        """Add messages to the end of a session."""
        request = AppendRequest(scope, session_id, entries, create, self._now())
        return await self._writer.run_grouped(APPEND, request, "append")

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
        now = self._now()

        def job(connection: sqlite3.Connection) -> list[StoredEntry]:
            stream = session_jobs.find_stream(connection, scope, session_id, now)
            if stream is None:
                return []
            low = max(after, stream.hidden) if view else max(after, 0)
            return stream_jobs.read(
                connection,
                stream,
                after=min(low, SPAN - 1),
                before=SPAN if before is None else min(max(before, 0), SPAN),
                limit=-1 if limit is None else limit,
                newest_first=newest_first,
            )

        return await self._readers.run_at_one_moment(job, "read")

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places in one trip."""
        now = self._now()

        def job(connection: sqlite3.Connection) -> list[list[StoredEntry]]:
            streams: dict[str, Stream | None] = {}
            answer: list[list[StoredEntry]] = []
            for session_id, first, last in places:
                if session_id not in streams:
                    found = session_jobs.find_stream(connection, scope, session_id, now)
                    streams[session_id] = found
                stream = streams[session_id]
                after, before = max(first, 1) - 1, min(last, SPAN - 2) + 1
                answer.append(
                    []
                    if stream is None
                    else stream_jobs.read(connection, stream, after=after, before=before)
                )
            return answer

        return await self._readers.run_at_one_moment(job, "read")

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove all messages of a session, keep the session."""
        job = partial(session_jobs.clear, scope=scope, session_id=session_id, now=self._now())
        return await self._writer.run(job, "clear")

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts over one session or over all of the scope."""
        job = partial(session_jobs.stats, scope=scope, session_id=session_id, now=self._now())
        return await self._readers.run_at_one_moment(job, "stats")

    async def tenants(self) -> list[str]:
        """Return the tenants that have sessions."""
        return await self._readers.run(session_jobs.tenants, "tenants")

    async def sweep(self, now: datetime) -> int:
        """Remove what expired up to `now`."""
        job = partial(session_jobs.sweep, now=to_micros(now))
        return await self._writer.run(job, "sweep")

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what of a session can be read."""
        job = partial(session_jobs.span, scope=scope, session_id=session_id, now=self._now())
        return await self._readers.run(job, "span")

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return sessions with changes that no `settle` has covered."""
        job = partial(session_jobs.pending, limit=limit, scope=scope)
        return await self._readers.run(job, "pending")

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget these marks, each unless its session changed again since."""
        job = partial(session_jobs.settle, settled=settled)
        await self._writer.run(job, "settle")

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _now(self) -> int:
        return to_micros(self._clock.now())
