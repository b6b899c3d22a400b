"""A cell counts every change of many writers across its moves, and leaves little behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from msgspec import Struct

from daybook.errors import CorruptRecordError, InvalidInputError, StoreFullError
from daybook.facets.bounded_cell import BoundedCell, Stepped
from daybook.model.codec import encode_json
from daybook.model.memory_record import MemoryRecord, NewRecord
from daybook.model.scope import Scope
from daybook.protocols.clock import SystemClock
from daybook.protocols.record_store import Place, RecordStore
from daybook.registry import open_engine
from daybook.testing.broken_records import RecordDouble, VersionCheckedTooEarly

SCOPE = Scope("t")
HOME = ("ann", "count", "now")


class Count(Struct, frozen=True, forbid_unknown_fields=True):
    number: int = 0


def one_more(found: Count | None) -> Stepped[Count]:
    number = (found.number if found else 0) + 1
    return Stepped(Count(number), number)


@pytest.fixture(params=["inmemory", "sqlite"])
async def records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RecordStore]:
    url = "inmemory://" if request.param == "inmemory" else f"sqlite:///{tmp_path}/a.db"
    engine = await open_engine(url, clock=SystemClock())
    yield engine.records
    await engine.close()


def cell(records: RecordStore) -> BoundedCell[Count]:
    return BoundedCell(records, SCOPE, HOME, Count)


async def count_together(records: RecordStore, writers: int, changes: int) -> list[int]:
    """Return what the writers were told, sorted."""

    async def work() -> list[int]:
        own = cell(records)
        return [await own.change(one_more) for _ in range(changes)]

    told = await asyncio.gather(*(work() for _ in range(writers)))
    return sorted(number for one in told for number in one)


async def test_no_change_is_lost_across_moves(records: RecordStore) -> None:
    assert await count_together(records, 5, 60) == [*range(1, 301)]
    found = await cell(records).read()
    assert found == Count(300)
    kept = await records.list(SCOPE, HOME, limit=99)
    versions = [len(await records.versions(SCOPE, HOME, one.key, limit=999)) for one in kept]
    assert sum(versions) <= 2 * 64


async def test_a_writer_that_slept_through_moves_finds_the_value(records: RecordStore) -> None:
    sleeper, busy = cell(records), cell(records)
    assert await sleeper.change(one_more) == 1
    for _ in range(200):
        await busy.change(one_more)
    assert await sleeper.change(one_more) == 202


async def test_a_writer_that_saw_nothing_cannot_begin_again(records: RecordStore) -> None:
    """It read an empty store, slept while others wrote and moved, and only then writes."""
    go = asyncio.Event()

    class Late(RecordDouble):
        async def put(self, scope: Scope, new: Sequence[NewRecord]) -> list[MemoryRecord]:
            await go.wait()
            return await self.inner.put(scope, new)

    late = asyncio.create_task(cell(Late(records)).change(one_more))
    busy = cell(records)
    for _ in range(200):
        await busy.change(one_more)
    go.set()
    assert await late == 201
    assert await busy.read() == Count(201)


async def test_a_store_that_checks_and_then_writes_is_convicted() -> None:
    """The control: changes are lost where the condition is looked at in a step of its own."""
    engine = await open_engine("inmemory://", clock=SystemClock())
    store = VersionCheckedTooEarly(engine.records)
    assert await count_together(store, 5, 60) != [*range(1, 301)]
    await engine.close()


async def test_a_step_that_raises_changes_nothing_and_stops_nobody(records: RecordStore) -> None:
    own = cell(records)

    def refuse(found: Count | None) -> Stepped[Count]:
        raise InvalidInputError("no")

    steps = [one_more, refuse, one_more]
    told = await asyncio.gather(*map(own.change, steps), return_exceptions=True)
    assert [told[0], told[2]] == [1, 2]
    assert isinstance(told[1], InvalidInputError)
    assert await own.read() == Count(2)


async def test_a_failing_store_fails_everyone_who_waits_and_nobody_later(
    records: RecordStore,
) -> None:
    class Full(RecordDouble):
        full = True

        async def put(self, scope: Scope, new: Sequence[NewRecord]) -> list[MemoryRecord]:
            if self.full:
                raise StoreFullError("full", engine="test", operation="put")
            return await self.inner.put(scope, new)

    store = Full(records)
    own = cell(store)
    told = await asyncio.gather(*(own.change(one_more) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [StoreFullError] * 3
    store.full = False
    assert await own.change(one_more) == 1


async def test_what_cannot_be_removed_after_a_move_goes_with_the_next(
    records: RecordStore,
) -> None:
    class Stuck(RecordDouble):
        async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
            raise StoreFullError("stuck", engine="test", operation="delete")

    stuck = cell(Stuck(records))
    for _ in range(66):
        await stuck.change(one_more)
    assert len(await records.list(SCOPE, HOME, limit=99)) == 3
    sound = cell(records)
    for _ in range(64):
        await sound.change(one_more)
    assert await sound.read() == Count(130)
    assert len(await records.list(SCOPE, HOME, limit=99)) == 2


async def test_a_value_of_another_version_is_an_error_and_stays(records: RecordStore) -> None:
    own = cell(records)
    await own.change(one_more)
    key = f"{1:012d}"
    newer = encode_json({"state": {"number": 1, "since_v9": True}})
    await records.put(SCOPE, [NewRecord(namespace=HOME, key=key, value=newer)])
    with pytest.raises(CorruptRecordError, match="count/now"):
        await own.change(one_more)
