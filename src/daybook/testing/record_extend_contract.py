"""What letting records end later must do."""

from __future__ import annotations

from datetime import timedelta

from daybook.model.memory_record import LaterEnd, MemoryRecord
from daybook.protocols.record_store import RecordStore
from daybook.testing.fake_clock import FakeClock
from daybook.testing.record_write_contract import get_one
from daybook.testing.sample_data import ALICE, RIVAL, record
from daybook.testing.scenario import Contract, scenario, together

__all__ = ["RecordExtendContract"]

_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)


def _end(one: MemoryRecord, clock: FakeClock, life: timedelta = _HOUR) -> LaterEnd:
    return LaterEnd(one.namespace, one.key, one.version, clock.now() + life)


class RecordExtendContract(Contract[RecordStore]):
    """`RecordStore.extend`."""

    @scenario
    async def test_an_extended_record_lives_longer_and_is_else_the_same(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """No version, no update; gone at the new end to the microsecond; also after a reopen."""
        await store.put(ALICE, [record("k", {"n": 1})])
        [put] = await store.put(ALICE, [record("k", {"n": 2}, expires_at=clock.now() + _HOUR)])
        clock.advance(_HOUR - _TICK)
        end = _end(put, clock)
        assert await store.extend(ALICE, [end]) == 1
        found = await get_one(store, "k")
        assert found is not None
        assert found.expires_at == end.expires_at
        assert (found.version, found.updated_at, found.value) == (2, put.updated_at, {"n": 2})
        versions = await store.versions(ALICE, ("alice",), "k", limit=9)
        assert [(one.version, one.value) for one in versions] == [(2, {"n": 2}), (1, {"n": 1})]
        if self.persists:
            store = await self.reopen(clock)
        clock.advance(_HOUR - _TICK)
        assert await get_one(store, "k") == found
        assert await store.list(ALICE, ("alice",), limit=9) == [found]
        assert await store.sweep(clock.now()) == []
        clock.advance(_TICK)
        assert await get_one(store, "k") is None
        assert await store.sweep(clock.now()) == [(ALICE.tenant, ("alice",), "k")]

    @scenario
    async def test_what_is_not_meant_is_left_alone(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Another version, no end, a later end, an expired record, none, another tenant's."""
        soon = clock.now() + _HOUR
        new = [record("old", expires_at=soon), record("ever"), record("late", expires_at=soon)]
        old, ever, late = await store.put(ALICE, new)
        [newer] = await store.put(ALICE, [record("old", expires_at=soon)])
        assert await store.extend(ALICE, [_end(old, clock, 2 * _HOUR)]) == 0
        assert await store.extend(ALICE, [_end(ever, clock)]) == 0
        assert await store.extend(ALICE, [_end(late, clock, _HOUR)]) == 0
        assert await store.extend(ALICE, [_end(late, clock, _HOUR - _TICK)]) == 0
        none = LaterEnd(("alice",), "none", 1, soon + _HOUR)
        assert await store.extend(ALICE, [none]) == 0
        assert await store.extend(ALICE, []) == 0
        assert await store.extend(RIVAL, [_end(late, clock, 2 * _HOUR)]) == 0
        assert await get_one(store, "old") == newer
        assert await get_one(store, "ever") == ever
        assert await get_one(store, "late") == late
        clock.advance(_HOUR)
        assert await store.extend(ALICE, [_end(late, clock)]) == 0
        assert await get_one(store, "late") is None

    @scenario
    async def test_many_are_extended_in_one_call(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Of several owners, those that may be; the count says how many."""
        soon = clock.now() + _HOUR
        homes = [("alice",), ("alice", "deep"), ("bob",), ("carol", "x")]
        new = [record("k", {"n": n}, namespace=h, expires_at=soon) for n, h in enumerate(homes)]
        stored = [one for each in new for one in await store.put(ALICE, [each])]
        ends = [_end(one, clock, 2 * _HOUR) for one in stored]
        assert await store.extend(ALICE, [*ends[:3], LaterEnd(("dave",), "k", 1, soon)]) == 3
        clock.advance(_HOUR)
        found = await store.get(ALICE, [(home, "k") for home in homes])
        assert [one.value["n"] if one else None for one in found] == [0, 1, 2, None]

    @scenario
    async def test_a_write_and_an_extension_at_once_keep_what_was_written(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Whichever is first: the write's value and its own end stand."""
        for number in range(round(10 * self.effort)):
            key = f"k{number}"
            [put] = await store.put(ALICE, [record(key, expires_at=clock.now() + _HOUR)])
            end = clock.now() + 3 * _HOUR
            later = LaterEnd(put.namespace, key, put.version, clock.now() + 2 * _HOUR)
            await together(
                store.extend(ALICE, [later]),
                store.put(ALICE, [record(key, {"n": 2}, expires_at=end)]),
            )
            found = await get_one(store, key)
            assert found is not None
            assert (found.version, found.value, found.expires_at) == (2, {"n": 2}, end)
