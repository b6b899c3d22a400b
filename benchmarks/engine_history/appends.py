"""One exchange appended to sessions of several lengths; 32 appenders at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.engine_history.bench import Bench
from benchmarks.harness import Series
from benchmarks.report import duration
from benchmarks.sides.history import AsyncHistory, History
from benchmarks.talk import Exchange, Talk

__all__ = ["measure_appends", "measure_crowds"]

_FLAT = 1.3
_BUDGET_S = 0.15
_SHORTER = 3  # more and shorter rounds: only sides close in time meet the same disk
_CALLERS = 32


def measure_appends(bench: Bench) -> None:
    """Fill sessions, then append to them."""
    held = (0, 100) if bench.settings.quick else (0, 1_000, 10_000)
    talk = Talk(seed=1)
    texts = {n: [talk.text() for _ in range(n)] for n in held}
    found: dict[tuple[str, int], Series] = {}
    for name, engine in bench.engines.items():
        rows = bench.rows_of(engine)
        for n in held:
            if n > engine.at_most(n):
                continue
            session = bench.session(f"held-{n}")
            fit = [
                row
                for row in rows
                if bench.try_fill(row, session, partial(bench.sides[row].fill, session, texts[n]))
            ]
            steps = {row: _round_of(bench, bench.sides[row], n) for row in fit}
            series = bench.measure(f"append at {n:,}, {name}", steps, engine, _SHORTER)
            found |= {(row, n): one for row, one in series.items()}
    _add_table(bench, held, found)


def _round_of(bench: Bench, side: History, n: int) -> Callable[[], float]:
    """Return one round: fresh sessions where nothing is held, else always the same one."""
    exchanges = Talk(seed=2).exchanges(bench.settings.size(20, 10))
    rounds = iter(range(1_000_000))

    def measure() -> float:
        session = bench.session(f"held-{n}" if n else f"fresh-{next(rounds)}")
        return median(side.time_appends(session, exchanges, _BUDGET_S))

    return measure


def _add_table(bench: Bench, held: tuple[int, ...], found: dict[tuple[str, int], Series]) -> None:
    table: list[list[str]] = []
    for name, engine in bench.engines.items():
        floor = engine.floor.name
        most = engine.at_most(held[-1])
        for row in bench.rows_of(engine):
            cells = [bench.cell(bench.session(f"held-{n}"), row, found.get((row, n))) for n in held]
            table.append([row, *cells, *_ratios(found, row, floor, held, most)])
        ours = engine.daybook.name
        if (ours, most) in found:
            flat = found[ours, most].ratio(found[ours, 0])
            bench.judge(f"append, {name}: {most:,} / 0", flat, _FLAT)
        if (ours, most) in found and (floor, most) in found and engine.most is not None:
            ratio = found[ours, most].ratio(found[floor, most])
            bench.judge(f"append at {most:,}, {name}, against {floor}", ratio, engine.most)
    columns = [
        "side",
        *(f"N = {n:,}" for n in held),
        "flatness",
        *(f"x floor, {n:,}" for n in held),
    ]
    bench.add_table("Seconds for one exchange appended to a session that holds N", columns, table)


def _ratios(
    found: dict[tuple[str, int], Series], row: str, floor: str, held: tuple[int, ...], most: int
) -> list[str]:
    flat = f"{found[row, most].ratio(found[row, 0]):.2f}" if (row, most) in found else ""
    against = [
        f"{found[row, n].ratio(found[floor, n]):.2f}"
        if (row, n) in found and (floor, n) in found
        else ""
        for n in held
    ]
    return [flat, *against]


def measure_crowds(bench: Bench) -> None:
    """Let 32 callers append at the same time, each to a session of its own."""
    exchanges = Talk(seed=7).exchanges(_CALLERS * bench.settings.size(10, 3))
    table: list[list[str]] = []
    for name, engine in bench.engines.items():
        awaited = {
            row: side
            for row in bench.rows_of(engine)
            if isinstance(side := bench.sides[row], AsyncHistory)
        }
        steps = {row: partial(_crowd, bench, side, exchanges) for row, side in awaited.items()}
        found = bench.measure(f"{_CALLERS} callers, {name}", steps, engine)
        floor = found.get(engine.floor.name)
        for row, series in found.items():
            each, rate = duration(series.median), f"{1 / series.median:,.0f}"
            table.append([row, rate, each, f"{series.ratio(floor):.2f}" if floor else ""])
    columns = ["side", "exchanges a second", "each", "x floor"]
    title = f"{_CALLERS} concurrent appenders in one process, each with a session of its own"
    bench.add_table(title, columns, table)


def _crowd(bench: Bench, side: AsyncHistory, exchanges: list[Exchange]) -> float:
    return side.loop.wait(_together(bench, side, exchanges))


async def _together(bench: Bench, side: AsyncHistory, exchanges: list[Exchange]) -> float:
    async def caller(number: int) -> None:
        session = bench.session(f"caller-{number}")
        for exchange in exchanges[number::_CALLERS]:
            await side.append(session, exchange)

    start = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(_CALLERS)))
    return (time.perf_counter() - start) / len(exchanges)
