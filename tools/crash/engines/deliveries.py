"""Writes that are delivered again and again because nobody heard the answer: stored once.

Before a server, the reply is lost in a proxy after the server did the work. Engines without a
server lose their whole process between the commit and the reply.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from daybook.client import AsyncDaybook
from daybook.errors import ConflictError, StoreError
from daybook.model.message import Message
from tests.servers.fault_proxy import Cut, FaultProxy, Faults
from tools.crash.append_checker import Append
from tools.crash.engines.addresses import driver_module, open_url, through
from tools.crash.engines.crowd import judge_place
from tools.crash.engines.session_calls import Call, collect
from tools.crash.store import USER, make_message
from tools.crash.tally import Tally
from tools.crash.zygote import Zygote

__all__ = ["deliver_through", "deliver_to", "deliver_to_processes", "run_delivery"]

_SESSIONS = 20
_LOST = 0.3  # share of the deliveries whose reply is lost
_OTHER_BODY = 0.05  # share of the writes whose id is sent once more with another body
_MOST = 5  # deliveries of one write
_PATIENCE = 50  # tries until a write is acknowledged at last
_CHUNK = 100  # deliveries that one process is given


class _Deliveries:
    """What the deliverers beside each other share."""

    def __init__(self, book: AsyncDaybook, lose: Callable[[], None], seed: int) -> None:
        self.calls: list[tuple[str, Call]] = []
        self.errors = 0
        self.defects: list[str] = []
        self._book = book
        self._lose = lose
        self._random = random.Random(seed)

    async def write(self, number: int) -> None:
        """Deliver one write one to five times, side by side or in turn, until it is known."""
        count = self._random.randint(1, _MOST)
        acked = 0
        if self._random.random() < 0.5:  # noqa: PLR2004 - one half
            answers = await asyncio.gather(*(self._deliver(number) for _ in range(count)))
            acked = sum(answers)
        else:
            for _ in range(count):
                acked += await self._deliver(number)
        tries = 0
        while not acked and tries < _PATIENCE:
            acked += await self._deliver(number, lossy=False)
            tries += 1
        if not acked:
            self.defects.append(f"write {number} was never acknowledged")
        if self._random.random() < _OTHER_BODY:
            await self._contradict(number)

    async def _deliver(self, number: int, *, lossy: bool = True) -> bool:
        session, message_id = _place(number)
        if lossy and self._random.random() < _LOST:
            self._lose()
        append = Append(0, (message_id,), time.monotonic_ns(), None, "unknown")
        try:
            receipt = await self._book.history.append(
                session, make_message(message_id), user_id=USER
            )
        except StoreError:
            self.errors += 1
            self.calls.append((session, append))
            return False
        done = replace(
            append,
            completed=time.monotonic_ns(),
            outcome="ok",
            first_seq=receipt.first_seq,
            last_seq=receipt.last_seq,
        )
        self.calls.append((session, done))
        return True

    async def _contradict(self, number: int) -> None:
        """Send another body under a stored id: a conflict, whatever the network does."""
        session, message_id = _place(number)
        other = Message.user("something else", id=message_id)
        for _ in range(_PATIENCE):
            try:
                await self._book.history.append(session, other, user_id=USER)
            except ConflictError:
                return
            except StoreError:
                continue
            break
        self.defects.append(f"another body under the id of write {number} was no conflict")


def _place(number: int) -> tuple[str, str]:
    return f"shared-{number % _SESSIONS}", f"w-{number}"


async def deliver_through(
    engine: str, url: str, proxy: FaultProxy, *, writes: int, seed: int = 1
) -> Tally:
    """Deliver writes through a proxy that loses replies; judge them on the way past it.

    Args:
        engine: For the report.
        url: The server's own.
        proxy: Stands before it.
        writes: How many.
        seed: Decides which replies are lost.
    """
    tally = Tally("repeated deliveries", engine=engine)
    started = time.monotonic()

    armed = 0

    def lose() -> None:
        nonlocal armed
        armed += 1
        proxy.faults = Faults(cut=Cut(times=max(1, armed - proxy.cuts)))

    async with open_url(through(proxy, url)) as book:
        sent = _Deliveries(book, lose, seed)
        await _deliver_all(sent, writes)
    proxy.faults = Faults()
    tally.faults = proxy.cuts
    async with open_url(url) as book:
        await _judge(tally, book, sent, writes)
    tally.seconds = time.monotonic() - started
    return tally


async def deliver_to(engine: str, book: AsyncDaybook, *, writes: int, seed: int = 1) -> Tally:
    """Deliver writes where no reply can be lost: in memory."""
    tally = Tally("repeated deliveries", engine=engine)
    started = time.monotonic()
    sent = _Deliveries(book, lambda: None, seed)
    await _deliver_all(sent, writes)
    await _judge(tally, book, sent, writes)
    tally.seconds = time.monotonic() - started
    return tally


async def _deliver_all(sent: _Deliveries, writes: int) -> None:
    todo = iter(range(writes))

    async def worker() -> None:
        for number in todo:
            await sent.write(number)

    await asyncio.gather(*(worker() for _ in range(16)))


async def _judge(tally: Tally, book: AsyncDaybook, sent: _Deliveries, writes: int) -> None:
    calls = collect(sent.calls)
    anomalies, wrong = await judge_place(book, calls)
    stored = await book.sessions.stats(user_id=USER)
    if stored.message_count != writes:
        wrong.append(f"{stored.message_count} messages are stored of {writes}")
    tally.calls = len(sent.calls)
    tally.operations = writes
    tally.add("all deliveries", anomalies, wrong + sent.defects)


# ---------------------------------------------------------------------- processes that are killed


async def run_delivery(spec: Mapping[str, Any], send: Callable[[str], None]) -> None:
    """Be a process that delivers writes and ends by force after so many commits, unanswered."""
    async with open_url(spec["url"]) as book:
        book.history._log = _Deadly(book.history._log, spec["dies_after"])  # noqa: SLF001

        async def deliver(number: int) -> None:
            session, message_id = _place(number)
            invoked = time.monotonic_ns()
            receipt = await book.history.append(session, make_message(message_id), user_id=USER)
            place = (receipt.first_seq, receipt.last_seq)
            send(json.dumps([number, invoked, time.monotonic_ns(), *place]))

        todo = iter(spec["numbers"])

        async def worker() -> None:
            for number in todo:
                await deliver(number)

        await asyncio.gather(*(worker() for _ in range(16)))


class _Deadly:
    """A log whose process ends between a commit and its reply."""

    def __init__(self, inner: Any, dies_after: int) -> None:
        self._inner = inner
        self._left = dies_after

    def __getattr__(self, name: str) -> Any:
        """Hand everything else on."""
        return getattr(self._inner, name)

    async def append(self, *args: Any, **named: Any) -> Any:
        """Append, then perhaps end."""
        result = await self._inner.append(*args, **named)
        if result is not None:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return result


def deliver_to_processes(
    zygote: Zygote, engine: str, url: str, *, writes: int, seed: int = 1
) -> Tally:
    """Deliver writes by processes that are killed between commit and reply."""
    tally = Tally("repeated deliveries", engine=engine)
    started = time.monotonic()
    zygote.load(driver_module(url))
    rng = random.Random(seed)
    deliveries = [number for number in range(writes) for _ in range(rng.randint(1, _MOST))]
    # Near each other, so that one process often delivers a write twice at the same time.
    deliveries.sort(key=lambda number: number + rng.uniform(0, 30))
    todo = deque(deliveries)
    calls: list[tuple[str, Call]] = []
    while todo:
        chunk = [todo.popleft() for _ in range(min(_CHUNK, len(todo)))]
        invoked = time.monotonic_ns()
        dies_after = rng.randint(1, _CHUNK + _CHUNK // 3)
        child = zygote.spawn("delivery", url=url, numbers=chunk, dies_after=dies_after)
        child.go()
        for line in child.lines(patience_s=60):
            number, sent_at, done, first, last = json.loads(line)
            chunk.remove(number)
            session, one = _place(number)
            calls.append((session, Append(0, (one,), sent_at, done, "ok", first, last)))
        tally.kills += child.wait() != 0
        for number in chunk:  # not heard of: deliver it again
            session, one = _place(number)
            calls.append((session, Append(0, (one,), invoked, None, "unknown")))
        todo.extendleft(reversed(chunk))
    asyncio.run(_judge_processes(tally, url, calls, writes))
    tally.seconds = time.monotonic() - started
    return tally


async def _judge_processes(
    tally: Tally, url: str, calls: list[tuple[str, Call]], writes: int
) -> None:
    async with open_url(url) as book:
        sent = _Deliveries(book, lambda: None, 1)
        sent.calls = calls
        for number in range(0, writes, 20):
            await sent._contradict(number)  # noqa: SLF001 - the same module
        await _judge(tally, book, sent, writes)
