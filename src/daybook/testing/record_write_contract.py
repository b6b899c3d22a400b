"""What writing records must do: versions, conditions, all or nothing, expiry, deletion."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from daybook.errors import ConflictError, DaybookError
from daybook.model.memory_record import MemoryRecord, Provenance
from daybook.protocols.record_store import RecordStore
from daybook.testing.fake_clock import FakeClock
from daybook.testing.odd_data import AWKWARD_IDS, ODD_OBJECTS
from daybook.testing.sample_data import ALICE, RIVAL, record
from daybook.testing.scenario import Contract, scenario

__all__ = ["RecordWriteContract", "get_one"]

_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)
_HOME = ("alice",)


async def get_one(store: RecordStore, key: str) -> MemoryRecord | None:
    """Return one record of the sample namespace."""
    [found] = await store.get(ALICE, [(_HOME, key)])
    return found


class RecordWriteContract(Contract[RecordStore]):
    """`RecordStore.put`, `get`, `delete`, `versions` and expiry."""

    @scenario
    async def test_a_record_comes_back_as_put(self, store: RecordStore, clock: FakeClock) -> None:
        """Value, provenance, times with microseconds; version 1."""
        origin = Provenance("summary", ("m1", "m2"), "s", "3")
        end = clock.now() + _HOUR
        given = record("k", {"a": [1, 2.5, None]}, expires_at=end, provenance=origin)
        expected = MemoryRecord(
            namespace=_HOME,
            key="k",
            value={"a": [1, 2.5, None]},
            version=1,
            created_at=clock.now(),
            updated_at=clock.now(),
            expires_at=end,
            provenance=origin,
        )
        assert await store.put(ALICE, [given]) == [expected]
        assert await get_one(store, "k") == expected
        assert await store.list(ALICE, _HOME, limit=9) == [expected]
        assert await store.versions(ALICE, _HOME, "k", limit=9) == [expected]

    @scenario
    async def test_odd_values_come_back_equal(self, store: RecordStore, clock: FakeClock) -> None:
        """Hostile keys are inert, numbers keep their kind, keys keep their order."""
        await store.put(ALICE, [record(name, value) for name, value in ODD_OBJECTS.items()])
        for name, value in ODD_OBJECTS.items():
            found = await get_one(store, name)
            assert found is not None
            assert repr(found.value) == repr(value), name

    @scenario
    async def test_any_id_names_one_record(self, store: RecordStore, clock: FakeClock) -> None:
        """As a key and as a label; none hides or matches another."""
        places = [((name,), name) for name in AWKWARD_IDS]
        await store.put(
            ALICE,
            [record(key, {"n": i}, namespace=home) for i, (home, key) in enumerate(places)],
        )
        found = await store.get(ALICE, places)
        assert [one.value["n"] if one else None for one in found] == [*range(len(places))]
        for home, key in places:
            below = await store.list(ALICE, home, limit=99)
            assert [one.key for one in below] == [key]
        assert await store.delete_namespace(ALICE, ("%",)) == 1
        assert len(await store.list(ALICE, (), limit=99)) == len(places) - 1

    @scenario
    async def test_every_write_is_a_version(self, store: RecordStore, clock: FakeClock) -> None:
        """Newest first, the current one included; creation time stays, update time moves."""
        start = clock.now()
        for number in range(4):
            [stored] = await store.put(ALICE, [record("k", {"n": number})])
            assert (stored.version, stored.created_at) == (number + 1, start)
            assert stored.updated_at == clock.now()
            clock.advance(_TICK)
        kept = await store.versions(ALICE, _HOME, "k", limit=9)
        assert [(one.version, one.value["n"]) for one in kept] == [(4, 3), (3, 2), (2, 1), (1, 0)]
        assert [one.updated_at - start for one in kept] == [3 * _TICK, 2 * _TICK, _TICK, 0 * _TICK]
        assert kept[0] == await get_one(store, "k")
        newest = await store.versions(ALICE, _HOME, "k", limit=2)
        assert [one.version for one in newest] == [4, 3]
        assert await store.versions(ALICE, _HOME, "none", limit=9) == []

    @scenario
    async def test_a_key_twice_in_one_call_is_written_twice(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """In the order given; the last stays current and the answer has one entry for each."""
        stored = await store.put(ALICE, [record("k", {"n": 1}), record("j"), record("k", {"n": 2})])
        assert [(one.key, one.version) for one in stored] == [("k", 1), ("j", 1), ("k", 2)]
        found = await get_one(store, "k")
        assert found is not None
        assert found.value == {"n": 2}
        kept = await store.versions(ALICE, _HOME, "k", limit=9)
        assert [one.value["n"] for one in kept] == [2, 1]

    @scenario
    async def test_a_condition_on_the_version(self, store: RecordStore, clock: FakeClock) -> None:
        """0 means absent; anything but the stored version is a conflict."""
        for wrong in (1, 2):
            with pytest.raises(ConflictError):
                await store.put(ALICE, [record("k", expected_version=wrong)])
        await store.put(ALICE, [record("k", {"n": 1}, expected_version=0)])
        for wrong in (0, 2):
            with pytest.raises(ConflictError):
                await store.put(ALICE, [record("k", {"n": 9}, expected_version=wrong)])
        await store.put(ALICE, [record("k", {"n": 2}, expected_version=1)])
        kept = await store.versions(ALICE, _HOME, "k", limit=9)
        assert [one.value for one in kept] == [{"n": 2}, {"n": 1}]

    @scenario
    async def test_a_refused_put_stores_none_of_its_records(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Neither those before the culprit nor those after."""
        await store.put(ALICE, [record("b", {"n": 1})])
        with pytest.raises(ConflictError):
            await store.put(
                ALICE, [record("a"), record("b", {"n": 2}, expected_version=7), record("c")]
            )
        assert [one.key for one in await store.list(ALICE, (), limit=9)] == ["b"]
        found = await get_one(store, "b")
        assert found is not None
        assert (found.version, found.value) == (1, {"n": 1})

    @scenario
    async def test_concurrent_writers_with_conditions_lose_nothing(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Twenty counters by read, condition and retry end at twenty."""
        await store.put(ALICE, [record("count", {"n": 0})])

        async def increase() -> None:
            for _ in range(1000):
                found = await get_one(store, "count")
                assert found is not None
                value = {"n": found.value["n"] + 1}
                try:
                    new = record("count", value, expected_version=found.version)
                    await store.put(ALICE, [new])
                except ConflictError:
                    continue
                return
            raise AssertionError("no attempt out of 1000 succeeded")

        await asyncio.gather(*(increase() for _ in range(20)))
        found = await get_one(store, "count")
        assert found is not None
        assert (found.value, found.version) == ({"n": 20}, 21)

    @scenario
    async def test_one_of_many_first_writers_wins(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """`expected_version=0` makes a key exactly once."""
        results = await asyncio.gather(
            *(
                store.put(ALICE, [record("k", {"n": number}, expected_version=0)])
                for number in range(20)
            ),
            return_exceptions=True,
        )
        won = [one for one in results if not isinstance(one, BaseException)]
        assert len(won) == 1
        assert await get_one(store, "k") == won[0][0]
        assert sum(isinstance(one, ConflictError) for one in results) == 19

    @scenario
    async def test_get_answers_in_the_order_asked(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Missing places are None, repeated ones are repeated."""
        await store.put(ALICE, [record("a"), record("b")])
        asked = [(_HOME, "b"), (_HOME, "none"), (("al",), "a"), (_HOME, "a"), (_HOME, "b")]
        found = await store.get(ALICE, asked)
        assert [one.key if one else None for one in found] == ["b", None, None, "a", "b"]
        assert await store.get(ALICE, []) == []
        assert await store.put(ALICE, []) == []

    @scenario
    async def test_values_are_nobodys_alias(self, store: RecordStore, clock: FakeClock) -> None:
        """Changing a returned value changes nothing stored."""
        [stored] = await store.put(ALICE, [record("k", {"tags": ["a"]})])
        stored.value["tags"].append("b")
        first = await get_one(store, "k")
        assert first is not None
        assert first.value == {"tags": ["a"]}
        first.value.clear()
        [listed] = await store.list(ALICE, (), limit=1)
        assert listed.value == {"tags": ["a"]}
        listed.value.clear()
        [version] = await store.versions(ALICE, _HOME, "k", limit=1)
        assert version.value == {"tags": ["a"]}

    @scenario
    async def test_delete_takes_all_versions_and_is_repeatable(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """It counts the keys that were there, each once; a new life starts at version 1."""
        for number in range(3):
            await store.put(ALICE, [record("a", {"n": number}), record("b")])
        places = [(_HOME, "a"), (_HOME, "none"), (_HOME, "a")]
        assert await store.delete(ALICE, places) == 1
        assert await store.delete(ALICE, places) == 0
        assert await get_one(store, "a") is None
        assert await store.versions(ALICE, _HOME, "a", limit=9) == []
        clock.advance(_HOUR)
        [stored] = await store.put(ALICE, [record("a", expected_version=0)])
        assert (stored.version, stored.created_at) == (1, clock.now())
        assert len(await store.versions(ALICE, _HOME, "a", limit=9)) == 1
        assert len(await store.versions(ALICE, _HOME, "b", limit=9)) == 3

    @scenario
    async def test_expired_is_absent_for_every_method(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """At the end, not a microsecond before, and without a sweep."""
        await store.put(ALICE, [record("k")])
        await store.put(ALICE, [record("k", expires_at=clock.now() + _HOUR), record("ever")])
        clock.advance(_HOUR - _TICK)
        assert await get_one(store, "k")
        clock.advance(_TICK)
        assert await get_one(store, "k") is None
        assert [one.key for one in await store.list(ALICE, _HOME, limit=9)] == ["ever"]
        assert await store.versions(ALICE, _HOME, "k", limit=9) == []
        assert await store.delete(ALICE, [(_HOME, "k")]) == 0
        await store.put(ALICE, [record("j", namespace=("alice", "x"), expires_at=clock.now())])
        assert await store.namespaces(ALICE, (), limit=9) == [_HOME]
        assert await store.delete_namespace(ALICE, ("alice", "x")) == 0

    @scenario
    async def test_no_other_clock_ends_a_record(self, store: RecordStore, clock: FakeClock) -> None:
        """Neither a server's date nor time that really passes; reading changes no end."""
        end = clock.now() + _TICK
        await store.put(ALICE, [record("k", expires_at=end)])
        for _ in range(20):
            found = await get_one(store, "k")
            assert found is not None
            assert found.expires_at == end
            await store.put(ALICE, [record("other")])
        assert len(await store.versions(ALICE, _HOME, "k", limit=9)) == 1
        assert await store.sweep(clock.now()) == []
        clock.advance(_TICK)
        assert await get_one(store, "k") is None

    @scenario
    async def test_a_key_begins_anew_after_it_expired(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Version 1, no old versions, `expected_version=0` holds."""
        await store.put(ALICE, [record("k", {"n": 1}, expires_at=clock.now() + _HOUR)])
        clock.advance(_HOUR)
        [stored] = await store.put(ALICE, [record("k", {"n": 2}, expected_version=0)])
        assert (stored.version, stored.created_at, stored.expires_at) == (1, clock.now(), None)
        kept = await store.versions(ALICE, _HOME, "k", limit=9)
        assert [one.value for one in kept] == [{"n": 2}]

    @scenario
    async def test_a_write_without_an_end_takes_the_end_away(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Each version brings its own life."""
        await store.put(ALICE, [record("k", expires_at=clock.now() + _HOUR)])
        await store.put(ALICE, [record("k")])
        clock.advance(2 * _HOUR)
        found = await get_one(store, "k")
        assert found is not None
        assert found.version == 2

    @scenario
    async def test_sweep_names_what_it_removed(self, store: RecordStore, clock: FakeClock) -> None:
        """In every tenant, once; the living stay."""
        for scope in (ALICE, RIVAL):
            await store.put(
                scope,
                [record("old", expires_at=clock.now() + _HOUR), record("ever")],
            )
        assert await store.sweep(clock.now()) == []
        clock.advance(_HOUR)
        gone = await store.sweep(clock.now())
        assert sorted(gone) == [("acme", _HOME, "old"), ("rival", _HOME, "old")]
        assert await store.sweep(clock.now()) == []
        for scope in (ALICE, RIVAL):
            assert [one.key for one in await store.list(scope, (), limit=9)] == ["ever"]

    @scenario
    async def test_a_second_open_sees_the_records(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Current records and their versions; or nothing, if declared so."""
        for number in range(2):
            await store.put(ALICE, [record("k", {"n": number})])
        kept = await store.versions(ALICE, _HOME, "k", limit=9)
        again = await self.reopen(clock)
        assert await again.versions(ALICE, _HOME, "k", limit=9) == (kept if self.persists else [])

    @scenario
    async def test_errors_show_no_value(self, store: RecordStore, clock: FakeClock) -> None:
        """A conflict names the record, never what stands in it."""
        await store.put(ALICE, [record("k", {"secret": "canary-91"})])
        with pytest.raises(DaybookError) as caught:
            await store.put(ALICE, [record("k", {"secret": "canary-92"}, expected_version=5)])
        assert "canary" not in str(caught.value)
