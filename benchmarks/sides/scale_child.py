"""What is measured of a large scope in a process of its own."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import percentile
from benchmarks.sides.nearest_turns import Wanted
from daybook import AsyncDaybook
from daybook.indexing.query_runner import run_query
from daybook.model.candidates import CandidateQuery
from daybook.model.scope import Scope

__all__ = ["Asked", "measure_postgresql", "measure_sqlite"]


@dataclass(frozen=True)
class Asked:
    """What to ask, of whom, how often.

    Attributes:
        user: Whose turns.
        texts: Questions.
        rounds: How often all of them.
        wanted: What should be found by vectors.
    """

    user: str
    texts: list[str]
    rounds: int
    wanted: list[Wanted]


def measure_sqlite(url: str, asked: Asked) -> dict[str, Any]:
    """Return times of whole searches, too."""
    return asyncio.run(_measure(url, None, asked))


def measure_postgresql(url: str, asked: Asked) -> dict[str, Any]:
    """Return what the index alone does; the log is an empty one."""
    return asyncio.run(_measure("inmemory://", url, asked))


async def _measure(url: str, index_url: str | None, asked: Asked) -> dict[str, Any]:
    before = _resident()
    async with AsyncDaybook.open(url, index=index_url, background=False) as book:
        index: Any = book.recall._index  # noqa: SLF001 - the index alone has no public door
        models: Any = book.recall._models  # noqa: SLF001
        scope = Scope("default", asked.user)

        async def ranked(text: str) -> object:
            now = datetime.now(UTC)
            return await run_query(index, models, scope, "turns", text, now=now, limit=10)

        async def whole(text: str) -> object:
            return await book.recall.search(text, user_id=asked.user)

        start = time.perf_counter()
        await ranked("the old guitar")
        found: dict[str, Any] = {"first": time.perf_counter() - start}
        found["p50"], found["p95"], found["cpu"] = await _timed(ranked, asked)
        if index_url is None:
            found["whole"] = await _timed(whole, asked)
        found["resident"] = _resident() - before
        found["recall"] = {one.name: await _share(index, scope, one) for one in asked.wanted}
        return found


async def _timed(
    search: Callable[[str], Awaitable[object]], asked: Asked
) -> tuple[float, float, float]:
    """Return the medians over rounds of a round's median, 95th percentile and median CPU time."""
    medians, tails, works = [], [], []
    for _ in range(asked.rounds):
        times, worked = [], []
        for text in asked.texts:
            start, work = time.perf_counter(), time.process_time()
            if not await search(text):
                raise RuntimeError(f"nothing found for {text!r}")
            times.append(time.perf_counter() - start)
            worked.append(time.process_time() - work)
        medians.append(median(times))
        tails.append(percentile(times, 0.95))
        works.append(median(worked))
    return median(medians), median(tails), median(works)


async def _share(index: Any, scope: Scope, wanted: Wanted) -> float:
    """Return how many of the nearest turns are among the candidates."""
    shares = []
    for vector, keys in zip(wanted.queries, wanted.nearest, strict=True):
        query = CandidateQuery(
            terms=(), full_terms=(), vector=vector, embedder=wanted.embedder,
            **wanted.only,  # type: ignore[arg-type] # filters, made for this
        )  # fmt: skip
        found = await index.candidates(scope, "turns", query)
        handed = set(found.keys[found.eligible])
        shares.append(sum(key in handed for key in keys) / max(len(keys), 1))
    return sum(shares) / len(shares)


def _resident() -> int:
    """Return the bytes resident now; elsewhere than on Linux the most there ever were."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
