"""Newest messages, whole sessions, a small session beside many foreign ones; bytes a message."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from statistics import fmean, median

import msgspec

from benchmarks.engine_history.bench import Bench
from benchmarks.harness import Series
from benchmarks.report import duration
from benchmarks.sides.daybook_engines import EngineDaybook, owner_of
from benchmarks.sides.daybooks import messages_of
from benchmarks.sides.engine_sides import Engine
from benchmarks.sides.history import AsyncHistory, History
from benchmarks.talk import Talk
from daybook import Message

__all__ = ["measure_foreign", "measure_loads"]

_NEWEST = 20
_SMALL = 100
_LIMIT, _FLAT, _SIZE = 1.7, 1.3, 1.3
_FAST_S = 0.01
_SLOW_S = 0.5
_GROWN = 600.0  # seconds that growing a session may take


def measure_loads(bench: Bench) -> None:
    """Grow a long session exchange by exchange, weigh it, load it."""
    held = bench.settings.size(10_000, 300)
    talk = Talk(seed=3)
    texts = [talk.text() for _ in range(held)]
    weights = _grow(bench, texts)
    steps = {
        f"last {_NEWEST} of {held:,}": ("long", _NEWEST),
        f"last {_NEWEST} of {_SMALL}": ("short", _NEWEST),
        f"all {held:,}": ("long", None),
    }
    found = _load(bench, steps)
    _load_table(bench, "Seconds for one load, decoded", list(steps), found)
    newest, newest_short, everything = steps
    for name, engine in bench.engines.items():
        ours = engine.daybook.name
        if (newest, ours) in found and not engine.simulated:
            flat = found[newest, ours].ratio(found[newest_short, ours])
            bench.judge(f"{newest} / of {_SMALL}, {name}", flat, _FLAT)
        if engine.most is not None:
            for label in (newest, everything):
                _judge_load(bench, label, name, found)
    _size_table(bench, texts, weights)


def _grow(bench: Bench, texts: list[str]) -> dict[str, float]:
    """Fill each side's long and short session; return bytes a message of the long one."""
    weights: dict[str, float] = {}
    long, short = bench.session("long"), bench.session("short")
    for engine in bench.engines.values():
        for row in bench.rows_of(engine):
            side = bench.sides[row]
            bench.try_fill(row, short, partial(side.fill, short, texts[:_SMALL]))
            before = side.stored_bytes()
            said = texts[: engine.at_most(len(texts))]
            grow = side.fill if engine.simulated else partial(_converse, side)
            if not bench.try_fill(row, long, partial(grow, long, said)):
                continue
            after = side.stored_bytes()
            if before is not None and after is not None:
                weights[row] = (after - before) / len(said)
    return weights


def _converse(side: History, session: str, texts: list[str]) -> None:
    """Append exchange by exchange, as a conversation grows: Daybook and the awaited floors."""
    if isinstance(side, AsyncHistory):
        side.time_appends(session, list(zip(texts[::2], texts[1::2], strict=True)), _GROWN)
    else:
        side.fill(session, texts)


def _load(bench: Bench, steps: dict[str, tuple[str, int | None]]) -> dict[tuple[str, str], Series]:
    found: dict[tuple[str, str], Series] = {}
    for name, engine in bench.engines.items():
        for label, (place, limit) in steps.items():
            session = bench.session(place)
            rounds = {
                row: _round_of(bench.sides[row], session, limit)
                for row in bench.rows_of(engine)
                if (session, row) not in bench.unfit
            }
            series = bench.measure(f"{label}, {name}", rounds, engine)
            found |= {(label, row): one for row, one in series.items()}
    return found


def _round_of(side: History, session: str, limit: int | None) -> Callable[[], float]:
    """Return one round: as many loads as take some tens of milliseconds."""
    (once,) = side.time_loads(session, limit, 1)
    repeats = 30 if once < _FAST_S else 3 if once < _SLOW_S else 1
    return lambda: median(side.time_loads(session, limit, repeats))


def _load_table(
    bench: Bench, title: str, labels: list[str], found: dict[tuple[str, str], Series]
) -> None:
    table: list[list[str]] = []
    for engine in bench.engines.values():
        for row in bench.rows_of(engine):
            cells: list[str] = []
            for label in labels:
                series, floor = found.get((label, row)), found.get((label, engine.floor.name))
                ratio = f"{series.ratio(floor):.2f}" if series and floor else ""
                unfit = bench.unfit.get((bench.session("long"), row), "")
                cells += [duration(series.median) if series else unfit, ratio]
            table.append([_label(engine, row), *cells])
    columns = ["side", *(part for label in labels for part in (label, "x floor"))]
    bench.add_table(title, columns, table)


def _label(engine: Engine, row: str) -> str:
    return f"{row}, {engine.at_most(1 << 32):,} messages" if engine.simulated else row


def _judge_load(bench: Bench, label: str, name: str, found: dict[tuple[str, str], Series]) -> None:
    engine = bench.engines[name]
    ours, floor = found.get((label, engine.daybook.name)), found.get((label, engine.floor.name))
    if ours and floor:
        bench.judge(f"{label}, {name}, against {engine.floor.name}", ours.ratio(floor), _LIMIT)


def _size_table(bench: Bench, texts: list[str], weights: dict[str, float]) -> None:
    plain = sum(
        len(json.dumps({"role": m.role, "content": m.content}).encode()) for m in messages_of(texts)
    ) / len(texts)
    table: list[list[str]] = []
    for name, engine in bench.engines.items():
        for row in bench.rows_of(engine):
            if row not in weights:
                continue
            weight = weights[row]
            table.append([_label(engine, row), f"{weight:,.0f}", f"{weight / plain:.2f}", ""])
            side = bench.sides[row]
            if isinstance(side, EngineDaybook):
                own = _own_json(side, bench.session("long"))
                table[-1][3] = f"{weight / own:.2f}"
                bench.judge(f"bytes a message, {name}, x its JSON", weight / own, _SIZE)
    columns = ["side", "bytes a message", "x JSON of role and content", "x its own JSON"]
    bench.add_table(f"Bytes a message in a session of {len(texts):,}", columns, table)
    bench.report.notes.append(
        f"Bytes: what the store says it holds with the session less what it held before, Daybook "
        "and awaited floors grown exchange by exchange: MEMORY USAGE of all keys, "
        "pg_total_relation_size, MongoDB's dataSize and indexSize (before compression), SQLite's "
        "pages in use, lengths of files. "
        f"JSON of role and content takes {plain:.0f} bytes; Daybook's own JSON has id, time, "
        "schema version, too."
    )


def _own_json(side: EngineDaybook, session: str) -> float:
    messages: list[Message] = side.loop.wait(
        side.book.history.list(session, user_id=owner_of(session))
    )
    return fmean(len(msgspec.json.encode(message)) for message in messages)


def measure_foreign(bench: Bench) -> None:
    """Load a small session from a store that holds many others."""
    foreign, each = bench.settings.size(300, 4), 1_000
    talk = Talk(seed=5)
    texts = [talk.text() for _ in range(each)]
    small = bench.session("small")
    for name, engine in bench.engines.items():
        for row in bench.rows_of(engine):
            side = bench.sides[row]
            if name == "dynamodb" or not bench.try_fill(
                row, small, partial(side.fill, small, texts[:_SMALL])
            ):
                bench.unfit[small, row] = "not filled"
                continue
            bench.settings.say(f"fill {foreign * each:,} foreign messages: {row}")
            for number in range(foreign):
                side.fill(bench.session(f"foreign-{number}"), texts)
    label = f"{_SMALL} beside {foreign * each:,}"
    found = _load(bench, {label: ("small", None)})
    _load_table(bench, "A small session among many foreign messages", [label], found)
    for name, engine in bench.engines.items():
        if engine.most is not None:
            _judge_load(bench, label, name, found)
