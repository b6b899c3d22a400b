"""The judge of many sessions lets a sound engine pass and convicts those with one bug each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from daybook.errors import StoreTimeoutError
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.testing.broken_forks import (
    ClearedWithItsParent,
    LiveParent,
    LostWithItsParent,
    SharedTail,
    UncountedPast,
)
from daybook.testing.broken_logs import DroppedTail, DuplicateOnRetry, LogDouble
from tests.crash.doubles import open_with
from tools.crash.append_checker import Append, Kind
from tools.crash.engines.crowd import contend_as_tasks, judge_place
from tools.crash.engines.session_calls import Removal, SessionCalls
from tools.crash.engines.session_client import Mix
from tools.crash.engines.session_judge import judge
from tools.crash.store import USER, make_message
from tools.crash.tally import Tally

MIX = Mix(clients=4, slot_s=0.06, forks=0.1, passing=0.4)
WORK_S, LEAST = 0.25, 100


class ReadChangeWrite(LogDouble):
    """Of two that meet, one vanishes."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **more: Any
    ) -> AppendResult | None:
        before = await self.inner.span(scope, session_id)
        await asyncio.sleep(0)
        after = await self.inner.span(scope, session_id)
        if before is not None and after is not None and before.last_seq != after.last_seq:
            last = before.last_seq + len(entries)
            return AppendResult(before.last_seq + 1, last, 0, before.user_id)
        return await self.inner.append(scope, session_id, entries, **more)


class TornBatch(LogDouble):
    """Now and then another batch stands in the middle of one."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **more: Any
    ) -> AppendResult | None:
        if len(entries) < 3:
            return await self.inner.append(scope, session_id, entries, **more)
        first = await self.inner.append(scope, session_id, entries[:1], **more)
        await asyncio.sleep(0)
        rest = await self.inner.append(scope, session_id, entries[1:], **more)
        if first is None or rest is None:
            return None
        return AppendResult(first.first_seq, rest.last_seq, 0, rest.user_id)


class OldReads(LogDouble):
    """A cache in front of reads that hears of no change."""

    async def read(self, scope: Scope, session_id: str, **window: Any) -> list[StoredEntry]:
        kept = self.__dict__.setdefault("_kept", {})
        if session_id not in kept or random.random() < 0.2:  # noqa: S311 - no secret
            kept[session_id] = await self.inner.read(scope, session_id, **window)
        found: list[StoredEntry] = list(kept[session_id])
        return found


class OthersReceipts(LogDouble):
    """Every tenth caller gets the answer of the one before."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **more: Any
    ) -> AppendResult | None:
        answer = await self.inner.append(scope, session_id, entries, **more)
        answers: list[AppendResult] = self.__dict__.setdefault("_answers", [])
        if answer is not None:
            answers.append(answer)
        return answers[-2] if answer is not None and len(answers) % 10 == 0 else answer


class DeletesNothing(LogDouble):
    """A delete is acknowledged and forgotten."""

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        return True


class ClearStartsAgain(LogDouble):
    """A clear gives numbers twice."""

    async def clear(self, scope: Scope, session_id: str) -> int:
        found = await self.inner.get_session(scope, session_id)
        if found is None:
            return 0
        await self.inner.delete_session(scope, session_id)
        return found.message_count


class ForksThePast(LogDouble):
    """A fork leaves out what was acknowledged a moment ago."""

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        span = await self.inner.span(scope, session_id)
        place = max(span.last_seq, span.first_seq) - 1 if span and at is None else at
        return await self.inner.fork_session(scope, session_id, child, at=place)


class EarlyReceipts(LogDouble):
    """What is acknowledged is stored a moment later, so that another batch may overtake it."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **more: Any
    ) -> AppendResult | None:
        span = await self.inner.span(scope, session_id)
        if span is None or len(entries) > 1:
            return await self.inner.append(scope, session_id, entries, **more)

        async def store() -> None:
            await asyncio.sleep(0.003)
            await self.inner.append(scope, session_id, entries, **more)

        tasks: list[Any] = self.__dict__.setdefault("_late", [])
        tasks.append(asyncio.ensure_future(store()))
        return AppendResult(span.last_seq + 1, span.last_seq + len(entries), 0, span.user_id)


BUGS: dict[type[LogDouble], set[Kind | str]] = {
    ReadChangeWrite: {"lost"},
    DuplicateOnRetry: {"duplicated"},
    DroppedTail: {"lost", "torn"},
    TornBatch: {"torn"},
    OldReads: {"stale", "diverged"},
    OthersReceipts: {"receipt"},
    EarlyReceipts: {"reordered", "receipt", "stale"},
    DeletesNothing: {"phantom"},
    ClearStartsAgain: {"reordered", "receipt", "diverged"},
    ForksThePast: {"stale"},
    LiveParent: {"phantom", "duplicated", "diverged", "receipt"},
    SharedTail: {"phantom", "duplicated", "diverged"},
    LostWithItsParent: {"lost"},
    ClearedWithItsParent: {"lost"},
    UncountedPast: {"defect"},
}


async def work_on(double: type[LogDouble] | None) -> Tally:
    async with open_with(double) as book:
        return await contend_as_tasks("inmemory", book, seconds=WORK_S, mix=MIX, least=LEAST)


async def test_a_sound_engine_passes() -> None:
    tally = await work_on(None)
    assert tally.sound, tally.examples
    assert tally.operations >= LEAST


@pytest.mark.parametrize("double", BUGS, ids=lambda double: str(double.__name__))
async def test_a_bug_is_convicted(double: type[LogDouble]) -> None:
    """On a busy machine a short while may be too short for the bug to show: then it goes on."""
    seen: set[str] = set()
    for _ in range(10):
        tally = await work_on(double)
        seen = {*tally.anomalies, *(["defect"] if tally.defects else [])}
        if BUGS[double] & seen:
            return
    pytest.fail(f"not convicted in ten rounds, but of {seen}")


class DoneLate(LogDouble):
    """A call that ran out of time is done all the same, right after somebody looked."""

    late: Any = None

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **more: Any
    ) -> AppendResult | None:
        if entries[0].id != "late":
            return await self.inner.append(scope, session_id, entries, **more)
        self.late = partial(self.inner.append, scope, session_id, entries, **more)
        raise StoreTimeoutError("no answer", engine="inmemory", operation="append")

    async def read(self, scope: Scope, session_id: str, **window: Any) -> list[StoredEntry]:
        found: list[StoredEntry] = await self.inner.read(scope, session_id, **window)
        late, self.late = self.late, None
        if late is not None:
            await late()
        return found


class CountsOneMore(LogDouble):
    """A session says that it has a message more than it has."""

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        found = await self.inner.get_session(scope, session_id)
        return found and replace(found, message_count=found.message_count + 1)


@pytest.mark.parametrize(("double", "wrong"), [(DoneLate, 0), (CountsOneMore, 1)])
async def test_what_is_done_between_two_looks_is_no_defect(
    double: type[LogDouble], wrong: int
) -> None:
    async with open_with(double) as book:
        await book.history.append("s", make_message("first"), user_id=USER)
        seen = SessionCalls([Append(0, ("first",), 1, 2, "ok", 1, 1)])
        if double is DoneLate:
            with pytest.raises(StoreTimeoutError):
                await book.history.append("s", make_message("late"), user_id=USER)
            seen.add(Append(0, ("late",), 3, None, "unknown"))
        anomalies, defects = await judge_place(book, {"s": seen})
    assert (anomalies, len(defects)) == ([], wrong), defects


def test_a_removal_that_failed_may_have_done_nothing() -> None:
    first = Append(0, ("a",), 1, 2, "ok", 1, 1)
    removals = [Removal(clear=True, invoked=3, completed=None)]
    seen = SessionCalls([first], removals=removals)
    assert not judge({"one": seen}, {"one": [(1, "a")]})
    assert not judge({"one": seen}, {"one": []})
    second = Append(0, ("b",), 1, 2, "ok", 2, 2)
    lost = SessionCalls([first, second], removals=removals)
    assert judge({"one": lost}, {"one": [(1, "a")]})
