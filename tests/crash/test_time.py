"""Clocks that jump and differ; thirty simulated days after which nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from daybook.model.codec import decode_message
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
from daybook.testing.broken_logs import LogDouble
from daybook.testing.fake_clock import FakeClock
from tests.crash.doubles import open_with
from tools.crash.engines.addresses import open_indexed, open_url, with_options
from tools.crash.engines.clocks import LateClock, jump_clocks
from tools.crash.engines.growth import live_through
from tools.crash.engines.sizes import size_of


@pytest.mark.parametrize("engine", ["sqlite", "file", "redis"])
async def test_clocks_jump(engine: str, url_of: Callable[[str], str]) -> None:
    url, clock = url_of(engine), FakeClock()
    async with AsyncExitStack() as stack:
        books = [
            await stack.enter_async_context(open_url(url, clock=one))
            for one in (clock, LateClock(clock))
        ]
        tally = await jump_clocks(engine, books, clock)
    assert tally.sound, tally.examples


async def test_clocks_jump_in_memory() -> None:
    clock = FakeClock()
    async with open_url("inmemory://", clock=clock) as book:
        tally = await jump_clocks("inmemory", [book], clock)
    assert tally.sound, tally.examples


class OrderedByTime(LogDouble):
    """What was said is shown by the clock that it was said by."""

    async def read(self, scope: Scope, session_id: str, **window: Any) -> list[StoredEntry]:
        found: list[StoredEntry] = await self.inner.read(scope, session_id, **window)
        return sorted(found, key=lambda one: str(decode_message(one.body).created_at))


class NeverEnds(LogDouble):
    """A session's end is never set back, so a clock that was wrong once keeps it alive."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **more: Any
    ) -> AppendResult | None:
        before = await self.inner.get_session(scope, session_id)
        result = await self.inner.append(scope, session_id, entries, **more)
        after = await self.inner.get_session(scope, session_id)
        if before and after and before.expires_at and after.expires_at:
            end = max(before.expires_at, after.expires_at)
            await self.inner.update_session(scope, session_id, SessionChanges(expires_at=end))
        return result


class EndsByCreation(LogDouble):
    """A life counts from a session's creation, whatever happens in it."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **more: Any
    ) -> AppendResult | None:
        result = await self.inner.append(scope, session_id, entries, **more)
        found = await self.inner.get_session(scope, session_id)
        if found and found.ttl:
            end = found.created_at + found.ttl
            await self.inner.update_session(scope, session_id, SessionChanges(expires_at=end))
        return result


@pytest.mark.parametrize("double", [OrderedByTime, NeverEnds, EndsByCreation])
async def test_trusting_the_clock_is_convicted(double: type[LogDouble]) -> None:
    clock = FakeClock()
    async with open_with(double, clock) as book:
        tally = await jump_clocks("inmemory", [book], clock)
    assert tally.defects


DAYS, PER_DAY = 30, 2


@pytest.mark.parametrize("engine", ["sqlite", "redis"])
async def test_thirty_days(engine: str, url_of: Callable[[str], str]) -> None:
    url, clock = url_of(engine), FakeClock()
    if engine == "sqlite":
        url = with_options(url, synchronous="normal")
    async with open_indexed(url, clock) as book:
        tally = await live_through(
            engine, book, clock, lambda: size_of(url), days=DAYS, per_day=PER_DAY
        )
    assert tally.sound, (tally.examples, tally.measures)


async def test_growing_is_convicted() -> None:
    clock, kept = FakeClock(), 0

    async def measure() -> int:
        nonlocal kept
        kept += 1
        return kept

    async with open_url("inmemory://", clock=clock) as book:
        tally = await live_through("inmemory", book, clock, measure, days=10, per_day=2)
    assert tally.defects
