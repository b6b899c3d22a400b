"""What many writers of records at once may rely on."""

from __future__ import annotations

import asyncio

from daybook.errors import ConflictError
from daybook.protocols.record_store import RecordStore
from daybook.testing.cancelling import CUT, Scissors
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, record
from daybook.testing.scenario import Contract, scenario, together

__all__ = ["RecordConcurrencyContract"]

_HOME = ("alice",)
_CALLERS = 8


class RecordConcurrencyContract(Contract[RecordStore]):
    """Races for a version, and cancelled calls."""

    @scenario
    async def test_one_of_many_writers_wins_each_version(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """On two opened stores; the history is that of the winners."""
        won = list[int]()
        async with self.beside(clock) as other:
            for version in range(self.scaled(8)):
                results = await asyncio.gather(
                    *(
                        (store, other)[caller % 2].put(
                            ALICE, [record("k", {"n": caller}, expected_version=version)]
                        )
                        for caller in range(_CALLERS)
                    ),
                    return_exceptions=True,
                )
                stored = [one for one in results if not isinstance(one, BaseException)]
                assert len(stored) == 1
                assert sum(isinstance(one, ConflictError) for one in results) == _CALLERS - 1
                won.append(stored[0][0].value["n"])
        kept = await store.versions(ALICE, _HOME, "k", limit=99)
        assert [one.value["n"] for one in kept] == won[::-1]
        assert [one.version for one in kept] == [*range(len(won), 0, -1)]

    @scenario
    async def test_unconditional_writers_all_get_a_version(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """No write is lost, none shares its number with another."""
        async with self.beside(clock) as other:
            results = await together(
                *(
                    (store, other)[number % 2].put(ALICE, [record("k", {"n": number})])
                    for number in range(self.scaled(24))
                )
            )
        told = {one.version: one.value["n"] for [one] in results}
        kept = await store.versions(ALICE, _HOME, "k", limit=99)
        assert {one.version: one.value["n"] for one in kept} == told
        assert sorted(told) == [*range(1, len(results) + 1)]

    @scenario
    async def test_cancelled_puts_are_whole_or_absent(
        self, store: RecordStore, clock: FakeClock
    ) -> None:
        """Of three keys written together all are there or none; each reply is the asker's."""

        async def work(caller: int) -> None:
            scissors = Scissors(caller)
            for step in range(self.scaled(15)):
                home = ("alice", f"{caller}", f"{step}")
                batch = [record(key, {"home": home[1:]}, namespace=home) for key in "abc"]
                stored = await scissors.run(store.put(ALICE, batch))
                places = [(home, key) for key in "abc"]
                found = await scissors.run(store.get(ALICE, places))
                if found != CUT:
                    there = [one for one in found if one is not None]
                    assert len(there) in (0, 3), "a part of what was put together"
                    assert len(there) == 3 or stored == CUT, "a lost record"
                    assert all(one.namespace == home for one in there), "another call's reply"
                again = await store.put(ALICE, batch)
                assert len({one.version for one in again}) == 1, "a part of what was put together"

        await together(*(work(caller) for caller in range(6)))
