"""The message log in files. Method texts: `daybook.protocols.message_log`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from daybook.engines.file.append_round import AppendRequest
from daybook.engines.file.marks import Marks
from daybook.engines.file.message_reads import MessageReads
from daybook.engines.file.reader_pool import ReaderPool
from daybook.engines.file.session_jobs import SessionJobs
from daybook.engines.file.tenant_names import TenantNames
from daybook.engines.file.writer import Writer
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = ["FileMessageLog"]


class FileMessageLog:
    """Sessions and messages, a file for each session."""

    def __init__(
        self,
        *,
        writer: Writer[AppendRequest, AppendResult | None],
        readers: ReaderPool,
        jobs: SessionJobs,
        reads: MessageReads,
        marks: Marks,
        tenants: TenantNames,
        clock: Clock,
        capabilities: EngineCapabilities,
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._jobs = jobs
        self._reads = reads
        self._marks = marks
        self._tenants = tenants
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new, empty session."""
        job = partial(self._jobs.create, scope, session, self._clock.now())
        return await self._writer.run(job, "create session")

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session, or None if missing."""
        job = partial(self._reads.get, scope, session_id, self._clock.now())
        return await self._readers.run(job, "get session")

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return live sessions, most recently active first. Cost: a look at each of the scope."""
        job = partial(self._jobs.page, scope, limit=limit, cursor=cursor, now=self._clock.now())
        return await self._readers.run(job, "list sessions")

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Set fields of a session."""
        job = partial(self._jobs.update, scope, session_id, changes, self._clock.now())
        return await self._writer.run(job, "update session")

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session and all its messages that no fork shows."""
        job = partial(self._jobs.delete, scope, session_id, self._clock.now())
        return await self._writer.run(job, "delete session")

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that shares another one's messages up to a place."""
        job = partial(self._jobs.fork, scope, session_id, child, at, self._clock.now())
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
        request = AppendRequest(scope, session_id, entries, create, self._clock.now())
        return await self._writer.run_together(request, "append")

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
        """Return a window of messages."""
        job = partial(
            self._reads.read,
            scope,
            session_id,
            now=self._clock.now(),
            after=after,
            before=before,
            limit=limit,
            newest_first=newest_first,
            view=view,
        )
        return await self._readers.run(job, "read")

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places."""
        job = partial(self._reads.read_at, scope, places, self._clock.now())
        return await self._readers.run(job, "read")

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove a session's messages."""
        job = partial(self._jobs.clear, scope, session_id, self._clock.now())
        return await self._writer.run(job, "clear")

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts over one session or all of the scope."""
        job = partial(self._jobs.stats, scope, session_id, self._clock.now())
        return await self._readers.run(job, "stats")

    async def tenants(self) -> list[str]:
        """Return the tenants of the store."""
        return await self._readers.run(self._tenants.every, "tenants")

    async def sweep(self, now: datetime) -> int:
        """Remove expired sessions, and what a crash left of removed ones."""
        expired = await self._readers.run(partial(self._jobs.expired, now), "sweep")
        removed = 0
        for scope, session_id in expired:
            job = partial(self._jobs.remove_expired, scope, session_id, now)
            removed += await self._writer.run(job, "sweep")
        await self._writer.run(self._jobs.tidy, "sweep")
        return removed

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what of a session can be read."""
        job = partial(self._jobs.span, scope, session_id, self._clock.now())
        return await self._readers.run(job, "span")

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return sessions with changes that no `settle` has covered."""
        return await self._readers.run(
            partial(self._marks.pending, limit=limit, scope=scope), "pending"
        )

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget marks that nothing newer has replaced."""
        for one in settled:
            await self._writer.run(partial(self._marks.settle, one), "settle")

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""
