"""Nine things that go wrong on a network, each under load, each healed again.

Every call returns or raises a `StoreError` within its deadline; what was acknowledged is there; and
once the network is well, the same opened daybook works.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from daybook.client import AsyncDaybook
from tests.servers.fault_proxy import Cut, FaultProxy, Faults
from tools.crash.engines.addresses import open_url, through, with_options
from tools.crash.engines.crew import Crew
from tools.crash.engines.crowd import judge_place
from tools.crash.engines.session_client import Mix
from tools.crash.store import USER, make_message
from tools.crash.tally import Tally

__all__ = ["FAULTS", "TIMEOUT_S", "break_network"]

TIMEOUT_S = 1.0
"""What the engine is told; a call has so long."""

# A busy emulator takes longer than a server, and its engine gives one attempt half of the time.
_LONGER_S = {"dynamodb": 3.0}
_MARGIN_S = 1.0  # for a machine that other tests share
_HEALTHY = 5  # batches acknowledged before the fault and after it
_LIMIT_S = 20.0
_MIX = Mix(clients=4, sessions=3, slot_s=0, forks=0, pause_s=0.002)

_Break = Callable[[FaultProxy], AbstractAsyncContextManager[None]]


def _steady(faults: Faults) -> _Break:
    @asynccontextmanager
    async def apply(proxy: FaultProxy) -> AsyncIterator[None]:
        with proxy.faulty(faults):
            yield

    return apply


def _now_and_then(cut: Cut) -> _Break:
    """Break a connection every 100 ms."""

    @asynccontextmanager
    async def apply(proxy: FaultProxy) -> AsyncIterator[None]:
        async def keep_cutting() -> None:
            while True:
                proxy.faults = Faults(cut=cut)
                await asyncio.sleep(0.1)

        cutting = asyncio.create_task(keep_cutting())
        try:
            yield
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)
            proxy.faults = Faults()

    return apply


@asynccontextmanager
async def _partition(proxy: FaultProxy) -> AsyncIterator[None]:
    with proxy.partition():
        yield


@asynccontextmanager
async def _unanswered(proxy: FaultProxy) -> AsyncIterator[None]:
    """Take away the open connections; new ones get no answer to their first packet."""
    with proxy.partition():
        proxy.reset_all()
        yield


FAULTS: dict[str, _Break] = {
    "200 ms late": _steady(Faults(latency_s=0.2)),
    "jitter": _steady(Faults(latency_s=0.005, jitter_s=0.15)),
    "one byte at a time": _steady(Faults(slice_bytes=1)),
    "10 KB a second": _steady(Faults(bytes_per_second=10_000)),
    "reset in a reply": _now_and_then(Cut(after_bytes=3, times=1)),
    "lost replies": _now_and_then(Cut(times=1)),
    "half-open": _steady(Faults(silent=True)),
    "unanswered connections": _unanswered,
    "partition": _partition,
}
"""By name: how to break the network for the length of a block."""


async def break_network(
    engine: str, fault: str, url: str, proxy: FaultProxy, *, seconds: float
) -> Tally:
    """Work through a proxy that is broken for some seconds, then whole again.

    Args:
        engine: For the report.
        fault: A key of `FAULTS`.
        url: The server's own address, under which nothing is stored yet.
        proxy: Stands before the server.
        seconds: How long it is broken.
    """
    tally = Tally(f"network: {fault}", engine=engine, faults=1)
    started = time.monotonic()
    timeout_s = _LONGER_S.get(engine, TIMEOUT_S)
    async with open_url(url) as direct:
        for number in range(_MIX.sessions):
            session = f"shared-{number}"
            await direct.history.append(session, make_message("first"), user_id=USER)
        async with open_url(through(proxy, with_options(url, timeout_s=timeout_s))) as book:
            crew = await _work(tally, book, proxy, fault, seconds)
        for number in range(_MIX.sessions):  # the judge counts what clients wrote alone
            crew.note_first(f"shared-{number}", "first")
        anomalies, wrong = await judge_place(direct, crew.by_session())
    tally.calls, tally.operations = len(crew.calls), crew.acknowledged
    tally.add(fault, anomalies, wrong)
    tally.measures["slowest call, s"] = round(crew.slowest_s, 3)
    tally.measures["errors"] = crew.errors.total()
    if crew.slowest_s > timeout_s + _MARGIN_S:
        tally.add(fault, (), [f"a call took {crew.slowest_s:.2f} s"])
    tally.seconds = time.monotonic() - started
    return tally


async def _work(
    tally: Tally, book: AsyncDaybook, proxy: FaultProxy, fault: str, seconds: float
) -> Crew:
    async with Crew(book, _MIX) as crew:
        if await crew.until_acknowledged(_HEALTHY, _LIMIT_S) is None:
            tally.add(fault, (), ["nothing works before the fault"])
        async with FAULTS[fault](proxy):
            await asyncio.sleep(seconds)
        healed = await crew.until_acknowledged(_HEALTHY, _LIMIT_S)
        if healed is None:
            tally.add(fault, (), [f"nothing works {_LIMIT_S:g} s after the fault"])
        tally.measures["works again after, s"] = round(healed or _LIMIT_S, 3)
    return crew
