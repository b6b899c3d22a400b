"""A storm of cancelled calls on one opened store, from several event loops at once."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from daybook.client import AsyncDaybook
from daybook.model.entry import Receipt
from daybook.model.message import Message
from tools.crash.append_checker import Append, History, Read, check
from tools.crash.store import USER, integrity, make_message, open_book
from tools.crash.tally import Tally

__all__ = ["Deliver", "Storm", "misdeliver", "storm"]

_SESSION = "stormy"
_READS, _CANCELLED = 0.3, 0.33  # shares of the calls
_LONGEST_S = 0.004  # a call that is cancelled is cancelled within this

Deliver = Callable[[AsyncDaybook, list[Message]], Awaitable[Receipt]]


async def _append(book: AsyncDaybook, messages: list[Message]) -> Receipt:
    return await book.history.append(_SESSION, messages, user_id=USER)


def misdeliver() -> Deliver:
    """Return the control: a store that now and then answers with an earlier caller's receipt."""
    earlier: list[Receipt] = []

    async def deliver(book: AsyncDaybook, messages: list[Message]) -> Receipt:
        receipt = await _append(book, messages)
        earlier.append(receipt)
        return earlier[len(earlier) // 2] if len(earlier) % 5 == 0 else receipt

    return deliver


class Storm:
    """What the callers of one storm share: a store, and what each of them saw."""

    def __init__(self, book: AsyncDaybook, deliver: Deliver) -> None:
        """Begin with an empty history."""
        self.sent: dict[tuple[str, ...], Append] = {}
        self.reads: list[Read] = []
        self.cancelled = 0
        self.foreign = 0  # reads that showed something of another session
        self._book = book
        self._deliver = deliver

    async def caller(self, name: str, calls: int, rng: random.Random) -> None:
        """Make calls one after another; cancel a third of them at a random moment."""
        own = f"own-{name}"
        for number in range(calls):
            ids = tuple(f"{name}-{number}-{part}" for part in range(rng.randint(1, 3)))
            work = self._read() if rng.random() < _READS else self._send(ids, own)
            task = asyncio.ensure_future(work)
            if rng.random() < _CANCELLED:
                await asyncio.wait([task], timeout=rng.random() * _LONGEST_S)
                self.cancelled += task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async def _send(self, ids: tuple[str, ...], own: str) -> None:
        append = Append(0, ids, time.monotonic_ns(), None, "unknown")
        self.sent[ids] = append
        receipt = await self._deliver(self._book, [make_message(one) for one in ids])
        self.sent[ids] = replace(
            append,
            completed=time.monotonic_ns(),
            outcome="ok",
            first_seq=receipt.first_seq,
            last_seq=receipt.last_seq,
        )
        await self._book.history.append(own, make_message(f"{own}-{ids[0]}"), user_id=USER)
        mine = await self._book.history.list(own, user_id=USER)
        self.foreign += any(not message.id.startswith(f"{own}-") for message in mine)

    async def _read(self) -> None:
        invoked = time.monotonic_ns()
        entries = await self._book.history.entries(_SESSION, limit=30, user_id=USER)
        seen = tuple((one.seq, one.message.id) for one in entries)
        self.reads.append(Read(0, seen, invoked, time.monotonic_ns()))


async def storm(
    path: Path, *, loops: int, callers: int, calls: int, seed: int = 1, deliver: Deliver = _append
) -> Tally:
    """Let callers on several event loops share one opened store, then judge all they saw."""
    tally = Tally(f"cancellation storm, {loops} event loops")
    started = time.monotonic()
    async with open_book(path) as book:
        shared = Storm(book, deliver)
        failures = await asyncio.to_thread(_run_loops, shared, loops, callers, calls, seed)
        entries = await book.history.entries(_SESSION, user_id=USER)
    final = [(one.seq, one.message.id) for one in entries]
    history = History(list(shared.sent.values()), shared.reads, final)
    tally.operations = sum(append.outcome == "ok" for append in history.appends)
    tally.faults = shared.cancelled
    defects = [f"a caller failed: {failure!r}" for failure in failures] + integrity(path)
    if shared.foreign:
        defects.append(f"{shared.foreign} reads showed another session")
    tally.add("one storm", check(history), defects)
    tally.seconds = time.monotonic() - started
    return tally


def _run_loops(
    shared: Storm, loops: int, callers: int, calls: int, seed: int
) -> list[BaseException]:
    failures: list[BaseException] = []

    async def all_callers(loop: int) -> None:
        rng = random.Random(seed * 100 + loop)
        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                name = f"l{loop}c{number}"
                group.create_task(shared.caller(name, calls, random.Random(rng.random())))

    def run(loop: int) -> None:
        try:
            asyncio.run(all_callers(loop))
        except BaseException as exc:  # noqa: BLE001 - judged by the caller
            failures.append(exc)

    threads = [threading.Thread(target=run, args=(loop,)) for loop in range(loops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures
