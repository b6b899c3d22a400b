"""Calls cancelled in the middle, far from a server: no caller is ever given another's reply."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from daybook.client import AsyncDaybook
from daybook.errors import StoreError
from tools.crash.append_checker import Append
from tools.crash.engines.crowd import judge_place
from tools.crash.engines.session_calls import Call, collect
from tools.crash.store import USER, make_message
from tools.crash.tally import Tally

__all__ = ["storm_of_cancellations"]

_CALLERS = 16
_CANCELLED = 0.4  # share of the calls
_LONGEST_S = 0.02  # a call that is cancelled is cancelled within this
_RECENT = 8  # how many of the newest messages a caller looks at


class _Caller:
    """One caller with a session and a record of its own: every reply must be about these."""

    def __init__(self, book: AsyncDaybook, number: int) -> None:
        self.session = f"own-{number}"
        self.calls: list[tuple[str, Call]] = []
        self.foreign = 0
        self.failures = 0
        self.cancelled = 0
        self._book = book
        self._random = random.Random(number)
        self._count = 0
        self._place = ((f"user-{number}", "notes"), f"key-{number}")

    async def prepare(self) -> None:
        """Store what the caller asks for."""
        await self._book.sessions.create(
            user_id=USER, session_id=self.session, metadata={"is": self.session}
        )
        await self._book.records.put(*self._place, {"is": self.session})

    async def work(self, operations: int) -> None:
        """Call one after another; cancel four of ten at a random moment."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self._append, self._append),
            *(self._read, self._read, self._get, self._record),
        ]
        for _ in range(operations):
            task = asyncio.ensure_future(self._random.choice(kinds)())
            if self._random.random() < _CANCELLED:
                await asyncio.wait([task], timeout=self._random.random() * _LONGEST_S)
                self.cancelled += task.cancel()
            await asyncio.wait([task])
            if task.cancelled():
                continue
            try:
                task.result()
            except StoreError:
                self.failures += 1

    async def _append(self) -> None:
        self._count += 1
        one = f"{self.session}-{self._count}"
        invoked = time.monotonic_ns()
        at = len(self.calls)
        self.calls.append((self.session, Append(0, (one,), invoked, None, "unknown")))
        receipt = await self._book.history.append(self.session, make_message(one), user_id=USER)
        place = (receipt.first_seq, receipt.last_seq)
        done = Append(0, (one,), invoked, time.monotonic_ns(), "ok", *place)
        self.calls[at] = (self.session, done)
        self._compare(receipt.session_id, self.session)

    async def _read(self) -> None:
        found = await self._book.history.list(self.session, limit=_RECENT, user_id=USER)
        for message in found:
            self._compare(message.id.rpartition("-")[0], self.session)

    async def _get(self) -> None:
        found = await self._book.sessions.get(self.session, user_id=USER)
        self._compare(found and (found.id, found.metadata), (self.session, {"is": self.session}))

    async def _record(self) -> None:
        found = await self._book.records.get(*self._place)
        self._compare(found and found.value, {"is": self.session})

    def _compare(self, seen: Any, own: Any) -> None:
        self.foreign += seen != own


async def storm_of_cancellations(
    engine: str, book: AsyncDaybook, direct: AsyncDaybook, *, operations: int
) -> Tally:
    """Let callers share one opened daybook and cancel four of ten calls; judge all replies.

    Args:
        engine: For the report.
        book: The one they share, behind a slow way to the server.
        direct: Opened on the same place, for the last look.
        operations: How many calls altogether.
    """
    tally = Tally("cancelled calls", engine=engine)
    started = time.monotonic()
    callers = [_Caller(book, number) for number in range(_CALLERS)]
    await asyncio.gather(*(caller.prepare() for caller in callers))
    await asyncio.gather(*(caller.work(operations // _CALLERS) for caller in callers))
    calls = [call for caller in callers for call in caller.calls]
    anomalies, wrong = await judge_place(direct, collect(calls))
    tally.calls = operations
    tally.operations = sum(getattr(call, "outcome", "") == "ok" for _, call in calls)
    tally.faults = sum(caller.cancelled for caller in callers)
    if foreign := sum(caller.foreign for caller in callers):
        wrong.append(f"{foreign} replies were another's")
    if failed := sum(caller.failures for caller in callers):
        wrong.append(f"{failed} calls failed")
    tally.add("storm", anomalies, wrong)
    tally.seconds = time.monotonic() - started
    return tally
