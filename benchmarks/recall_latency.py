"""How long a whole `recall.search` takes, and whether the vector leg misses anything."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np

from benchmarks.harness import AsyncSide, Series, Settings, percentile, scratch
from benchmarks.report import Report, Table, at_least, at_most, duration
from benchmarks.sides.daybooks import url_of
from benchmarks.sides.recall import converse, talk_of
from benchmarks.talk import Talk
from daybook import AsyncDaybook, Message
from daybook.model.candidates import CandidateQuery
from daybook.model.scope import Scope
from daybook.registry import load_embedder

__all__ = ["run"]

_NEAREST = 10
Users = dict[str, list[list[Message]]]


def run(settings: Settings) -> Report:
    """Measure many users with few turns each, and one with many."""
    report = Report("Recall: latency of a whole search")
    many, few = settings.size(100, 5), settings.size(1_000, 200)
    much = settings.size(100_000, 2_000)
    rows: list[list[str]] = []
    rows.append(_one_shape(report, settings, users=many, turns=few, limit_ms=3.0))
    some = settings.size(6_000, 400)
    rows.append(_one_shape(report, settings, users=1, turns=some, limit_ms=3.0))
    rows.append(_one_shape(report, settings, users=1, turns=much, limit_ms=12.0))
    columns = [
        "what",
        "p50",
        "p95",
        "first search of a user, p50",
        "first of all",
        "index cache",
        "resident, grown",
        f"vector leg, recall@{_NEAREST}",
    ]
    report.tables.append(Table("One search: both legs, fusion, ranker, neighbours", columns, rows))
    report.notes = [
        (
            "Text is made up under Zipf's law; a question repeats four words of a turn. Searches "
            "are awaited one after the other; nothing is pending. `static` embedder, defaults."
        ),
        (
            "Recall of the vector leg: of the ten turns nearest to the query by brute force over "
            "all vectors of the scope (embedded anew, float32), the share among the candidates "
            "that the index hands to the ranker."
        ),
    ]
    return report


def _one_shape(
    report: Report, settings: Settings, *, users: int, turns: int, limit_ms: float
) -> list[str]:
    label = f"{users:,} users of {turns:,} turns" if users > 1 else f"one user of {turns:,} turns"
    side = AsyncSide()
    with scratch(settings) as folder:
        path = folder / "recall.db"
        settings.say(f"{label}: writing and indexing")
        people: Users = {f"user-{at}": talk_of(at, turns) for at in range(users)}
        side.wait(_write(path, people))
        settings.say(f"{label}: searching")
        found = side.wait(_search_all(path, people, settings))
        exact = side.wait(_exactness(path, people, settings.size(50, 5)))
    side.close()
    searches: list[list[float]] = found["rounds"]
    medians = Series(tuple(median(one) for one in searches))
    tails = Series(tuple(percentile(one, 0.95) for one in searches))
    report.keep(f"{label} p50", medians)
    report.keep(f"{label} p95", tails)
    report.verdicts.append(at_most(f"p50, {label}", medians.median * 1e3, limit_ms, "ms"))
    report.verdicts.append(at_least(f"vector leg recall@{_NEAREST}, {label}", exact, 1.0, "", 3))
    return [
        label,
        duration(medians.median),
        duration(tails.median),
        duration(median(found["first"])),
        duration(found["first"][0]),
        f"{found['cache'] / 1e6:.0f} MB",
        f"{found['grown'] / 1e6:.0f} MB",
        f"{exact:.3f}",
    ]


async def _write(path: Path, people: Users) -> None:
    async with AsyncDaybook.open(url_of(path, "normal"), background=False) as book:
        for user, sessions in people.items():
            await converse(book, user, sessions)
        await book.recall.flush()


async def _search_all(path: Path, people: Users, settings: Settings) -> dict[str, Any]:
    """Search every user once (cold), then in rounds (warm)."""
    dice, talk = Random(13), Talk(14)
    before = _resident()
    async with AsyncDaybook.open(url_of(path, "normal"), background=False) as book:
        first = [await _timed_search(book, user, "the old guitar") for user in people]
        count = settings.size(200, 10)
        rounds: list[list[float]] = []
        for _ in range(settings.rounds):
            asked = [_question(dice, talk, people) for _ in range(count)]
            rounds.append([await _timed_search(book, user, text) for user, text in asked])
        index: Any = book.recall._index  # noqa: SLF001 - the cache has no public size
        held = index._cache._cache.total_bytes  # noqa: SLF001
        return {"first": first, "rounds": rounds, "cache": held, "grown": _resident() - before}


def _question(dice: Random, talk: Talk, people: Users) -> tuple[str, str]:
    user = dice.choice(list(people))
    turn = dice.choice(dice.choice(people[user]))
    return user, talk.question(str(turn.content))


async def _timed_search(book: AsyncDaybook, user: str, text: str) -> float:
    start = time.perf_counter()
    hits = await book.recall.search(text, user_id=user)
    taken = time.perf_counter() - start
    if not hits:
        raise RuntimeError(f"nothing found for {text!r}")
    return taken


async def _exactness(path: Path, people: Users, count: int) -> float:
    """Return the share of the truly nearest turns that are among the candidates."""
    embedder = load_embedder("static")
    user, sessions = next(iter(people.items()))
    turns = [message for session in sessions for message in session]
    vectors = await embedder.embed([str(turn.content) for turn in turns])
    dice, talk = Random(15), Talk(16)
    shares: list[float] = []
    async with AsyncDaybook.open(url_of(path, "normal"), background=False) as book:
        for _ in range(count):
            text = talk.question(str(dice.choice(turns).content))
            query = (await embedder.embed([text], purpose="query"))[0]
            similarity = vectors @ query
            threshold = np.partition(similarity, -_NEAREST)[-_NEAREST]
            nearest = {
                turns[row].id for row in np.flatnonzero(similarity > threshold + 1e-3).tolist()
            }
            found = await _candidates(book, user, query, embedder.id)
            shares.append(len(nearest & found) / len(nearest) if nearest else 1.0)
    return sum(shares) / len(shares)


async def _candidates(book: AsyncDaybook, user: str, query: Any, embedder: str) -> set[str]:
    index: Any = book.recall._index  # noqa: SLF001 - the leg alone has no public door
    asked = CandidateQuery(terms=(), full_terms=(), vector=query, embedder=embedder)
    found = await index.candidates(Scope("default", user), "turns", asked)
    keys: Sequence[str] = found.keys[found.eligible].tolist()
    return set(keys)


def _resident() -> int:
    """Return the bytes resident now; elsewhere than on Linux the most there ever were."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
