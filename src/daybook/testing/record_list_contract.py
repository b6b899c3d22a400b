"""What finding records must do: prefixes of whole labels, filters, order, pages, isolation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from daybook.errors import DaybookError, InvalidInputError, StoreClosedError
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace
from daybook.model.scope import Scope
from daybook.protocols.record_store import RecordStore
from daybook.testing.fake_clock import FakeClock
from daybook.testing.protocol_methods import protocol_methods
from daybook.testing.sample_data import ALICE, RIVAL, record
from daybook.testing.scenario import Contract, scenario

__all__ = ["RECORD_CASES", "RecordListContract"]

_CANARY = "canary-55c1"
_HOMES: tuple[Namespace, ...] = (
    ("a",), ("ab",), ("a", "b"), ("a", "b", "c"), ("a", "bc"), ("a b",), ("A",), ("a,",),
    ('a","b',), ("a\\",), ("a%",), ("a_",), ("*",), ("a\x00b",), ("é",), ("e\u0301",),
    ("a", ""+"\uffff"), ("a-",), ("a", "\x00"),
)  # fmt: skip
_Case = Callable[[RecordStore, FakeClock, Scope], Awaitable[Any]]
_PLACE = ("alice", "private")

RECORD_CASES: dict[str, tuple[_Case, ...]] = {
    "put": (lambda store, _, scope: store.put(scope, [record("victim", namespace=_PLACE)]),),
    "get": (lambda store, _, scope: store.get(scope, [(_PLACE, "victim")]),),
    "extend": (lambda store, clock, scope: store.extend(scope, [_later(clock)]),),
    "delete": (lambda store, _, scope: store.delete(scope, [(_PLACE, "victim")]),),
    "delete_namespace": (
        lambda store, _, scope: store.delete_namespace(scope, ("alice",)),
        lambda store, _, scope: store.delete_namespace(scope, ()),
    ),
    "list": (
        lambda store, _, scope: store.list(scope, (), limit=99),
        lambda store, _, scope: store.list(scope, _PLACE, filter={"is": _CANARY}, limit=99),
    ),
    "namespaces": (
        lambda store, _, scope: store.namespaces(scope, (), limit=99),
        lambda store, _, scope: store.namespaces(scope, _PLACE, max_depth=1, limit=99),
    ),
    "versions": (lambda store, _, scope: store.versions(scope, _PLACE, "victim", limit=9),),
    "restore": (lambda store, clock, scope: store.restore(scope, [[_restored(clock)]]),),
    "tenants": (lambda store, _, _scope: store.tenants(),),
    "sweep": (lambda store, clock, _scope: store.sweep(clock.now()),),
}


def _later(clock: FakeClock) -> LaterEnd:
    return LaterEnd(_PLACE, "victim", 2, clock.now() + timedelta(days=1))


def _restored(clock: FakeClock) -> MemoryRecord:
    now = clock.now()
    return MemoryRecord(
        namespace=_PLACE, key="victim", value={}, version=1, created_at=now, updated_at=now
    )


class RecordListContract(Contract[RecordStore]):
    """`RecordStore.list`, `namespaces`, `delete_namespace`, isolation and use after close."""

    @scenario
    async def test_a_prefix_matches_whole_labels_only(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """("a",) reaches ("a", "b") and never ("ab",), for listing, naming and deleting."""
        await store.put(ALICE, [record("k", namespace=home) for home in _HOMES])
        for prefix in [(), *_HOMES, ("a", "b", "c", "d"), ("none",)]:
            below = {home for home in _HOMES if home[: len(prefix)] == prefix}
            listed = await store.list(ALICE, prefix, limit=99)
            assert {one.namespace for one in listed} == below, prefix
            assert await store.namespaces(ALICE, prefix, limit=99) == sorted(below), prefix
        assert await store.delete_namespace(ALICE, ("a",)) == 6
        assert await store.delete_namespace(ALICE, ("a",)) == 0
        left = {one.namespace for one in await store.list(ALICE, (), limit=99)}
        assert left == {home for home in _HOMES if home[0] != "a"}

    @scenario
    async def test_deleting_a_namespace_takes_its_versions(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """It counts keys, not versions, and nothing of them is left."""
        for number in range(3):
            await store.put(ALICE, [record("k", {"n": number}), record("j")])
        assert await store.delete_namespace(ALICE, ("alice",)) == 2
        assert await store.versions(ALICE, ("alice",), "k", limit=9) == []
        [stored] = await store.put(ALICE, [record("k")])
        assert stored.version == 1

    @scenario
    async def test_the_last_updated_comes_first(self, store: RecordStore, clock: FakeClock) -> None:
        """Ties by namespace and key; pages of every size give the same list."""
        for home, key in ((("b",), "x"), (("a",), "z"), (("a",), "y"), (("c",), "w")):
            await store.put(ALICE, [record(key, namespace=home)])
        clock.advance(timedelta(microseconds=1))
        await store.put(ALICE, [record("w", namespace=("c",))])
        order = ["w", "y", "z", "x"]
        for size in (1, 2, 3, 4, 9):
            seen = list[str]()
            for offset in range(0, 5, size):
                page = await store.list(ALICE, (), limit=size, offset=offset)
                seen += [one.key for one in page]
            assert seen == order, size
        assert await store.list(ALICE, (), limit=9, offset=9) == []

    @scenario
    async def test_a_filter_applies_before_the_limit(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Limit and offset count what matches, however rare it is."""
        for number in range(60):
            value = {"n": number, "even": number % 2 == 0, "of": {"ten": number // 10}}
            await store.put(ALICE, [record(f"k{number:02}", value)])
            clock.advance(timedelta(seconds=1))

        async def found(wanted: dict[str, Any], limit: int = 99, offset: int = 0) -> list[int]:
            page = await store.list(ALICE, (), filter=wanted, limit=limit, offset=offset)
            return [one.value["n"] for one in page]

        assert await found({"n": 3}, limit=1) == [3]
        assert await found({"even": True, "of.ten": 0}) == [8, 6, 4, 2, 0]
        assert await found({"even": True, "of.ten": 0}, limit=2, offset=2) == [4, 2]
        assert await found({"n": {"$gte": 10, "$lt": 13}}) == [12, 11, 10]
        assert await found({"n": {"$in": [1, "2", 50]}}) == [50, 1]
        assert await found({"even": {"$ne": True}, "n": {"$lt": 3}}) == [1]
        assert await found({"absent": {"$exists": True}}) == []
        assert await found({"even": 1}) == []

    @scenario
    async def test_a_bad_filter_is_an_input_error(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Unknown operators and values that are not JSON; hostile keys are only names."""
        await store.put(ALICE, [record("k", {"a'; DROP TABLE records; --": 1})])
        for wrong in ({"a": {"$where": "1"}}, {"a": {"$in": 3}}, {"": 1}, {"a": float("nan")}):
            with pytest.raises(InvalidInputError):
                await store.list(ALICE, (), filter=wrong, limit=9)
        hostile = {"a'; DROP TABLE records; --": 1}
        assert len(await store.list(ALICE, (), filter=hostile, limit=9)) == 1
        for miss in ({"1=1 OR a": 1}, {"$[*]": 1}, {"a') OR 1=1 --": 1}, {"%": 1}):
            assert await store.list(ALICE, (), filter=miss, limit=9) == []

    @scenario
    async def test_namespaces_are_distinct_sorted_and_cut(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Depth first, then pages."""
        homes = [("b",), ("a", "x", "1"), ("a", "x", "2"), ("a", "y"), ("a b", "z")]
        for home in homes:
            await store.put(ALICE, [record("k", namespace=home), record("j", namespace=home)])
        assert await store.namespaces(ALICE, (), limit=9) == sorted(homes)
        cut = [("a", "x"), ("a", "y"), ("a b", "z"), ("b",)]
        assert await store.namespaces(ALICE, (), max_depth=2, limit=9) == cut
        assert await store.namespaces(ALICE, (), max_depth=1, limit=9) == [("a",), ("a b",), ("b",)]
        assert await store.namespaces(ALICE, (), max_depth=2, limit=2, offset=1) == cut[1:3]
        assert await store.namespaces(ALICE, ("a",), max_depth=2, limit=9) == cut[:2]

    def test_every_method_has_an_isolation_case(self) -> None:
        """A method without a case is a hole that nobody looked into."""
        assert set(RECORD_CASES) == protocol_methods(RecordStore)

    @scenario
    async def test_no_method_reaches_another_tenant(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Every method, under every foreign scope, shows nothing and changes nothing."""
        for number in range(2):
            value = {"is": _CANARY, "n": number}
            await store.put(ALICE, [record("victim", value, namespace=_PLACE)])
        before = await _everything(store)
        assert _CANARY in before
        for name, cases in RECORD_CASES.items():
            for case in cases:
                for foreign in (RIVAL, Scope("rival"), Scope("acm"), Scope("acme ", "alice")):
                    try:
                        shown = repr(await case(store, clock, foreign))
                    except DaybookError as exc:
                        shown = str(exc)
                    assert _CANARY not in shown, (name, foreign)
                    assert await _everything(store) == before, (name, foreign)

    @scenario
    async def test_a_closed_store_refuses_every_method(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Closing is repeatable; everything else raises `StoreClosedError`."""
        await self.engine.close()
        await self.engine.close()
        for name, cases in RECORD_CASES.items():
            for case in cases:
                with pytest.raises(StoreClosedError) as caught:
                    await case(store, clock, ALICE)
                assert caught.value.engine == store.capabilities.engine, name


async def _everything(store: RecordStore) -> str:
    kept = await store.versions(ALICE, _PLACE, "victim", limit=99)
    return repr((kept, await store.list(ALICE, ("alice",), limit=99)))
