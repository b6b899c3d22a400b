"""What writing records as they were elsewhere must do."""

from __future__ import annotations

from datetime import timedelta

from daybook.model.memory_record import MemoryRecord, Provenance
from daybook.protocols.record_store import RecordStore
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, RIVAL, record
from daybook.testing.scenario import Contract, scenario

__all__ = ["RecordRestoreContract"]

_TICK = timedelta(microseconds=1)


def _history(clock: FakeClock, *versions: int) -> list[MemoryRecord]:
    past = clock.now() - timedelta(days=900, microseconds=7)
    return [
        MemoryRecord(
            namespace=("alice", "prefs"),
            key="k",
            value={"n": version, "big": 2**63, "text": "naïve\x00"},
            version=version,
            created_at=past,
            updated_at=past + version * _TICK,
            expires_at=clock.now() + timedelta(days=1),
            provenance=Provenance(source="extractor", message_ids=("m1",), session_id="s"),
        )
        for version in versions
    ]


class RecordRestoreContract(Contract[RecordStore]):
    """`RecordStore.restore` and `tenants`."""

    @scenario
    async def test_a_history_comes_back_as_it_was(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Versions, times, ends and provenance; the next write goes on from there."""
        history = _history(clock, 3, 4, 7)
        await store.restore(ALICE, [history])
        assert await store.versions(ALICE, ("alice", "prefs"), "k", limit=9) == history[::-1]
        assert await store.get(ALICE, [(("alice", "prefs"), "k")]) == [history[-1]]
        assert await store.list(ALICE, ("alice",), filter={"n": 7}, limit=9) == [history[-1]]
        [next_one] = await store.put(ALICE, [record("k", namespace=("alice", "prefs"))])
        assert (next_one.version, next_one.created_at) == (8, history[0].created_at)

    @scenario
    async def test_a_restore_replaces_and_is_repeatable(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """What the key had before is gone, other keys stay."""
        await store.put(ALICE, [record("k", namespace=("alice", "prefs")), record("other")])
        await store.put(ALICE, [record("k", namespace=("alice", "prefs"))])
        history = _history(clock, 1)
        for _ in range(2):
            await store.restore(ALICE, [history])
        assert await store.versions(ALICE, ("alice", "prefs"), "k", limit=9) == history
        assert await store.get(ALICE, [(("alice",), "other")]) != [None]

    @scenario
    async def test_a_restored_record_expires(self, store: RecordStore, clock: FakeClock) -> None:
        """At its own end, and the sweep finds it."""
        await store.restore(ALICE, [_history(clock, 1, 2)])
        clock.advance(timedelta(days=1))
        assert await store.get(ALICE, [(("alice", "prefs"), "k")]) == [None]
        assert await store.sweep(clock.now()) == [("acme", ("alice", "prefs"), "k")]

    @scenario
    async def test_tenants_with_records_are_told(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Sorted, each once."""
        assert await store.tenants() == []
        for scope in (RIVAL, ALICE):
            await store.put(scope, [record("a"), record("b")])
        assert await store.tenants() == ["acme", "rival"]
