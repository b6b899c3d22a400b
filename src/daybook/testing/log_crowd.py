"""A crowd of callers on one log, what each did and saw, and whether one history explains it.

The crowd works on three sessions: ``grow`` is only appended to, ``clear`` is cleared now and then,
``delete`` deleted and made again. Moments are counted, not timed: every deed notes a number before
it began and one after it ended, so "before" means that one ended before the other began.
"""

from __future__ import annotations

import asyncio
from itertools import count, pairwise
from random import Random

from msgspec import Struct

from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog
from daybook.testing.sample_data import ALICE, entries, make_session, message_ids

__all__ = ["Crowd", "Deed", "check_history"]

_Seen = tuple[tuple[int, str], ...]  # numbers and ids of messages


class Deed(Struct, frozen=True):
    """One finished call.

    Attributes:
        kind: ``append``, ``read`` or ``remove``.
        session_id: Where.
        began: Less than the `began` of every later call.
        ended: Greater than the `began` of every call that it overlapped with.
        seen: What was read, or what was appended where.
    """

    kind: str
    session_id: str
    began: int
    ended: int
    seen: _Seen = ()

    @property
    def ids(self) -> list[str]:
        """The messages' ids, in order."""
        return [one for _, one in self.seen]


class Crowd:
    """Callers with tasks, threads and event loops of their own; `deeds` is what they did."""

    def __init__(self, clock: Clock, *, steps: int) -> None:
        self._clock = clock
        self._steps = steps
        self._moments = count()
        self.deeds: list[Deed] = []
        self.forks: dict[str, int] = {}

    async def begin(self, log: MessageLog) -> None:
        """Make the sessions."""
        for name in ("grow", "clear"):
            await log.create_session(ALICE, make_session(name, self._clock))

    async def work(self, log: MessageLog, worker: int) -> None:
        """Do what one caller does: always the same for the same number."""
        chance = Random(worker)  # noqa: S311 - a reproducible test, no secret
        for step in range(self._steps):
            name = chance.choice(["grow", "grow", "clear", "delete"])
            deed = chance.choice(["append"] * 5 + ["read"] * 3 + ["other"])
            if deed == "append":
                ids = [f"{worker}.{step}.{part}" for part in range(chance.randint(1, 3))]
                await self._append(log, name, ids)
            elif deed == "read":
                await self.read(log, name)
            elif name == "grow":
                await self._fork(log, f"fork {worker}.{step}")
            else:
                await self._remove(log, name)
            await asyncio.sleep(0)  # an engine in memory never lets go by itself

    async def read(self, log: MessageLog, name: str) -> list[str]:
        """Read a session to its end."""
        began = next(self._moments)
        found = await log.read(ALICE, name)
        seen = tuple(zip([one.seq for one in found], message_ids(found), strict=True))
        self.deeds.append(Deed("read", name, began, next(self._moments), seen))
        return [one for _, one in seen]

    async def _append(self, log: MessageLog, name: str, ids: list[str]) -> None:
        began = next(self._moments)
        new = make_session(name, self._clock)
        result = await log.append(ALICE, name, entries(*ids), create=new)
        assert result is not None
        assert result.last_seq - result.first_seq == len(ids) - 1
        assert result.duplicates == 0
        seen = tuple(enumerate(ids, result.first_seq))
        self.deeds.append(Deed("append", name, began, next(self._moments), seen))

    async def _remove(self, log: MessageLog, name: str) -> None:
        began = next(self._moments)
        if name == "clear":
            await log.clear(ALICE, name)
        else:
            await log.delete_session(ALICE, name)
        self.deeds.append(Deed("remove", name, began, next(self._moments)))

    async def _fork(self, log: MessageLog, child: str) -> None:
        self.forks[child] = next(self._moments)
        assert await log.fork_session(ALICE, "grow", make_session(child, self._clock))
        assert await log.append(ALICE, child, entries("own"))

    async def check(self, log: MessageLog) -> None:
        """Read everything once more and compare all that was seen.

        Raises:
            AssertionError: No single history explains what the callers saw.
        """
        for name in ("grow", "clear", "delete"):
            await self.read(log, name)
            mine = [one for one in self.deeds if one.session_id == name]
            check_history(mine, numbers_go_on=name != "delete")
        whole = await self.read(log, "grow")
        acknowledged = [
            one for one in self.deeds if one.kind == "append" and one.session_id == "grow"
        ]
        for child, began in self.forks.items():
            *shared, own = await self.read(log, child)
            assert own == "own", child
            assert shared == whole[: len(shared)], f"{child}: not its parent's past"
            for batch in acknowledged:
                there = len(set(batch.ids) & set(shared))
                assert there in (0, len(batch.ids)), f"{child}: half a batch"
                assert there or batch.ended > began, f"{child}: misses what was there before"


def check_history(deeds: list[Deed], *, numbers_go_on: bool) -> None:
    """Tell whether one session's appends, reads and removals fit together.

    Args:
        deeds: What was done to it.
        numbers_go_on: No number is given twice, not even after a removal.

    Raises:
        AssertionError: They do not; says how.
    """
    appends = [one for one in deeds if one.kind == "append"]
    removals = [one for one in deeds if one.kind == "remove"]
    for read in (one for one in deeds if one.kind == "read"):
        _check_read(read, appends, removals)
    if numbers_go_on:
        names: dict[int, str] = {}
        for seq, name in (each for deed in deeds for each in deed.seen):
            assert names.setdefault(seq, name) == name, f"number {seq} was given twice"


def _check_read(read: Deed, appends: list[Deed], removals: list[Deed]) -> None:
    ids = read.ids
    assert len(set(ids)) == len(ids), "a message twice"
    assert all(b == a + 1 for (a, _), (b, _) in pairwise(read.seen)), "a gap"
    seen = set(ids)
    shown = []
    for batch in appends:
        if not seen.intersection(batch.ids):
            assert not _must_show(read, batch, removals), "an acknowledged batch is missing"
            continue
        assert set(batch.seen) <= set(read.seen), "half a batch, or not where its receipt says"
        assert not any(batch.ended < gone.began and gone.ended < read.began for gone in removals), (
            "a removed batch is back"
        )
        shown.append(batch)
    for one in shown:
        for other in shown:
            assert one.ended > other.began or one.seen < other.seen, "not in the order acknowledged"


def _must_show(read: Deed, batch: Deed, removals: list[Deed]) -> bool:
    after = batch.ended < read.began
    return after and not any(
        batch.began < gone.ended and gone.began < read.ended for gone in removals
    )
