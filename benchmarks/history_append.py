"""One exchange (two messages of about 200 characters) appended to a session that holds N."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.harness import Series, Settings, interleave, scratch
from benchmarks.report import Report, Table, Verdict, at_most, duration
from benchmarks.sides.daybooks import AwaitedDaybook
from benchmarks.sides.history import History
from benchmarks.sides.opening import history_sides, opened
from benchmarks.talk import Talk

__all__ = ["run"]

_INDEXED = "AsyncDaybook, FULL, indexing meanwhile"
_BUDGET_S = 0.5
# More and shorter rounds: an fsync costs 0.1 ms now and 4 ms soon after, and only sides that are
# close in time meet the same disk.
_SHORTER = 3
_TITLE = "Chat history: one exchange appended to a session that holds N messages"
Key = tuple[str, int]


def run(settings: Settings) -> Report:
    """Measure appends."""
    report = Report(_TITLE)
    held = (0, 100) if settings.quick else (0, 1_000, 10_000)
    with scratch(settings) as folder, opened(_makers(folder)) as (sides, missing):
        _fill(sides, held, settings)
        steps = {
            f"{name} @{n}": _round_of(side, n, settings)
            for n in held
            for name, side in sides.items()
        }
        rounds = replace(settings, rounds=settings.rounds * _SHORTER)
        found = interleave(steps, rounds, "append")
    series = {(name, n): found[f"{name} @{n}"] for name in sides for n in held}
    for name, numbers in found.items():
        report.keep(name, numbers)
    report.tables.append(_table(series, list(sides), held, missing))
    report.verdicts = _verdicts(series, held)
    report.notes = [
        (
            "A round's number is the median of its appends; making each side's own message "
            "objects is part of an append. The table shows medians over the rounds."
        ),
        (
            "sqlite3 and aiosqlite make JSON with the standard library and run one `executemany` "
            "and one commit. Their columns compare at the largest N, with the same `synchronous`, "
            "round by round; sqlite3 is the flavour of blocking sides, aiosqlite of awaited ones."
        ),
        (
            "Daybook's rows leave indexing to the next search, except where the row says "
            "otherwise: there the background indexer works in the same process meanwhile."
        ),
    ]
    return report


def _makers(folder: Path) -> dict[str, Callable[[], History]]:
    indexed = {_INDEXED: lambda: AwaitedDaybook(folder / "indexed.db", background=True)}
    return {**history_sides(folder), **indexed}


def _fill(sides: Mapping[str, History], held: tuple[int, ...], settings: Settings) -> None:
    talk = Talk(seed=1)
    for n in held:
        texts = [talk.text() for _ in range(n)]
        for name, side in sides.items():
            settings.say(f"fill {n:,}: {name}")
            side.fill(f"held-{n}", texts)
            side.settle()


def _round_of(side: History, n: int, settings: Settings) -> Callable[[], float]:
    """Return one round: fresh sessions where nothing is held, else always the same one."""
    talk = Talk(seed=2)
    exchanges = talk.exchanges(settings.size(20, 10))
    rounds = iter(range(1_000_000))

    def measure() -> float:
        session = f"held-{n}" if n else f"fresh-{next(rounds)}"
        taken = side.time_appends(session, exchanges, _BUDGET_S)
        side.settle()
        return median(taken)

    return measure


def _table(
    series: Mapping[Key, Series],
    names: list[str],
    held: tuple[int, ...],
    missing: Mapping[str, str],
) -> Table:
    most = held[-1]
    rows: list[list[str]] = []
    for name in names:
        cells = [
            f"{duration(series[name, n].median)} ± {duration(series[name, n].spread)}" for n in held
        ]
        flat = series[name, most].ratio(series[name, 0])
        floors = [_times(series, name, floor, most) for floor in _floors_of(name)]
        rows.append([name, *cells, f"{flat:.2f}", *floors])
    rows += [[name, reason, *[""] * (len(held) + 2)] for name, reason in missing.items()]
    columns = ["side", *(f"N = {n:,}" for n in held), "flatness", "x sqlite3", "x aiosqlite"]
    return Table("Seconds for one exchange", columns, rows)


def _floors_of(name: str) -> tuple[str, str]:
    mode = "NORMAL" if "NORMAL" in name else "FULL"
    return f"sqlite3, {mode}", f"aiosqlite, {mode}"


def _times(series: Mapping[Key, Series], name: str, floor: str, n: int) -> str:
    if (floor, n) not in series or name == floor:
        return "" if name != floor else "1"
    return f"{series[name, n].ratio(series[floor, n]):.2f}"


def _verdicts(series: Mapping[Key, Series], held: tuple[int, ...]) -> list[Verdict]:
    most = held[-1]
    verdicts: list[Verdict] = []
    for mode, limit in (("FULL", 1.6), ("NORMAL", 5.0)):
        for name, floor in (("AsyncDaybook", "sqlite3"), ("Daybook", "sqlite3")):
            pair = series[f"{name}, {mode}", most], series[f"{floor}, {mode}", most]
            what = f"append at {most:,}, {mode}, {name} against {floor}"
            verdicts.append(at_most(what, pair[0].ratio(pair[1]), limit))
        if (f"aiosqlite, {mode}", most) in series:
            pair = series[f"AsyncDaybook, {mode}", most], series[f"aiosqlite, {mode}", most]
            what = f"append at {most:,}, {mode}, AsyncDaybook against aiosqlite"
            verdicts.append(at_most(what, pair[0].ratio(pair[1]), limit))
    for name in ("AsyncDaybook, FULL", "AsyncDaybook, NORMAL", "Daybook, FULL"):
        flat = series[name, most].ratio(series[name, 0])
        verdicts.append(at_most(f"flatness {most:,} / 0, {name}", flat, 1.3))
    return verdicts
