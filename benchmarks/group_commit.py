"""Many callers that append durably at the same time, and share the fsyncs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import Settings, interleave, scratch
from benchmarks.report import Report, Table, at_least, at_most, duration
from benchmarks.sides.daybooks import USER, AwaitedDaybook, messages_of
from benchmarks.sides.floors import RawSqlite
from benchmarks.talk import Exchange, Talk

__all__ = ["run"]

_CALLERS = 32
_SHORTER = 3  # times the rounds of a third of the length, so that sides meet the same disk
_ONE = "AsyncDaybook, one caller"
_MANY = f"AsyncDaybook, {_CALLERS} callers, own sessions"
_SHARED = f"AsyncDaybook, {_CALLERS} callers, one session"
_RAW_ONE = "sqlite3, a commit each"
_RAW_MANY = f"sqlite3, {_CALLERS} in a commit"


def run(settings: Settings) -> Report:
    """Measure exchanges a second."""
    report = Report(f"Group commit: {_CALLERS} concurrent appenders, synchronous=FULL")
    with scratch(settings) as folder:
        sides = _sides(folder, settings)
        rounds = replace(settings, rounds=settings.rounds * _SHORTER)
        found = interleave(sides, rounds, "group commit")
    rows = [
        [name, f"{1 / series.median:,.0f}", duration(series.median)]
        for name, series in found.items()
    ]
    columns = ["side", "exchanges a second", "each"]
    report.tables.append(Table("Durable exchanges of two messages", columns, rows))
    for name, series in found.items():
        report.keep(name, series)
    for many in (_MANY, _SHARED):
        gain = found[_ONE].ratio(found[many])
        report.verdicts.append(at_least(f"{many} against one caller", gain, 6))
        report.verdicts.append(
            at_most(f"{many} against {_RAW_MANY}", found[many].ratio(found[_RAW_MANY]), 2)
        )
    return report


def _sides(folder: Path, settings: Settings) -> dict[str, Callable[[], float]]:
    """Return each side's round: seconds per exchange."""
    raw = RawSqlite(folder / "raw.db", "full")
    awaited = AwaitedDaybook(folder / "daybook.db")
    few = Talk(seed=6).exchanges(settings.size(30, 10))
    many = Talk(seed=7).exchanges(_CALLERS * settings.size(10, 3))

    def raw_one() -> float:
        return sum(raw.time_appends("one", few, 60.0)) / len(few)

    def raw_many() -> float:
        start = time.perf_counter()
        for at in range(0, len(many), _CALLERS):
            raw.append_together("many", many[at : at + _CALLERS])
        return (time.perf_counter() - start) / len(many)

    def one() -> float:
        return sum(awaited.time_appends("one", few, 60.0)) / len(few)

    def together(*, shared: bool) -> float:
        return awaited.loop.wait(_together(awaited, many, shared=shared))

    return {
        _RAW_ONE: raw_one,
        _ONE: one,
        _RAW_MANY: raw_many,
        _MANY: lambda: together(shared=False),
        _SHARED: lambda: together(shared=True),
    }


async def _together(side: AwaitedDaybook, exchanges: list[Exchange], *, shared: bool) -> float:
    async def caller(number: int) -> None:
        session = "shared" if shared else f"session-{number}"
        for exchange in exchanges[number::_CALLERS]:
            await side.book.history.append(session, messages_of(exchange), user_id=USER)

    start = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(_CALLERS)))
    return (time.perf_counter() - start) / len(exchanges)
