"""Leases: one holder at a time, an end of their own, nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import pytest

from daybook.errors import InvalidInputError, StoreTimeoutError
from daybook.facets.turn_leases import TurnLease, TurnLeases
from daybook.model.memory_record import MemoryRecord, NewRecord
from daybook.model.scope import Scope, internal_tenant
from daybook.model.session import Session
from daybook.protocols.record_store import RecordStore
from daybook.registry import open_engine
from daybook.testing.fake_clock import START, FakeClock

LIFE = timedelta(seconds=60)
SESSION = Session(id="s", user_id="alice", created_at=START, last_active_at=START)
INTERNAL = Scope(internal_tenant("t"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def records(clock: FakeClock, url_of: Callable[[str], str]) -> AsyncIterator[RecordStore]:
    engine = await open_engine(url_of("sqlite"), clock=clock)
    yield engine.records
    await engine.close()


def leases(records: RecordStore, clock: FakeClock) -> Callable[[], TurnLease]:
    numbers = iter(range(1000))
    made = TurnLeases(
        records, tenant="t", clock=clock, id_factory=lambda: f"holder-{next(numbers)}"
    )
    return lambda: made.of(SESSION, LIFE)


async def test_one_of_many_gets_it(records: RecordStore, clock: FakeClock) -> None:
    new = leases(records, clock)
    taken = await asyncio.gather(*(new().take() for _ in range(10)))
    assert sum(taken) == 1


async def test_it_is_free_once_it_is_released(records: RecordStore, clock: FakeClock) -> None:
    new = leases(records, clock)
    one, two = new(), new()
    assert await one.take()
    assert one.remaining == LIFE
    assert not await two.take()
    await two.release()  # not its own: nothing happens
    assert not await two.take()
    await one.release()
    await one.release()
    assert await two.take()
    assert not await one.renew()


async def test_it_ends_by_itself_and_is_then_lost(records: RecordStore, clock: FakeClock) -> None:
    new = leases(records, clock)
    one, two = new(), new()
    assert await one.take()
    clock.advance(LIFE - timedelta(seconds=1))
    assert not await two.take()
    assert await one.renew()
    clock.advance(LIFE)
    assert one.remaining == timedelta(0)
    assert await two.take()
    await two.release()
    assert not await one.renew(), "somebody had a turn meanwhile"
    assert not await one.renew()


async def test_an_answer_that_was_lost_is_no_lease_that_was_lost(
    records: RecordStore, clock: FakeClock
) -> None:
    """The store wrote, and its answer did not arrive."""

    class Forgetful:
        def __getattr__(self, name: str) -> object:
            return getattr(records, name)

        async def put(self, scope: Scope, new: Sequence[NewRecord]) -> list[MemoryRecord]:
            stored = await records.put(scope, new)
            if self.deaf:
                raise StoreTimeoutError("no answer", engine="test", operation="put")
            return stored

        deaf = True

    store = Forgetful()
    lease = leases(store, clock)()  # type: ignore[arg-type]
    for step in (lease.take, lease.renew):
        store.deaf = True
        with pytest.raises(StoreTimeoutError):
            await step()
        store.deaf = False
        assert await step()
    await lease.release()
    assert await leases(records, clock)().take()


async def test_many_turns_leave_one_short_record(records: RecordStore, clock: FakeClock) -> None:
    new = leases(records, clock)
    for _ in range(50):
        lease = new()
        assert await lease.take()
        await lease.renew()
        await lease.release()
        clock.advance(timedelta(seconds=1))
    last = new()
    await last.take()
    assert len(await records.versions(INTERNAL, ("alice", "turns"), "s", limit=99)) == 1
    await last.release()
    assert await records.list(INTERNAL, ("alice",), limit=9) == []
    assert await records.sweep(clock.now()) == [(INTERNAL.tenant, ("alice", "turns"), "s")]


def test_a_life_is_positive(clock: FakeClock) -> None:
    with pytest.raises(InvalidInputError):
        TurnLeases(None, tenant="t", clock=clock, id_factory=str).of(  # type: ignore[arg-type]
            SESSION, timedelta(0)
        )
