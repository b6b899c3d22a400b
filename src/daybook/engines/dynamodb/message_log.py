"""The message log on DynamoDB. Method texts: `daybook.protocols.message_log`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from daybook.engines.dynamodb import fork_job, hints, marks, read_jobs, session_jobs, trash
from daybook.engines.dynamodb.append_group import AppendJob
from daybook.engines.dynamodb.appender import Appender
from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.worker import Worker
from daybook.errors import DaybookError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = ["DynamoDBMessageLog"]

T = TypeVar("T")


class DynamoDBMessageLog:
    """Sessions and messages in one table."""

    def __init__(
        self, worker: Worker, clock: Clock, capabilities: EngineCapabilities, tenants: set[str]
    ) -> None:
        self._worker = worker
        self._clock = clock
        self._capabilities = capabilities
        self._tenants = tenants
        self._appender = Appender(worker, tenants)

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new session."""
        return await self._run(
            "create_session",
            lambda calls: session_jobs.create(
                calls, scope, session, self._clock.now(), self._tenants
            ),
        )

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session."""
        now = self._clock.now()
        return await self._run(
            "get_session", lambda calls: session_jobs.find(calls, scope, session_id, now)
        )

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return a page of sessions: all heads of the scope are read and sorted."""
        now = self._clock.now()
        return await self._run(
            "list_sessions", lambda calls: session_jobs.page(calls, scope, now, limit, cursor)
        )

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Change a session."""
        now = self._clock.now()
        return await self._run(
            "update_session",
            lambda calls: session_jobs.update(calls, scope, session_id, changes, now),
        )

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session."""
        now = self._clock.now()
        return await self._run(
            "delete_session", lambda calls: session_jobs.delete(calls, scope, session_id, now)
        )

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that begins with another one's messages."""
        job = partial(
            fork_job.fork,
            scope=scope,
            session_id=session_id,
            child=child,
            at=at,
            now=self._clock.now(),
            tenants=self._tenants,
        )
        return await self._run("fork_session", job)

    async def append(
        self,
        scope: Scope,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        create: Session | None = None,
    ) -> AppendResult | None:
        """Add messages; appends that wait for one session share a commit."""
        job = AppendJob(scope, session_id, tuple(entries), create, self._clock.now())
        return await self._appender.append(job)

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
        window = read_jobs.Window(after, before, limit, newest_first, view)
        now = self._clock.now()
        return await self._run(
            "read", lambda calls: read_jobs.read(calls, scope, session_id, window, now)
        )

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places."""
        now = self._clock.now()
        return await self._run(
            "read_at", lambda calls: read_jobs.read_at(calls, scope, places, now)
        )

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove a session's messages."""
        now = self._clock.now()
        return await self._run(
            "clear", lambda calls: session_jobs.clear(calls, scope, session_id, now)
        )

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts."""
        now = self._clock.now()
        return await self._run(
            "stats", lambda calls: session_jobs.stats(calls, scope, session_id, now)
        )

    async def tenants(self) -> list[str]:
        """Return the tenants that ever had data."""
        return await self._run("tenants", hints.tenants)

    async def sweep(self, now: datetime) -> int:
        """Remove expired sessions, then whatever interrupted calls left behind."""

        def job(calls: Calls) -> int:
            ended = session_jobs.sweep(calls, now)
            try:
                trash.empty_trash(calls.early())
                marks.forget_void_marks(calls.early())
            except DaybookError as exc:
                calls.postpone(exc)
            return ended

        return await self._run("sweep", job)

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what can be read."""
        now = self._clock.now()
        return await self._run(
            "span", lambda calls: session_jobs.span(calls, scope, session_id, now)
        )

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return unsettled changes."""
        return await self._run("pending", lambda calls: marks.pending_sessions(calls, limit, scope))

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget marks that nothing newer replaced."""
        await self._run("settle", lambda calls: marks.settle(calls, settled))

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    async def _run(self, operation: str, job: Callable[[Calls], T]) -> T:
        return await self._worker.run(job, operation)
