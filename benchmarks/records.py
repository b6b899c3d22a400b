"""Long-term records: put one, put many, get, list, search with a filter; all durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.harness import Series, Settings, interleave, scratch, timed
from benchmarks.report import Report, Table, at_least, at_most, duration
from benchmarks.sides.opening import opened
from benchmarks.sides.record_stores import (
    AiInfraStore,
    DaybookRecords,
    Embed,
    Item,
    LangGraphStore,
    RawRecords,
    RecordStore,
)
from benchmarks.talk import Talk
from daybook.registry import load_embedder

__all__ = ["run"]

_RAW, _DAYBOOK = "sqlite3, FULL", "Daybook (searchable)"
_GRAPH, _INFRA = "LangGraph SqliteStore", "ai-infra MemoryStore"
_OWNERS = 100
_KINDS = ("fact", "taste")
_SLOW = 0.3
Works = dict[str, tuple[int, Callable[[RecordStore], object]]]


def run(settings: Settings) -> Report:
    """Measure every operation on every store."""
    report = Report("Long-term records on SQLite")
    held = settings.size(5_000, 400)
    items = _items(held, seed=10)
    with scratch(settings) as folder, opened(_makers(folder)) as (sides, missing):
        found: dict[str, Series] = {}
        _fill(sides, items, found, settings)
        works = _works(items, settings)
        steps = {
            f"{name} | {label}": _round_of(side, work, repeats)
            for label, (repeats, work) in works.items()
            for name, side in sides.items()
            if not label.startswith("search") or side.search("owner-1", "train") is not None
        }
        found |= interleave(steps, settings, "records")
    labels = ["put one", "put many", *(label for label in works if not label.startswith("put"))]
    report.tables.append(_table(found, list(sides), labels, missing, held))
    for name, series in found.items():
        report.keep(name, series)
    _judge(report, found)
    return report


def _items(count: int, seed: int) -> list[Item]:
    talk, dice = Talk(seed), Random(seed)
    return [
        (
            f"owner-{at % _OWNERS}",
            f"key-{seed}-{at}",
            {"text": talk.sentence(), "kind": dice.choice(_KINDS), "weight": dice.random()},
        )
        for at in range(count)
    ]


def _embed() -> tuple[Embed, int]:
    """Return Daybook's own table as a function, so that all sides embed with the same."""
    embedder = load_embedder("static")

    def embed(texts: Sequence[str]) -> list[list[float]]:
        rows: list[list[float]] = asyncio.run(embedder.embed(texts)).tolist()
        return rows

    return embed, embedder.dimensions


def _makers(folder: Path) -> dict[str, Callable[[], RecordStore]]:
    embed, width = _embed()
    return {
        _RAW: lambda: RawRecords(folder / "raw.db"),
        _DAYBOOK: lambda: DaybookRecords(folder / "daybook.db"),
        f"{_GRAPH}, no search": lambda: LangGraphStore(folder / "graph.db", None, width),
        f"{_GRAPH}, searchable": lambda: LangGraphStore(folder / "graph-vec.db", embed, width),
        f"{_INFRA}, no search": lambda: AiInfraStore(folder / "infra.db", None),
        f"{_INFRA}, searchable": lambda: AiInfraStore(folder / "infra-vec.db", embed),
    }


def _fill(
    sides: Mapping[str, RecordStore],
    items: list[Item],
    found: dict[str, Series],
    settings: Settings,
) -> None:
    """Store what later operations find; the time of it is the first bulk number."""
    for name, side in sides.items():
        settings.say(f"fill {len(items):,}: {name}")
        taken = timed(partial(side.put_many, items)) / len(items)
        found[f"{name} | fill"] = Series((taken,))


def _works(items: list[Item], settings: Settings) -> Works:
    """Return each operation with its repeats per round."""
    singles = iter(_items(settings.size(60_000, 4_000), seed=11))
    queries = iter([Talk(12).question(item[2]["text"]) for item in items[:200]] * 1_000)
    places = iter([(owner, key) for owner, key, _ in items] * 1_000)
    batch = settings.size(500, 50)

    def put_many(side: RecordStore) -> None:
        side.put_many([next(singles) for _ in range(batch)])

    return {
        "put one": (settings.size(40, 5), lambda side: side.put(*next(singles))),
        f"put {batch} together": (1, put_many),
        "get": (settings.size(100, 10), lambda side: side.get(*next(places))),
        "list 50 of one owner": (settings.size(20, 3), lambda side: side.list("owner-1", 50)),
        "search 10, filtered": (
            settings.size(10, 2),
            lambda side: side.search("owner-1", next(queries)),
        ),
    }


def _round_of(
    side: RecordStore, work: Callable[[RecordStore], object], repeats: int
) -> Callable[[], float]:
    """Return one round: the mean of some calls, fewer where a call is slow."""

    def measure() -> float:
        first = timed(partial(work, side))
        count = repeats if first * repeats < _SLOW else max(1, int(_SLOW / first))
        return timed(lambda: [work(side) for _ in range(count)]) / count

    return measure


def _table(
    found: Mapping[str, Series],
    names: list[str],
    labels: list[str],
    missing: Mapping[str, str],
    held: int,
) -> Table:
    labels = [label for label in labels if any(name.endswith(f"| {label}") for name in found)]
    put = next(
        name.partition(" | ")[2] for name in found if " | put " in name and "together" in name
    )
    labels.insert(1, put)
    rows: list[list[str]] = []
    for name in names:
        cells: list[str] = []
        for label in labels:
            series = found.get(f"{name} | {label}")
            cells.append("" if series is None else duration(series.median))
        rows.append([name, *cells])
    rows += [[name, reason, *[""] * (len(labels) - 1)] for name, reason in missing.items()]
    return Table(
        f"Seconds for one call; {held:,} records of {_OWNERS} owners", ["side", *labels], rows
    )


def _judge(report: Report, found: Mapping[str, Series]) -> None:
    one, raw = found[f"{_DAYBOOK} | put one"], found[f"{_RAW} | put one"]
    many = next(name for name in found if name.startswith(_DAYBOOK) and "together" in name)
    count = int(many.split()[-2])
    report.verdicts = [
        at_least("put one, durable and searchable", 1 / one.median, 3_000, "a second", 0),
        at_most("put one against a one-row commit of sqlite3", one.ratio(raw), 1.6),
        at_least(
            f"put {count} together, searchable", count / found[many].median, 40_000, "a second", 0
        ),
    ]
    report.notes = [
        (
            f"A one-row commit of sqlite3 took {duration(raw.median)} here, so "
            f"{1 / raw.median:,.0f} a second is the most that one caller can have on this disk."
        ),
        (
            "Daybook's records are found by words and meaning as soon as `put` returns; the rows "
            "named searchable embed with the same table. LangGraph searches with sqlite-vec, "
            "ai-infra in Python. A filter on one field goes with every search."
        ),
    ]
