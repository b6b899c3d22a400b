"""A Hypothesis machine that drives any record store and a dictionary side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct
from msgspec.structs import replace

from daybook.errors import ConflictError
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace
from daybook.model.scope import Scope
from daybook.protocols.record_store import RecordStore
from daybook.testing.fake_clock import FakeClock
from daybook.testing.log_machine_base import machine_settings
from daybook.testing.sample_data import record
from daybook.testing.scenario import Contract

__all__ = ["RecordStateMachine", "run_record_machine"]

T = TypeVar("T")
_Place = tuple[str, Namespace, str]


class _Written(Struct, frozen=True):
    """One version: its number, the number in its value, its end, its times."""

    version: int
    n: int
    expires_at: datetime | None
    updated_at: datetime
    created_at: datetime


_TENANTS = st.sampled_from(["t", "w"])
_HOMES = st.sampled_from([("a",), ("ab",), ("a", "b"), ("a", "b", "c"), ("A",), ('a","b',)])
_KEYS = st.sampled_from(["k", "K", "k%"])
_ENDS = st.sampled_from([None, None, 0, 5, 60])
_WANTED = st.sampled_from([None, None, 0, 1, 2, 5])
_WRITES = st.lists(
    st.tuples(_HOMES, _KEYS, st.integers(0, 5), _ENDS, _WANTED), min_size=1, max_size=3
)

_LATER = st.lists(
    st.tuples(_HOMES, _KEYS, st.sampled_from([None, None, 1, 2]), st.sampled_from([1, 5, 90])),
    max_size=3,
    unique_by=lambda end: end[:2],
)


def run_record_machine(
    contract: Contract[RecordStore], *, examples: int, steps: int, shrink: bool = True
) -> None:
    """Compare a contract's engine with the model over many random histories."""
    machine = cast("type[RuleBasedStateMachine]", lambda: RecordStateMachine(contract))
    run_state_machine_as_test(machine, settings=machine_settings(examples, steps, shrink=shrink))


class RecordStateMachine(RuleBasedStateMachine):
    """One random history. The model holds the versions of each key, oldest first."""

    def __init__(self, contract: Contract[RecordStore]) -> None:
        super().__init__()
        contract.renew()
        self.clock = FakeClock()
        self.model: dict[_Place, list[_Written]] = {}
        self.runner = asyncio.Runner()
        self.engine = self.do(contract.open(self.clock))
        self.store = contract.store_of(self.engine)

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        """Run one call."""
        return self.runner.run(call)

    def teardown(self) -> None:
        """Close the engine and the loop, with whatever is left on it."""
        try:
            self.do(self.engine.close())
        finally:
            self.runner.close()

    def live(self) -> dict[_Place, list[_Written]]:
        """Return the keys that have not expired."""
        now = self.clock.now()
        return {
            place: versions
            for place, versions in self.model.items()
            if not _is_over(versions[-1], now)
        }

    @rule(tenant=_TENANTS, writes=_WRITES)
    def put(
        self, tenant: str, writes: list[tuple[Namespace, str, int, int | None, int | None]]
    ) -> None:
        """A batch, perhaps with conditions."""
        now = self.clock.now()
        after = self.live()
        fits, numbers, given = True, list[int](), []
        for home, key, number, seconds, wanted in writes:
            end = None if seconds is None else now + timedelta(seconds=seconds)
            given.append(
                record(key, {"n": number}, namespace=home, expires_at=end, expected_version=wanted)
            )
            place = (tenant, home, key)
            before = after.get(place, [])
            if before and _is_over(before[-1], now):
                before = []
            last = before[-1].version if before else 0
            fits = fits and wanted in (None, last)
            made = before[0].created_at if before else now
            after[place] = [*before, _Written(last + 1, number, end, now, made)]
            numbers.append(last + 1)
        try:
            stored = self.do(self.store.put(Scope(tenant), given))
        except ConflictError:
            assert not fits
            return
        assert fits
        assert [one.version for one in stored] == numbers
        self.model = {**self.model, **after}

    @rule(
        tenant=_TENANTS,
        home=_HOMES,
        key=_KEYS,
        versions=st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True),
        seconds=_ENDS,
    )
    def restore(
        self, tenant: str, home: Namespace, key: str, versions: list[int], seconds: int | None
    ) -> None:
        """A key as it was elsewhere, in place of what it had."""
        now = self.clock.now()
        end = None if seconds is None else now + timedelta(seconds=seconds)
        past = now - timedelta(seconds=60)
        history = [
            _Written(version, version % 6, end, past + timedelta(seconds=version), past)
            for version in sorted(versions)
        ]
        given = [
            MemoryRecord(
                namespace=home,
                key=key,
                value={"n": one.n},
                version=one.version,
                created_at=one.created_at,
                updated_at=one.updated_at,
                expires_at=one.expires_at,
            )
            for one in history
        ]
        self.do(self.store.restore(Scope(tenant), [given]))
        self.model[tenant, home, key] = history

    @rule(tenant=_TENANTS, ends=_LATER)
    def extend(self, tenant: str, ends: list[tuple[Namespace, str, int | None, int]]) -> None:
        """Some ends put off; of what is no such version, has no end, or ends later, none."""
        now, live, given, changed = self.clock.now(), self.live(), list[LaterEnd](), 0
        for home, key, wanted, seconds in ends:
            end = now + timedelta(seconds=seconds)
            place = (tenant, home, key)
            versions = live.get(place, [])
            last = versions[-1] if versions else None
            number = wanted or (last.version if last else 1)
            given.append(LaterEnd(home, key, number, end))
            if last and last.version == number and last.expires_at and last.expires_at < end:
                self.model[place] = [*versions[:-1], replace(last, expires_at=end)]
                changed += 1
        assert self.do(self.store.extend(Scope(tenant), given)) == changed

    @rule(tenant=_TENANTS, places=st.lists(st.tuples(_HOMES, _KEYS), max_size=3))
    def delete(self, tenant: str, places: list[tuple[Namespace, str]]) -> None:
        """Some keys, there or not."""
        there = {(tenant, *place) for place in places} & self.live().keys()
        assert self.do(self.store.delete(Scope(tenant), places)) == len(there)
        for place in places:
            self.model.pop((tenant, *place), None)

    @rule(tenant=_TENANTS, prefix=_HOMES)
    def delete_namespace(self, tenant: str, prefix: Namespace) -> None:
        """All below a prefix."""
        below = {place for place in self.model if _is_below(place, tenant, prefix)}
        removed = self.do(self.store.delete_namespace(Scope(tenant), prefix))
        assert removed == len(below & self.live().keys())
        for place in below:
            del self.model[place]

    @rule(seconds=st.sampled_from([0, 1, 5, 60]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        """What expired is removed and named."""
        expired = self.model.keys() - self.live().keys()
        assert set(self.do(self.store.sweep(self.clock.now()))) == expired
        self.model = self.live()

    @rule(tenant=_TENANTS, prefix=_HOMES | st.just(()), number=st.integers(0, 5), limit=_KEYS)
    def find(self, tenant: str, prefix: Namespace, number: int, limit: str) -> None:
        """A filtered list."""
        wanted = {
            place[1:]
            for place, versions in self.live().items()
            if _is_below(place, tenant, prefix) and versions[-1].n >= number
        }
        found = self.do(
            self.store.list(
                Scope(tenant), prefix, filter={"n": {"$gte": number}}, limit=len(limit) + 98
            )
        )
        assert {(one.namespace, one.key) for one in found} == wanted

    @invariant()
    def everything_agrees(self) -> None:
        """Every listed record, its history and all namespaces are those of the model."""
        for tenant in ("t", "w"):
            mine = {place[1:]: one for place, one in self.live().items() if place[0] == tenant}
            listed = self.do(self.store.list(Scope(tenant), (), limit=99))
            assert {(one.namespace, one.key): _summary(one) for one in listed} == {
                place: versions[-1] for place, versions in mine.items()
            }
            updated = [one.updated_at for one in listed]
            assert updated == sorted(updated, reverse=True)
            for (home, key), versions in mine.items():
                kept = self.do(self.store.versions(Scope(tenant), home, key, limit=99))
                assert [_summary(one) for one in kept] == versions[::-1]
            names = self.do(self.store.namespaces(Scope(tenant), (), limit=99))
            assert names == sorted({home for home, _ in mine})
            below = self.do(self.store.list(Scope(tenant), ("a",), limit=99))
            assert {(one.namespace, one.key) for one in below} == {
                place for place in mine if place[0][0] == "a"
            }


def _is_below(place: _Place, tenant: str, prefix: Namespace) -> bool:
    return place[0] == tenant and place[1][: len(prefix)] == prefix


def _is_over(version: _Written, now: datetime) -> bool:
    return version.expires_at is not None and version.expires_at <= now


def _summary(one: MemoryRecord) -> _Written:
    return _Written(one.version, one.value["n"], one.expires_at, one.updated_at, one.created_at)
