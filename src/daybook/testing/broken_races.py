"""Stores that are sound while one caller at a time uses them, and calls run to their end.

`LOG_RACE_DOUBLES` and `RECORD_RACE_DOUBLES` name the tests that must convict them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from daybook.errors import ConflictError
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore
from daybook.testing.broken_logs import LastCreatorWins, LogDouble
from daybook.testing.broken_records import RecordDouble, VersionCheckedTooEarly

__all__ = ["LOG_RACE_DOUBLES", "RECORD_RACE_DOUBLES"]


class TornBatch(LogDouble):
    """A batch is several writes, and others get in between."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Append one by one; claim that they stand together."""
        first = await self.inner.append(scope, session_id, entries[:1], **rest)
        for one in entries[1:]:
            await asyncio.sleep(0)
            await self.inner.append(scope, session_id, [one], **rest)
        return first and replace(first, last_seq=first.first_seq + len(entries) - 1)


class StaleCache(LogDouble):
    """Every other read is answered from the one before."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.cache: dict[str, list[StoredEntry]] = {}

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Fill the cache or empty it."""
        if session_id in self.cache:
            return self.cache.pop(session_id)
        self.cache[session_id] = await self.inner.read(scope, session_id, **rest)
        return self.cache[session_id]


class HalfRead(LogDouble):
    """A read is two reads."""

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Put together what was there at two moments."""
        found = await self.inner.read(scope, session_id, **rest)
        await asyncio.sleep(0)
        half = len(found) // 2
        return [*found[:half], *(await self.inner.read(scope, session_id, **rest))[half + 1 :]]


class StaleFork(LogDouble):
    """A fork is made where the parent ended when it was last looked at."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.ends: dict[str, int] = {}

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Believe the first answer for ever."""
        span = await self.inner.span(scope, session_id)
        if at is None and span is not None:
            at = self.ends.setdefault(session_id, span.last_seq)
        return await self.inner.fork_session(scope, session_id, child, at=at)


class SlowCreate(LogDouble):
    """A session that is missing is made in one step and written to in another."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Look, wait, take."""
        missing = await self.inner.span(scope, session_id) is None
        await asyncio.sleep(0)
        if missing:
            await self.inner.delete_session(scope, session_id)
        return await self.inner.append(scope, session_id, entries, **rest)


class OfOneLoop(LogDouble):
    """A log belongs to the event loop that first used it."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.home: asyncio.AbstractEventLoop | None = None

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Fail as asyncio's own objects do."""
        here = asyncio.get_running_loop()
        self.home = self.home or here
        if self.home is not here:
            raise RuntimeError("attached to a different loop")
        return await self.inner.read(scope, session_id, **rest)


class RetryRace(LogDouble):
    """Whether a message is stored, and storing it, are two steps."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Look, wait, and store under another id what was not there."""
        bodies = {one.body for one in await self.inner.read(scope, session_id)}
        known = all(one.body in bodies for one in entries)
        await asyncio.sleep(0)
        if known:
            return await self.inner.append(scope, session_id, entries, **rest)
        try:
            result = await self.inner.append(scope, session_id, entries, **rest)
        except ConflictError:
            return None
        if result is None or not result.duplicates:
            return result
        fresh = [replace(one, id=f"{one.id}~{result.last_seq}") for one in entries]
        return await self.inner.append(scope, session_id, fresh, **rest)


class HalfOnCancel(LogDouble):
    """What a cancelled append had written by then stays."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Write a part, wait for the server, write the whole."""
        if len(entries) > 1:
            await self.inner.append(scope, session_id, entries[:1], **rest)
            await asyncio.sleep(0)
        result = await self.inner.append(scope, session_id, entries, **rest)
        return result and replace(result, duplicates=max(0, result.duplicates - 1))


class LateReply(LogDouble):
    """Calls share a connection, and a reply that nobody waits for any more stays on it."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.replies: deque[list[StoredEntry]] = deque()

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Send, wait, take the oldest reply."""
        self.replies.append(await self.inner.read(scope, session_id, **rest))
        await asyncio.sleep(0)
        return self.replies.popleft()


class StuckAfterCancel(LogDouble):
    """A cancelled call leaves the log locked for everybody."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.held = False

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Take a lock that is given back only by who gets that far."""
        if self.held:
            raise ConflictError("locked")
        self.held = True
        await asyncio.sleep(0)
        found = await self.inner.get_session(scope, session_id)
        self.held = False
        return found


class HalfPutOnCancel(RecordDouble):
    """What a cancelled put had written by then stays."""

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> list[MemoryRecord]:
        """Write one by one."""
        stored = list[MemoryRecord]()
        for one in records:
            stored += await self.inner.put(scope, [one])
            await asyncio.sleep(0)
        return stored


class LateRecordReply(RecordDouble):
    """Calls share a connection, and a reply that nobody waits for any more stays on it."""

    def __init__(self, inner: RecordStore) -> None:
        super().__init__(inner)
        self.replies: deque[list[MemoryRecord | None]] = deque()

    async def get(
        self, scope: Scope, places: Sequence[tuple[Namespace, str]]
    ) -> list[MemoryRecord | None]:
        """Send, wait, take the oldest reply."""
        self.replies.append(await self.inner.get(scope, places))
        await asyncio.sleep(0)
        return self.replies.popleft()


class SharedVersion(RecordDouble):
    """The version that is told is read before the write and counted on."""

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> list[MemoryRecord]:
        """Read, wait, write."""
        places = [(one.namespace, one.key) for one in records]
        before = await self.inner.get(scope, places)
        await asyncio.sleep(0)
        stored = await self.inner.put(scope, records)
        return [
            replace(kept, version=(one.version if one else 0) + 1)
            for kept, one in zip(stored, before, strict=True)
        ]


LOG_RACE_DOUBLES: dict[type[LogDouble], str] = {
    TornBatch: "test_a_crowd_sees_one_history",
    StaleCache: "test_a_crowd_sees_one_history",
    HalfRead: "test_a_crowd_sees_one_history",
    StaleFork: "test_a_crowd_sees_one_history",
    SlowCreate: "test_a_crowd_sees_one_history",
    OfOneLoop: "test_a_crowd_on_two_event_loops",
    LastCreatorWins: "test_creators_on_two_opened_logs",
    RetryRace: "test_what_is_delivered_several_times_is_stored_once",
    HalfOnCancel: "test_cancelled_calls_leave_nothing_half_done",
    LateReply: "test_cancelled_calls_leave_nothing_half_done",
    StuckAfterCancel: "test_cancelled_calls_leave_nothing_half_done",
}

RECORD_RACE_DOUBLES: dict[type[RecordDouble], str] = {
    VersionCheckedTooEarly: "test_one_of_many_writers_wins_each_version",
    SharedVersion: "test_unconditional_writers_all_get_a_version",
    HalfPutOnCancel: "test_cancelled_puts_are_whole_or_absent",
    LateRecordReply: "test_cancelled_puts_are_whole_or_absent",
}
