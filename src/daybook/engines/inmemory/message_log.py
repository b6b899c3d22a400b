"""The message log in memory: plain dictionaries under one lock.

It is the model that every other engine is compared with, so it is obvious before it is quick.
Nothing outlives the process. No method awaits anything while it holds the lock, so the log works
from any number of threads and event loops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import nsmallest
from itertools import islice
from threading import Lock

from daybook.engines.inmemory.capabilities import INMEMORY, check_open
from daybook.engines.inmemory.stored_session import StoredSession
from daybook.errors import ConflictError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.model.session_codec import activity_micros, decode_cursor, encode_cursor
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = ["InMemoryMessageLog"]

_Rank = tuple[int, str]


class InMemoryMessageLog:
    """`MessageLog` in memory; appends take the same time however long a session is."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._closed = False
        self._sessions: dict[tuple[str, str], StoredSession] = {}
        self._marks: dict[tuple[str, str, str], int] = {}
        self._changes = 0

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this engine promises."""
        return INMEMORY

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new session."""
        with self._lock:
            check_open(self._closed, "create_session")
            place = (scope.tenant, session.id)
            if self._live(place) is not None:
                raise ConflictError(f"session {session.id!r} is there already: choose another id")
            stored = StoredSession.start(scope, session)
            self._drop(place)
            self._sessions[place] = stored
            return stored.view()

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session."""
        with self._lock:
            stored = self._find(scope, session_id, "get_session")
            return None if stored is None else stored.view()

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return a page of sessions; the cursor holds the place of the last one returned."""
        place = decode_cursor(cursor)
        start = None if place is None else (-place[0], place[1])
        with self._lock:
            check_open(self._closed, "list_sessions")
            rest = (one for one in self._reached(scope) if start is None or _rank(one) > start)
            found = nsmallest(limit + 1, rest, key=_rank)
            page = found[:limit]
            more = encode_cursor(page[-1].header) if page and len(found) > limit else None
            return Page([stored.view() for stored in page], more)

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Change a session."""
        with self._lock:
            stored = self._find(scope, session_id, "update_session")
            if stored is None:
                return None
            stored.change(changes, self._clock.now())
            return stored.view()

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session; what is left of an expired one goes too."""
        with self._lock:
            check_open(self._closed, "delete_session")
            place = (scope.tenant, session_id)
            stored = self._sessions.get(place)
            if stored is None or not scope.reaches(stored.header.user_id):
                return False
            self._drop(place)
            return not stored.expired(self._clock.now())

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that begins with another one's messages."""
        with self._lock:
            parent = self._find(scope, session_id, "fork_session")
            if parent is None:
                return None
            fork = parent.fork(scope, child, at)
            place = (scope.tenant, child.id)
            if self._live(place) is not None:
                raise ConflictError(f"session {child.id!r} is there already: choose another id")
            self._drop(place)
            self._sessions[place] = fork
            self._mark(scope.tenant, fork)
            return fork.view()

    async def append(
        self,
        scope: Scope,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        create: Session | None = None,
    ) -> AppendResult | None:
        """Add messages; everything that can fail happens before the first change."""
        with self._lock:
            stored = self._find(scope, session_id, "append")
            if create is not None:
                stored = self._find_or_create(scope, create, entries)
            if stored is None:
                return None
            before = stored.header.last_seq
            result = stored.append(entries, self._clock.now())
            if stored.header.last_seq > before:
                self._mark(scope.tenant, stored)
            return result

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
        with self._lock:
            stored = self._find(scope, session_id, "read")
            window = [] if stored is None else stored.read(after, before, view=view)
        if newest_first:
            window.reverse()
        return window if limit is None else window[:limit]

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places."""
        with self._lock:
            check_open(self._closed, "read_at")
            found = [(self._find(scope, place[0], "read_at"), place) for place in places]
            return [
                [] if stored is None else stored.read(first - 1, last + 1)
                for stored, (_, first, last) in found
            ]

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove a session's messages."""
        with self._lock:
            stored = self._find(scope, session_id, "clear")
            if stored is None:
                return 0
            removed = stored.clear()
            if removed:
                self._mark(scope.tenant, stored)
            return removed

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts."""
        with self._lock:
            if session_id is None:
                check_open(self._closed, "stats")
                return _stats(self._reached(scope))
            stored = self._find(scope, session_id, "stats")
            return None if stored is None else _stats([stored])

    async def tenants(self) -> list[str]:
        """Return the tenants that have sessions."""
        with self._lock:
            check_open(self._closed, "tenants")
            return sorted({tenant for tenant, _ in self._sessions})

    async def sweep(self, now: datetime) -> int:
        """Remove expired sessions."""
        with self._lock:
            check_open(self._closed, "sweep")
            gone = [place for place, stored in self._sessions.items() if stored.expired(now)]
            for place in gone:
                self._drop(place)
            return len(gone)

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what can be read."""
        with self._lock:
            stored = self._find(scope, session_id, "span")
            if stored is None:
                return None
            header = stored.header
            return SessionSpan(
                header.user_id, header.first_seq, header.last_seq, stored.incarnation
            )

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return unsettled changes, in the order in which each session first changed."""
        with self._lock:
            check_open(self._closed, "pending")
            wanted = (
                PendingSession(tenant, user_id, session_id, mark)
                for (tenant, user_id, session_id), mark in self._marks.items()
                if scope is None or (scope.tenant == tenant and scope.reaches(user_id))
            )
            return list(islice(wanted, limit))

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget marks that are still the newest of their session."""
        with self._lock:
            check_open(self._closed, "settle")
            for one in settled:
                place = (one.tenant, one.user_id, one.session_id)
                if self._marks.get(place) == one.mark:
                    del self._marks[place]

    async def close(self) -> None:
        """Drop everything."""
        with self._lock:
            self._closed = True
            self._sessions.clear()
            self._marks.clear()

    def _live(self, place: tuple[str, str]) -> StoredSession | None:
        stored = self._sessions.get(place)
        return None if stored is None or stored.expired(self._clock.now()) else stored

    def _find(self, scope: Scope, session_id: str, operation: str) -> StoredSession | None:
        check_open(self._closed, operation)
        stored = self._live((scope.tenant, session_id))
        return stored if stored is not None and scope.reaches(stored.header.user_id) else None

    def _find_or_create(
        self, scope: Scope, create: Session, entries: Sequence[NewEntry]
    ) -> StoredSession:
        fresh = StoredSession.start(scope, create)
        place = (scope.tenant, create.id)
        live = self._live(place)
        if live is None:
            fresh.unknown(entries)
            self._drop(place)
            self._sessions[place] = live = fresh
        if live.header.user_id != create.user_id:
            raise ConflictError(f"session {create.id!r} is not free: choose another id")
        return live

    def _reached(self, scope: Scope) -> Iterator[StoredSession]:
        now = self._clock.now()
        for (tenant, _), stored in self._sessions.items():
            reached = tenant == scope.tenant and scope.reaches(stored.header.user_id)
            if reached and not stored.expired(now):
                yield stored

    def _mark(self, tenant: str, stored: StoredSession) -> None:
        self._changes += 1
        self._marks[tenant, stored.header.user_id, stored.header.id] = self._changes

    def _drop(self, place: tuple[str, str]) -> None:
        stored = self._sessions.pop(place, None)
        if stored is not None:
            self._mark(place[0], stored)


def _rank(stored: StoredSession) -> _Rank:
    return -activity_micros(stored.header), stored.header.id


def _stats(sessions: Iterable[StoredSession]) -> SessionStats:
    found = list(sessions)
    roles: Counter[str] = Counter()
    for stored in found:
        roles.update(stored.roles)
    return SessionStats(
        session_count=len(found),
        message_count=sum(stored.header.message_count for stored in found),
        turn_count=roles["user"],
        token_count=sum(stored.header.token_count for stored in found),
        messages_by_role={role: count for role, count in roles.items() if count},
        first_at=min((stored.header.created_at for stored in found), default=None),
        last_at=max((stored.header.last_active_at for stored in found), default=None),
    )
