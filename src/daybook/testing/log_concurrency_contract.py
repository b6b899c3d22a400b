"""What many callers at once may rely on: one history, whole batches, no lost or doubled message.

Wherever the engine shares its data, half of the callers use a second opened engine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from random import Random

from daybook.errors import ConflictError
from daybook.model.entry import AppendResult
from daybook.protocols.message_log import MessageLog
from daybook.testing.cancelling import CUT, Scissors
from daybook.testing.fake_clock import FakeClock
from daybook.testing.log_crowd import Crowd
from daybook.testing.sample_data import (
    ALICE,
    entries,
    make_session,
    message_ids,
    start_session,
)
from daybook.testing.scenario import Contract, scenario, together

__all__ = ["LogConcurrencyContract"]

_CALLERS = 8
_PARTS = 3


class LogConcurrencyContract(Contract[MessageLog]):
    """Crowds, cancelled calls and repeated deliveries."""

    @scenario
    async def test_a_crowd_sees_one_history(self, log: MessageLog, clock: FakeClock) -> None:
        """Appends, reads, forks, clears and deletions by eight callers on two opened logs."""
        crowd = Crowd(clock, steps=self.scaled(15))
        await crowd.begin(log)
        async with self.beside(clock) as other:
            await together(
                *(crowd.work((log, other)[caller % 2], caller) for caller in range(_CALLERS))
            )
            await crowd.check(other)
        await crowd.check(log)

    @scenario
    async def test_a_crowd_on_two_event_loops(self, log: MessageLog, clock: FakeClock) -> None:
        """One opened log, two threads with event loops of their own."""
        crowd = Crowd(clock, steps=self.scaled(10))
        await crowd.begin(log)

        async def several(first: int) -> None:
            await together(*(crowd.work(log, first + caller) for caller in range(4)))

        await together(*(asyncio.to_thread(asyncio.run, several(first)) for first in (100, 200)))
        await crowd.check(log)

    @scenario
    async def test_creators_on_two_opened_logs(self, log: MessageLog, clock: FakeClock) -> None:
        """One of many takes an id, the others hear of it; what they see is the one that won."""
        async with self.beside(clock) as other:
            for number in range(self.scaled(5)):
                made = await asyncio.gather(
                    *(
                        (log, other)[caller % 2].create_session(
                            ALICE, make_session(f"s{number}", clock, title=str(caller))
                        )
                        for caller in range(_CALLERS)
                    ),
                    return_exceptions=True,
                )
                won = [one for one in made if not isinstance(one, BaseException)]
                assert len(won) == 1
                assert sum(isinstance(one, ConflictError) for one in made) == _CALLERS - 1
                for each in (log, other):
                    assert await each.get_session(ALICE, f"s{number}") == won[0]

    @scenario
    async def test_what_is_delivered_several_times_is_stored_once(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Each of 300 batches one to five times, by many callers at once: one place for each."""
        await start_session(log, clock)
        batches = [[f"{number}a", f"{number}b"] for number in range(self.scaled(300))]
        chance = Random(3)  # noqa: S311 - a reproducible test, no secret
        waiting = [one for one in batches for _ in range(chance.randint(1, 5))]
        chance.shuffle(waiting)
        deliveries = deque(waiting)
        receipts: dict[str, list[AppendResult]] = {batch[0]: [] for batch in batches}

        async def deliver(to: MessageLog) -> None:
            while deliveries:
                batch = deliveries.popleft()
                result = await to.append(ALICE, "s", entries(*batch))
                assert result is not None
                receipts[batch[0]].append(result)
                await asyncio.sleep(0)

        async with self.beside(clock) as other:
            await together(*(deliver((log, other)[n % 2]) for n in range(_CALLERS)))
        stored = message_ids(await log.read(ALICE, "s"))
        assert len(stored) == 2 * len(batches)
        for batch in batches:
            told = receipts[batch[0]]
            assert len({(one.first_seq, one.last_seq) for one in told}) == 1, batch
            assert sorted(one.duplicates for one in told) == [0] + [2] * (len(told) - 1), batch
            assert stored[told[0].first_seq - 1 : told[0].last_seq] == batch

    @scenario
    async def test_cancelled_calls_leave_nothing_half_done(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Batches are whole or absent, replies reach only who asked, and the log goes on."""
        writers = [_Writer(log, f"s{number}", number) for number in range(6)]
        for one in writers:
            await start_session(log, clock, session_id=one.session_id)
        await together(*(one.work(self.scaled(20)) for one in writers))
        await together(*(one.check() for one in writers))


class _Writer:
    """A caller with a session of its own, some of whose calls are cancelled."""

    def __init__(self, log: MessageLog, session_id: str, seed: int) -> None:
        self.log = log
        self.session_id = session_id
        self.sent: list[list[str]] = []
        self.acknowledged: list[list[str]] = []
        self._scissors = Scissors(seed)

    async def work(self, steps: int) -> None:
        """Append, look and read in turn."""
        for step in range(steps):
            batch = [f"{self.session_id}.{step}.{part}" for part in range(_PARTS)]
            self.sent.append(batch)
            receipt = await self._scissors.run(
                self.log.append(ALICE, self.session_id, entries(*batch))
            )
            if receipt != CUT:
                assert receipt is not None
                assert receipt.last_seq - receipt.first_seq == _PARTS - 1
                self.acknowledged.append(batch)
            session = await self._scissors.run(self.log.get_session(ALICE, self.session_id))
            if session != CUT:
                assert session is not None
                assert session.id == self.session_id, "another call's reply"
                assert session.message_count % _PARTS == 0, "half a batch"
            found = await self._scissors.run(self.log.read(ALICE, self.session_id))
            if found != CUT:
                self._check_read(message_ids(found))

    def _check_read(self, ids: list[str]) -> None:
        assert all(one.startswith(f"{self.session_id}.") for one in ids), "another call's reply"
        batches = [ids[start : start + _PARTS] for start in range(0, len(ids), _PARTS)]
        assert all(batch in self.sent for batch in batches), "half a batch"
        assert all(batch in batches for batch in self.acknowledged), "a lost batch"

    async def check(self) -> None:
        """Send everything once more: what was cut is completed, nothing is stored twice."""
        self._check_read(message_ids(await self.log.read(ALICE, self.session_id)))
        for batch in self.sent:
            assert await self.log.append(ALICE, self.session_id, entries(*batch))
        stored = message_ids(await self.log.read(ALICE, self.session_id))
        assert sorted(stored) == sorted(one for batch in self.sent for one in batch)
        self._check_read(stored)
