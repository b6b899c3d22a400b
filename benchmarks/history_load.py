"""Reading a session: its newest messages, all of it, beside many foreign ones; and its size."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.harness import Series, Settings, interleave, scratch
from benchmarks.report import Report, Table, Verdict, at_most, duration
from benchmarks.sides.daybooks import USER, AwaitedDaybook, messages_of
from benchmarks.sides.history import History
from benchmarks.sides.opening import history_sides, opened
from benchmarks.talk import Talk
from daybook import Message

__all__ = ["run"]

_SAVER = "LangGraph SqliteSaver (ai-infra too)"
_LONG, _SHORT, _SMALL = "long", "short", "small"
_NEWEST = 20
_SIDES = (
    "sqlite3, FULL",
    "aiosqlite, FULL",
    "AsyncDaybook, FULL",
    "Daybook, FULL",
    "OpenAI Agents SQLiteSession",
    "LangChain SQL history",
    _SAVER,
)
_FAST = 0.01
Steps = dict[str, tuple[str, int | None]]


def run(settings: Settings) -> Report:
    """Measure loads and sizes."""
    report = Report("Chat history: loading, and bytes per message")
    held = settings.size(10_000, 300)
    with scratch(settings) as folder:
        makers = {name: make for name, make in history_sides(folder).items() if name in _SIDES}
        with opened(makers) as (sides, missing):
            _fill(sides, held, settings)
            steps: Steps = {
                f"last {_NEWEST} of {held:,}": (_LONG, _NEWEST),
                f"last {_NEWEST} of 100": (_SHORT, _NEWEST),
                f"all {held:,}": (_LONG, None),
            }
            _measure(report, sides, missing, steps, settings, "Seconds for one load, decoded")
            report.verdicts = _load_verdicts(report, list(steps), set(sides))
        _sizes(report, folder, held, settings)
    _crowd(report, settings)
    report.notes.append(
        "sqlite3 and aiosqlite decode with the standard library's json and keep role and content "
        "only; Daybook's messages carry id, time and the rest, checked against the schema."
    )
    return report


def _fill(sides: Mapping[str, History], held: int, settings: Settings) -> None:
    talk = Talk(seed=3)
    texts = [talk.text() for _ in range(held)]
    for name, side in sides.items():
        settings.say(f"fill {held:,}: {name}")
        side.fill(_LONG, texts)
        side.fill(_SHORT, texts[:100])


def _measure(
    report: Report,
    sides: Mapping[str, History],
    missing: Mapping[str, str],
    steps: Steps,
    settings: Settings,
    title: str,
) -> None:
    """Time every load of every side, round by round, and add a table."""
    rounds = {
        f"{name} | {label}": _round_of(side, session, limit)
        for label, (session, limit) in steps.items()
        for name, side in sides.items()
    }
    found = interleave(rounds, settings, title)
    rows: list[list[str]] = []
    for name in sides:
        cells: list[str] = []
        for label in steps:
            series, floor = found[f"{name} | {label}"], found[f"sqlite3, FULL | {label}"]
            cells += [duration(series.median), f"{series.ratio(floor):.2f}"]
        rows.append([name, *cells])
    rows += [[name, reason, *[""] * (2 * len(steps) - 1)] for name, reason in missing.items()]
    columns = ["side", *(part for label in steps for part in (label, "x sqlite3"))]
    report.tables.append(Table(title, columns, rows))
    for name, series in found.items():
        report.keep(name, series)


def _round_of(side: History, session: str, limit: int | None) -> Callable[[], float]:
    """Return one round: as many loads as take some tens of milliseconds."""
    (once,) = side.time_loads(session, limit, 1)
    repeats = 30 if once < _FAST else 3
    return lambda: median(side.time_loads(session, limit, repeats))


def _load_verdicts(report: Report, labels: list[str], names: set[str]) -> list[Verdict]:
    newest, newest_short, everything = labels
    series = {name: Series(tuple(values)) for name, values in report.numbers.items()}
    verdicts: list[Verdict] = []
    for name, floor in (
        ("AsyncDaybook, FULL", "sqlite3, FULL"),
        ("AsyncDaybook, FULL", "aiosqlite, FULL"),
        ("Daybook, FULL", "sqlite3, FULL"),
    ):
        if floor not in names:
            continue
        for label in (newest, everything):
            ratio = series[f"{name} | {label}"].ratio(series[f"{floor} | {label}"])
            verdicts.append(at_most(f"{label}, {name} against {floor}", ratio, 1.7))
    flat = series[f"AsyncDaybook, FULL | {newest}"].ratio(
        series[f"AsyncDaybook, FULL | {newest_short}"]
    )
    return [*verdicts, at_most("flatness of the last 20", flat, 1.3)]


def _sizes(report: Report, folder: Path, held: int, settings: Settings) -> None:
    """Weigh one file per side that holds one long session and nothing else."""
    weighed = folder / "weighed"
    weighed.mkdir()
    talk = Talk(seed=4)
    texts = [talk.text() for _ in range(held)]
    plain = sum(
        len(json.dumps({"role": m.role, "content": m.content}).encode()) for m in messages_of(texts)
    )
    rows: list[list[str]] = []
    makers = {name: make for name, make in history_sides(weighed).items() if name in _SIDES}
    own = 0.0
    for name, make in makers.items():
        settings.say(f"weigh: {name}")
        with opened({name: make}) as (sides, missing):
            before = _bytes_in(weighed)
            if missing:
                rows.append([name, missing[name], ""])
                continue
            _append_in_steps(sides[name], texts)
            own = _own_json(sides[name]) / held if name == "AsyncDaybook, FULL" else own
        each = (_bytes_in(weighed) - before) / held
        rows.append([name, f"{each:,.0f}", f"{each / (plain / held):.2f}"])
        if name == "AsyncDaybook, FULL":
            report.verdicts.append(
                at_most("bytes per message against its JSON as stored", each / own, 1.3)
            )
    columns = ["side", "bytes per message", "x JSON of role and content"]
    report.tables.append(Table(f"Size of a file of {held:,} messages", columns, rows))
    report.notes.append(
        f"JSON of role and content takes {plain / held:.0f} bytes a message, Daybook's own (id, "
        f"time, schema version) {own:.0f}. Sizes include each side's empty schema. LangGraph's "
        "saver was filled in 50 steps; each step stores the whole state again, so its size grows "
        "with the square of the steps."
    )


def _append_in_steps(side: History, texts: list[str]) -> None:
    """Fill in several calls, as a conversation grows."""
    step = max(2, len(texts) // 50)
    for at in range(0, len(texts), step):
        side.fill(_LONG, texts[at : at + step])


def _own_json(side: History) -> float:
    """Return the bytes of the JSON of a session's messages, as Daybook writes them."""
    if not isinstance(side, AwaitedDaybook):
        return 0.0
    messages: list[Message] = side.loop.wait(side.book.history.list(_LONG, user_id=USER))
    return float(sum(len(msgspec.json.encode(message)) for message in messages))


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _crowd(report: Report, settings: Settings) -> None:
    """Load a small session from a file that holds many others."""
    foreign, each = settings.size(300, 4), 1_000
    with scratch(settings) as folder:
        makers = {
            name: make
            for name, make in history_sides(folder).items()
            if name in _SIDES and name != _SAVER
        }
        with opened(makers) as (sides, missing):
            talk = Talk(seed=5)
            texts = [talk.text() for _ in range(each)]
            for name, side in sides.items():
                settings.say(f"fill {foreign * each:,} foreign messages: {name}")
                for number in range(foreign):
                    side.fill(f"foreign-{number}", texts)
                side.fill(_SMALL, texts[:100])
            label = f"100 beside {foreign * each:,}"
            steps: Steps = {label: (_SMALL, None)}
            _measure(report, sides, missing, steps, settings, "A small session in a large file")
    series = {name: Series(tuple(values)) for name, values in report.numbers.items()}
    for name, floor in (
        ("AsyncDaybook, FULL", "sqlite3, FULL"),
        ("AsyncDaybook, FULL", "aiosqlite, FULL"),
    ):
        if f"{floor} | {label}" in series:
            ratio = series[f"{name} | {label}"].ratio(series[f"{floor} | {label}"])
            report.verdicts.append(at_most(f"{label}, {name} against {floor}", ratio, 1.7))
