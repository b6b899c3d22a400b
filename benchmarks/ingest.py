"""Bulk import into log and index, the lag of background indexing, and what the disk holds."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from benchmarks.harness import AsyncSide, Series, Settings, interleave, percentile, scratch
from benchmarks.report import Report, Table, at_least, at_most, duration
from benchmarks.sides.daybooks import url_of
from benchmarks.sides.floors import RawSqlite
from benchmarks.sides.recall import talk_of
from daybook import AsyncDaybook, Message

__all__ = ["run"]

_USERS = 10
_APPEND = 40
_EVERY_S = 0.02
_POLL_S = 0.002
_LEAST_SHARE = 0.005
Sessions = list[list[Message]]


def run(settings: Settings) -> Report:
    """Measure bulk import, lag and size."""
    report = Report("Ingest: append, analyse, embed (static), index")
    people = {f"user-{at}": talk_of(at, settings.size(2_000, 200)) for at in range(_USERS)}
    _bulk(report, people, settings)
    _lag(report, people, settings)
    _disk(report, people, settings)
    return report


def _bulk(report: Report, people: Mapping[str, Sessions], settings: Settings) -> None:
    """Import everything and wait until it is indexed, into a new file each round."""
    turns = sum(len(messages) for sessions in people.values() for messages in sessions)
    sides: dict[str, Callable[[], float]] = {
        "sqlite3, log only, a commit per session": lambda: _raw_import(people, settings),
        "Daybook, append alone": lambda: _import(people, settings, flush=False),
        "Daybook, append and index": lambda: _import(people, settings, flush=True),
    }
    found = interleave(sides, settings, "bulk import")
    rates = {name: Series(tuple(turns / one for one in s.values)) for name, s in found.items()}
    rows = [
        [name, f"{rate.median:,.0f}", f"{rate.spread:,.0f}", duration(1 / rate.median)]
        for name, rate in rates.items()
    ]
    columns = ["side", "turns a second", "±", "each"]
    report.tables.append(Table(f"{turns:,} turns of {_USERS} users, FULL, new file", columns, rows))
    for name, rate in rates.items():
        report.keep(name, rate)
    speed = rates["Daybook, append and index"].median
    report.verdicts.append(at_least("bulk ingest, indexed, durable", speed, 8_000, "turns/s", 0))


def _raw_import(people: Mapping[str, Sessions], settings: Settings) -> float:
    with scratch(settings) as folder:
        side = RawSqlite(folder / "raw.db", "full")
        start = time.perf_counter()
        for user, sessions in people.items():
            for number, messages in enumerate(sessions):
                side.fill(f"{user}-{number}", [str(message.content) for message in messages])
        taken = time.perf_counter() - start
        side.close()
    return taken


def _import(people: Mapping[str, Sessions], settings: Settings, *, flush: bool) -> float:
    side = AsyncSide()
    with scratch(settings) as folder:
        taken = side.wait(_import_into(folder / "daybook.db", people, flush=flush))
    side.close()
    return taken


async def _import_into(path: Path, people: Mapping[str, Sessions], *, flush: bool) -> float:
    async with AsyncDaybook.open(url_of(path), background=False) as book:
        start = time.perf_counter()
        await asyncio.gather(
            *(
                book.history.append(f"{user}-{number}", messages, user_id=user)
                for user, sessions in people.items()
                for number, messages in enumerate(sessions)
            )
        )
        if flush:
            await book.recall.flush()
        return time.perf_counter() - start


def _lag(report: Report, people: Mapping[str, Sessions], settings: Settings) -> None:
    """Append an exchange every 20 ms; see how long until the index holds it."""
    side = AsyncSide()
    with scratch(settings) as folder:
        lags = side.wait(_watch(folder / "lag.db", people, settings.size(300, _APPEND)))
    side.close()
    middle, tail = percentile(lags, 0.5), percentile(lags, 0.95)
    columns = ["appends", "lag p50", "lag p95", "most"]
    row = [f"{len(lags):,}", duration(middle), duration(tail), duration(max(lags))]
    report.tables.append(
        Table("Background indexing while an exchange arrives every 20 ms", columns, [row])
    )
    report.numbers["lag"] = lags
    report.verdicts.append(at_most("indexing lag, p95", tail * 1e3, 200, "ms", 0))


async def _watch(path: Path, people: Mapping[str, Sessions], appends: int) -> list[float]:
    """Return for every append the seconds until the index had as many documents."""
    sessions = [messages for all_of in people.values() for messages in all_of]
    turns = [message for messages in sessions for message in messages]
    asked: list[float] = []
    lags: list[float] = []
    done = asyncio.Event()

    async with AsyncDaybook.open(url_of(path)) as book:
        await book.history.append("warm", turns[-2:], user_id="user-0")
        await book.recall.flush()

        async def watch() -> None:
            while not (done.is_set() and len(lags) == len(asked)):
                documents = (await book.recall.state()).documents - 2
                now = time.perf_counter()
                while len(lags) < min(len(asked), documents // 2):
                    lags.append(now - asked[len(lags)])
                await asyncio.sleep(_POLL_S)

        watcher = asyncio.create_task(watch())
        for at in range(appends):
            batch = turns[2 * at : 2 * at + 2]
            await book.history.append(f"session-{at // 50}", batch, user_id="user-0")
            asked.append(time.perf_counter())
            await asyncio.sleep(_EVERY_S)
        done.set()
        await asyncio.wait_for(watcher, timeout=60)
    return lags


def _disk(report: Report, people: Mapping[str, Sessions], settings: Settings) -> None:
    """Weigh a file with everything in it, table by table and column by column."""
    texts = [str(m.content) for all_of in people.values() for one in all_of for m in one]
    raw = sum(len(text.encode()) for text in texts)
    side = AsyncSide()
    with scratch(settings) as folder:
        path = folder / "disk.db"
        side.wait(_import_into(path, people, flush=True))
        size = path.stat().st_size
        with closing(sqlite3.connect(path)) as connection:
            pages, columns = _page_sums(connection), _column_sums(connection)
    side.close()
    whole = {"whole file": float(size)}
    head = f"{len(texts):,} turns, {raw:,} bytes of text"
    report.tables.append(_parts_table(f"Disk by table: {head}", {**pages, **whole}, raw, texts))
    report.tables.append(_parts_table("Bytes in the columns themselves", columns, raw, texts))
    report.verdicts.append(at_most("disk against raw text", size / raw, 2.5))
    body = columns["messages.body"]
    report.notes.append(
        f"Raw text: {raw / len(texts):.0f} bytes a turn; the messages' JSON (id, role, name, "
        f"time, text): {body / len(texts):.0f}. The file is {size / body:.2f} times that JSON."
    )
    if not pages:
        report.notes.append("This SQLite has no dbstat, so there are no sizes by table.")


def _parts_table(title: str, parts: Mapping[str, float], raw: int, texts: list[str]) -> Table:
    rows = [
        [name, f"{held:,.0f}", f"{held / len(texts):,.1f}", f"{held / raw:.2f}"]
        for name, held in sorted(parts.items(), key=lambda part: -part[1])
        if held / raw > _LEAST_SHARE
    ]
    return Table(title, ["part", "bytes", "a turn", "x raw text"], rows)


def _page_sums(connection: sqlite3.Connection) -> dict[str, float]:
    """Return the bytes of each table's and index's pages; empty where SQLite has no dbstat."""
    try:
        found = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
    except sqlite3.OperationalError:
        return {}
    return {name: float(size) for name, size in found}


def _column_sums(connection: sqlite3.Connection) -> dict[str, float]:
    """Return the bytes of the values of each column; numbers count as their digits."""
    parts: dict[str, float] = {}
    for table in ("messages", "message_ids", "index_documents"):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for column in columns:
            query = f"SELECT sum(length(CAST({column} AS BLOB))) FROM {table}"  # noqa: S608 - names
            parts[f"{table}.{column}"] = float(connection.execute(query).fetchone()[0] or 0)
    return parts
