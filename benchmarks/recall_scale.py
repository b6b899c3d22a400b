"""One user with 6,000, 100,000 and 1,000,000 turns: latency, memory, and what a search misses.

The conversations are written and indexed once, into the folder of the benchmarks, and stay there
for the next run; the documents of SQLite's index are then copied into PostgreSQL's.
"""

from __future__ import annotations

import json
import time
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.harness import AsyncSide, Settings
from benchmarks.report import Report, Table, at_least, at_most, duration
from benchmarks.servers import places
from benchmarks.sides.daybooks import url_of
from benchmarks.sides.nearest_turns import nearest_turns
from benchmarks.sides.recall import converse, talk_of
from benchmarks.sides.scale_child import Asked, measure_postgresql, measure_sqlite
from benchmarks.sides.scale_copy import copy_index
from benchmarks.talk import Talk
from daybook import AsyncDaybook

__all__ = ["run"]

_USER = "u"
_PART = 20_000
_NEAREST = 10
_LIMITS = {6_000: (3.0, None, 1.0), 100_000: (12.0, None, 1.0), 1_000_000: (None, 40.0, 0.98)}
_MOST_MB = 450
_FIRST_SEED = 1_000


def run(settings: Settings) -> Report:
    """Measure each size on SQLite and on PostgreSQL."""
    report = Report("Recall: one user with very many turns")
    rows: list[list[str]] = []
    misses: list[list[str]] = []
    sizes = [settings.size(full, quick) for full, quick in
             ((6_000, 400), (100_000, 2_000), (1_000_000, 6_000))]  # fmt: skip
    with places(settings.folder, ("postgresql",)) as servers:
        for size in sizes:
            _one_size(report, settings, size, servers.urls.get("postgresql"), rows, misses)
    columns = [
        "turns, engine", "p50", "p95", "CPU, p50", "whole search, p50", "p95", "first search",
        "resident above import", "written", "on disk, a turn",
    ]  # fmt: skip
    report.tables.append(
        Table("One search (without reading the hits), and all of it", columns, rows)
    )
    report.tables.append(
        Table(
            f"Nearest {_NEAREST} turns by brute force: how many the index hands to the ranker",
            ["turns, engine", *_filters()],
            misses,
        )
    )
    report.notes = _notes()
    return report


def _filters() -> list[str]:
    return ["no filter", "1 % by time", "half by time", "1 % of sessions", "one session"]


def _notes() -> list[str]:
    return [
        (
            "Text is made up under Zipf's law, 40 turns a session; a question repeats four words "
            "of a turn. `static` embedder, defaults; searches one after the other, in a process "
            "of their own; nothing is pending."
        ),
        (
            "Written: turns appended to the log, analysed, embedded and indexed a second "
            "(SQLite); documents copied into the index a second (PostgreSQL, whose log is not "
            "measured here)."
        ),
        (
            "CPU: of this process, all threads; what a search takes on a machine that is busy "
            "otherwise says more about that."
        ),
        "Brute force is over the stored vectors; questions are asked by their vector alone.",
    ]


def _one_size(
    report: Report,
    settings: Settings,
    size: int,
    server: str | None,
    rows: list[list[str]],
    misses: list[list[str]],
) -> None:
    side = AsyncSide()
    path = settings.folder / f"recall-scale-{size}.db"
    settings.say(f"{size:,} turns: writing, if they are not there yet")
    made = _written(path, size, settings, side)
    settings.say(f"{size:,} turns: the nearest by brute force")
    texts = _questions(size, settings.size(60, 5))
    wanted = side.wait(nearest_turns(path, texts, _NEAREST))
    count = settings.size(200, 10)
    asked = Asked(_USER, _questions(size, count), settings.rounds, wanted)
    settings.say(f"{size:,} turns: SQLite")
    found = _apart(measure_sqlite, url_of(path, "normal"), asked)
    _add(report, size, "SQLite", {**made, **found}, rows, misses)
    if server is not None:
        settings.say(f"{size:,} turns: copying to PostgreSQL")
        schema = f"recall_scale_{size}"
        url = f"{server}?schema={schema}&timeout_s=120"
        copied = side.wait(copy_index(path, url, schema, _USER))
        settings.say(f"{size:,} turns: PostgreSQL")
        found = _apart(measure_postgresql, url, asked)
        _add(report, size, "PostgreSQL", {**copied, **found}, rows, misses)
    side.close()


def _apart(job: Any, url: str, asked: Asked) -> dict[str, Any]:
    """Run a measurement in a fresh process, whose memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        measured: dict[str, Any] = pool.apply(job, (url, asked))
    return measured


def _add(
    report: Report,
    size: int,
    engine: str,
    found: dict[str, Any],
    rows: list[list[str]],
    misses: list[list[str]],
) -> None:
    label = f"{size:,}, {engine}"
    whole = found.get("whole")
    rows.append(
        [
            label,
            duration(found["p50"]),
            duration(found["p95"]),
            duration(found["cpu"]),
            duration(whole[0]) if whole else "-",
            duration(whole[1]) if whole else "-",
            duration(found["first"]),
            f"{found['resident'] / 1e6:.0f} MB",
            f"{found['rate']:,.0f} a second",
            f"{found['disk'] / size:,.0f} bytes",
        ]
    )
    misses.append([label, *(f"{found['recall'][name]:.3f}" for name in _filters())])
    report.numbers[label] = [found["p50"], found["p95"], found["first"], found["resident"]]
    median_ms, tail_ms, least = _LIMITS.get(size, (None, None, 0.98))
    p50, p95 = whole[:2] if whole else (found["p50"], found["p95"])
    if median_ms is not None:
        report.verdicts.append(at_most(f"p50, {label}", p50 * 1e3, median_ms, "ms"))
    if tail_ms is not None:
        report.verdicts.append(at_most(f"p95, {label}", p95 * 1e3, tail_ms, "ms"))
        report.verdicts.append(
            at_most(f"resident, {label}", found["resident"] / 1e6, _MOST_MB, "MB")
        )
    worst = min(found["recall"].values())
    report.verdicts.append(at_least(f"worst recall@{_NEAREST}, {label}", worst, least, "", 3))


def _written(path: Path, size: int, settings: Settings, side: AsyncSide) -> dict[str, float]:
    """Write and index the conversations, unless an earlier run did; return rate and bytes."""
    note = path.with_suffix(".json")
    if not note.exists():
        path.unlink(missing_ok=True)
        taken = side.wait(_write(path, size, settings))
        made = {"rate": size / taken, "disk": path.stat().st_size}
        note.write_text(json.dumps(made), encoding="utf-8")
    read: dict[str, float] = json.loads(note.read_text(encoding="utf-8"))
    return read


async def _write(path: Path, size: int, settings: Settings) -> float:
    taken = 0.0
    async with AsyncDaybook.open(url_of(path, "normal"), background=False) as book:
        for first in range(0, size, _PART):
            sessions = talk_of(_FIRST_SEED + first, min(_PART, size - first))
            start = time.perf_counter()
            await converse(book, _USER, sessions, first=first)
            await book.recall.flush()
            taken += time.perf_counter() - start
            settings.say(f"  {min(first + _PART, size):,}")
    return taken


def _questions(size: int, count: int) -> list[str]:
    sessions = talk_of(_FIRST_SEED, min(_PART, size))
    dice, talk = Random(13 + count), Talk(14)
    turns = [str(message.content) for session in sessions for message in session]
    return [talk.question(dice.choice(turns)) for _ in range(count)]
