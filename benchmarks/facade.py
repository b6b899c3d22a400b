"""What a call of the blocking `Daybook` costs above the same call of `AsyncDaybook`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from benchmarks.harness import Settings, interleave, scratch
from benchmarks.report import Report, Table, at_most, duration
from benchmarks.sides.daybooks import USER, AwaitedDaybook, BlockingDaybook, messages_of
from benchmarks.talk import Talk
from daybook.loop_thread import LoopThread

__all__ = ["run"]

_LIMIT_US = 80.0
_HOP = "nothing: the hop alone"
_SESSION = "talk"


def run(settings: Settings) -> Report:
    """Measure calls on both sides in turn."""
    report = Report("The blocking facade: its cost per call")
    calls = settings.size(300, 30)
    with scratch(settings) as folder:
        awaited = AwaitedDaybook(folder / "awaited.db", "normal")
        blocking = BlockingDaybook(folder / "blocking.db", "normal")
        talk = Talk(seed=8)
        exchange = talk.exchanges(1)[0]
        for side in (awaited, blocking):
            side.fill(_SESSION, [talk.text() for _ in range(100)])
        pairs = {
            "sessions.get": _pair(awaited, blocking, lambda b: b.sessions.get(_SESSION)),
            "history.list(limit=20)": _pair(
                awaited, blocking, lambda b: b.history.list(_SESSION, limit=20)
            ),
            "history.append, NORMAL": _pair(
                awaited,
                blocking,
                lambda b: b.history.append(_SESSION, messages_of(exchange), user_id=USER),
            ),
        }
        steps: dict[str, Callable[[], float]] = {_HOP: _hop(calls)}
        for name, (make_awaited, make_blocking) in pairs.items():
            steps[f"{name} | awaited"] = lambda f=make_awaited: f(calls)  # type: ignore[misc] # bound now
            steps[f"{name} | blocking"] = lambda f=make_blocking: f(calls)  # type: ignore[misc] # bound now
        found = interleave(steps, settings, "facade")
        awaited.close()
        blocking.close()
    rows = [[_HOP, "", duration(found[_HOP].median), duration(found[_HOP].median)]]
    report.verdicts.append(at_most(_HOP, found[_HOP].median * 1e6, _LIMIT_US, "µs", 0))
    for name in pairs:
        one, other = found[f"{name} | awaited"], found[f"{name} | blocking"]
        added = other.minus(one).median
        rows.append([name, duration(one.median), duration(other.median), duration(max(added, 0.0))])
        report.verdicts.append(at_most(f"{name}: added", added * 1e6, _LIMIT_US, "µs", 0))
    report.tables.append(
        Table("Seconds for one call", ["call", "AsyncDaybook", "Daybook", "added"], rows)
    )
    for name, series in found.items():
        report.keep(name, series)
    return report


def _pair(
    awaited: AwaitedDaybook, blocking: BlockingDaybook, call: Callable[[Any], Any]
) -> tuple[Callable[[int], float], Callable[[int], float]]:
    """Return the median time of a call, awaited and blocking, as functions of the repeats."""

    def time_awaited(calls: int) -> float:
        return awaited.loop.wait(_awaited(lambda: call(awaited.book), calls))

    def time_blocking(calls: int) -> float:
        clock, taken = time.perf_counter, []
        for _ in range(calls):
            start = clock()
            call(blocking.book)
            taken.append(clock() - start)
        return median(taken)

    return time_awaited, time_blocking


async def _awaited(call: Callable[[], Awaitable[Any]], calls: int) -> float:
    clock, taken = time.perf_counter, []
    for _ in range(calls):
        start = clock()
        await call()
        taken.append(clock() - start)
    return median(taken)


def _hop(calls: int) -> Callable[[], float]:
    """Return the time of running an empty coroutine on the loop thread."""
    loop = LoopThread("benchmark-loop")

    async def nothing() -> None: ...

    def measure() -> float:
        clock, taken = time.perf_counter, []
        for _ in range(calls):
            start = clock()
            loop.run(nothing())
            taken.append(clock() - start)
        return median(taken)

    return measure
