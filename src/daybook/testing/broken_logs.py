"""Message logs that break one promise each: negative controls for the kit.

Each wraps a sound log. `LOG_DOUBLES` names the test that must convict it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from daybook.errors import ConflictError
from daybook.model.codec import decode_message
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session
from daybook.protocols.message_log import MessageLog, PendingSession

__all__ = ["LOG_DOUBLES", "LogDouble"]

_ALWAYS = datetime.min.replace(tzinfo=UTC)


class LogDouble:
    """A log that does what another does, except where a subclass breaks it."""

    def __init__(self, inner: MessageLog) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        """Hand everything else on."""
        return getattr(self.inner, name)


class LostUpdate(LogDouble):
    """Read, change, write back: of two that meet, one vanishes."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Believe that nobody wrote between reading and writing."""
        before = await self.inner.span(scope, session_id)
        await asyncio.sleep(0)
        after = await self.inner.span(scope, session_id)
        if before is not None and after is not None and before.last_seq != after.last_seq:
            first = before.last_seq + 1
            return AppendResult(first, before.last_seq + len(entries), 0, before.user_id)
        return await self.inner.append(scope, session_id, entries, **rest)


class DuplicateOnRetry(LogDouble):
    """A repeated message is stored again."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Make every id a new one."""
        span = await self.inner.span(scope, session_id)
        last = span.last_seq if span else 0
        fresh = [replace(one, id=f"{one.id}~{last + i}") for i, one in enumerate(entries)]
        return await self.inner.append(scope, session_id, fresh, **rest)


class DroppedTail(LogDouble):
    """The last message of a batch is acknowledged and lost."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Store all but one, report all."""
        kept = entries[:-1] if len(entries) > 1 else entries
        result = await self.inner.append(scope, session_id, kept, **rest)
        if result is None or len(kept) == len(entries):
            return result
        return replace(result, last_seq=result.last_seq + 1)


class PartialBatch(LogDouble):
    """A batch is many writes: a refused one leaves what came before it."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Append one by one."""
        results = [await self.inner.append(scope, session_id, [one], **rest) for one in entries]
        places = [one for one in results if one is not None]
        if not places:
            return None
        first = min(one.first_seq for one in places)
        last = max(one.last_seq for one in places)
        duplicates = sum(one.duplicates for one in places)
        return AppendResult(first, last, duplicates, places[0].user_id)


class ConflictIgnored(LogDouble):
    """Another body under a stored id is taken for a retry."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Report success whatever was stored."""
        try:
            return await self.inner.append(scope, session_id, entries, **rest)
        except ConflictError:
            return AppendResult(1, len(entries), len(entries), str(scope.user_id))


class SharedAlias(LogDouble):
    """Sessions are handed out as the very objects that are kept."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Keep the caller's own dictionary."""
        made = await self.inner.create_session(scope, session)
        self.kept[scope.tenant, session.id] = session.metadata
        return made

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Hand it out again."""
        found = await self.inner.get_session(scope, session_id)
        if found is None:
            return None
        return replace(found, metadata=self.kept.get((scope.tenant, session_id), found.metadata))


class LeakingUser(LogDouble):
    """Messages are read by session id alone, whoever asks."""

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Forget the user."""
        return await self.inner.read(Scope(scope.tenant), session_id, **rest)


class LeakingDelete(LogDouble):
    """Sessions are deleted by id alone, whoever asks."""

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Forget the user."""
        return await self.inner.delete_session(Scope(scope.tenant), session_id)


class LeakingTenant(LogDouble):
    """The list of sessions is filtered by user and not by tenant."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.homes: set[str] = set()

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Remember every tenant."""
        self.homes.add(scope.tenant)
        return await self.inner.create_session(scope, session)

    async def list_sessions(self, scope: Scope, **rest: Any) -> Page[Session]:
        """Add the pages of all tenants."""
        pages = [
            await self.inner.list_sessions(Scope(tenant, scope.user_id), **rest)
            for tenant in sorted(self.homes | {scope.tenant})
        ]
        return Page([one for page in pages for one in page.items], pages[-1].cursor)


class OrderedByTime(LogDouble):
    """Messages come back by the time they were said."""

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Sort by the body's time."""
        found = await self.inner.read(scope, session_id, **rest)
        return sorted(found, key=lambda one: decode_message(one.body).created_at or _ALWAYS)


class OldestWindow(LogDouble):
    """A limit cuts the wrong end."""

    async def read(
        self, scope: Scope, session_id: str, *, newest_first: bool = False, **rest: Any
    ) -> list[StoredEntry]:
        """Cut, then turn round."""
        found = await self.inner.read(scope, session_id, **rest)
        return found[::-1] if newest_first else found


class ExpiryOnSweepOnly(LogDouble):
    """What expired stays readable until something sweeps it."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.last: dict[tuple[Scope, str], list[StoredEntry]] = {}

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Go on showing what was there."""
        found = await self.inner.read(scope, session_id, **rest)
        if found:
            self.last[scope, session_id] = found
        return found or self.last.get((scope, session_id), [])


class RemovedOnTheWay(LogDouble):
    """An append that meets an expired session removes it, though it begins no other."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Take it out of the sweep's count."""
        result = await self.inner.append(scope, session_id, entries, **rest)
        if result is None:
            await self.inner.delete_session(scope, session_id)
        return result


class NumbersReused(LogDouble):
    """A cleared session counts from one again."""

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Replace the session by an empty one."""
        found = await self.inner.get_session(scope, session_id)
        if found is None:
            return 0
        await self.inner.delete_session(scope, session_id)
        await self.inner.create_session(scope, found)
        return found.message_count


class StaleMarkLost(LogDouble):
    """Settling forgets changes that came after the mark was read."""

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Settle whatever mark these sessions have by now."""
        names = {(one.tenant, one.user_id, one.session_id) for one in settled}
        newest = [
            one
            for one in await self.inner.pending(limit=1_000_000)
            if (one.tenant, one.user_id, one.session_id) in names
        ]
        await self.inner.settle(newest)


class DeletionUnmarked(LogDouble):
    """The indexer never hears that a session was deleted."""

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Settle the mark at once."""
        gone = await self.inner.delete_session(scope, session_id)
        await self.inner.settle(await self.inner.pending(limit=1_000_000, scope=scope))
        return gone


class CursorByOffset(LogDouble):
    """A page starts after so many sessions, wherever they have moved to."""

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Count instead of naming a place."""
        if cursor is not None and not cursor.isdigit():
            return await self.inner.list_sessions(scope, limit=limit, cursor=cursor)
        start = int(cursor or 0)
        everything = (await self.inner.list_sessions(scope, limit=1_000_000)).items
        more = str(start + limit) if len(everything) > start + limit else None
        return Page(everything[start : start + limit], more)


class LastCreatorWins(LogDouble):
    """Looking whether an id is free, and taking it, are two steps."""

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Look, wait, take."""
        if await self.inner.get_session(scope, session.id) is not None:
            raise ConflictError("there already")
        await asyncio.sleep(0)
        await self.inner.delete_session(scope, session.id)
        return await self.inner.create_session(scope, session)


class MillisecondTimes(LogDouble):
    """Times lose their microseconds."""

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Round."""
        found = await self.inner.get_session(scope, session_id)
        if found is None:
            return None
        moment = found.created_at
        return replace(found, created_at=moment.replace(microsecond=0))


class OpenForEver(LogDouble):
    """A closed log goes on answering one method."""

    async def span(self, scope: Scope, session_id: str) -> None:
        """Answer whatever happened."""
        return


LOG_DOUBLES: dict[type[LogDouble], str] = {
    LostUpdate: "test_fifty_concurrent_appends_lose_nothing",
    DuplicateOnRetry: "test_a_repeated_batch_changes_nothing",
    DroppedTail: "test_bodies_and_tokens_come_back_as_given",
    PartialBatch: "test_another_body_under_a_stored_id_conflicts",
    ConflictIgnored: "test_another_body_under_a_stored_id_conflicts",
    SharedAlias: "test_metadata_is_nobodys_alias",
    LeakingUser: "test_no_method_reaches_anothers_session",
    LeakingDelete: "test_no_method_reaches_anothers_session",
    LeakingTenant: "test_no_method_reaches_anothers_session",
    OrderedByTime: "test_order_is_by_arrival_never_by_time",
    OldestWindow: "test_every_window_of_a_short_session",
    ExpiryOnSweepOnly: "test_expired_is_missing_for_every_method",
    RemovedOnTheWay: "test_a_late_call_leaves_an_expired_session_to_the_sweep",
    NumbersReused: "test_clear_keeps_the_session_and_goes_on_counting",
    StaleMarkLost: "test_a_settled_mark_is_forgotten_unless_newer_changes_came",
    DeletionUnmarked: "test_every_kind_of_change_is_marked",
    CursorByOffset: "test_no_session_is_listed_twice_while_others_change",
    LastCreatorWins: "test_one_of_many_creators_wins",
    MillisecondTimes: "test_a_session_comes_back_as_created",
    OpenForEver: "test_a_closed_log_refuses_every_method",
}
