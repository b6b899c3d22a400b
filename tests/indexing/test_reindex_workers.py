"""Several workers on one run, and workers that come late, die elsewhere or take their time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daybook import AsyncDaybook, Message
from daybook.embedders.hashing import HashEmbedder
from daybook.errors import ConflictError
from daybook.indexing import reindexer
from daybook.indexing.reindex_plan import LEASE
from daybook.indexing.reindex_state import Claim
from daybook.indexing.reindex_store import ReindexStore
from daybook.model.reindex_progress import ReindexProgress
from daybook.protocols.embedder import Purpose
from daybook.testing.fake_clock import FakeClock
from tests.indexing.filling import fill
from tools.crash.reindexing import judge, traces


class WaitingEmbedder(HashEmbedder):
    """Embeds while it is let."""

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def embed(self, texts: Sequence[str], *, purpose: Purpose = "document") -> np.ndarray:
        await self.go_on.wait()
        return await super().embed(texts, purpose=purpose)


async def test_two_workers_at_once_share_the_work(tmp_path: Path) -> None:
    """Each goes on when both have come: one that was quick enough would leave nothing to share."""
    url, embedder = f"sqlite:///{tmp_path}/chat.db", WaitingEmbedder(48)
    async with AsyncDaybook.open(url, embedder=embedder, background=False) as book:
        await fill(book, sessions=30)
        embedder.go_on.clear()
        came: set[int] = set()

        async def reindex(number: int, book: AsyncDaybook) -> int:
            def note(_done: int, _total: int) -> None:
                came.add(number)
                if len(came) == 2:
                    embedder.go_on.set()

            return await book.recall.reindex(on_progress=note)

        async with AsyncDaybook.open(url, embedder=embedder, background=False) as other:
            done = await asyncio.gather(reindex(1, book), reindex(2, other))
    assert sum(done) == 240
    assert await judge(url, "") == []
    assert await traces(url, "") == []


async def test_a_worker_that_comes_when_all_is_done_does_nothing_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    """It saw a share that nobody had, and claims it when the run has been ended."""
    url = f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash:48", background=False) as book:
        await fill(book)
        work = book.reindexing
        assert work is not None
        quick, late = work.turns(), work.turns()
        await quick.begin()
        await late.begin()
        store: ReindexStore = vars(late)["_store"]
        claim, done = store.write_claim, list[int]()

        async def claim_late(*arguments: Any) -> Any:
            if not done:
                done.append(0)
                done.append((await quick.work()).done)
                await quick.end()
            return await claim(*arguments)

        vars(store)["write_claim"] = claim_late
        assert (await late.work()).done == 0
        assert done == [0, 6]
        assert await late.is_done()
        await late.end()
    assert await judge(url, "") == []
    assert await traces(url, "") == []


def only_elsewhere_is_left(progress: ReindexProgress) -> bool:
    """Tell whether a worker has given back what it did: it is done a moment before."""
    return (progress.done, progress.holders) == (4, ("elsewhere:1",))


async def test_another_hosts_share_is_free_when_its_lease_has_ended(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
    url = f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash", background=False, clock=clock) as book:
        await fill(book)
        work = book.reindexing
        assert work is not None
        worker = work.turns()
        await worker.begin()
        store: ReindexStore = vars(worker)["_store"]
        claim = Claim(holder="elsewhere:1:x", until=clock.now() + LEASE)
        assert await store.write_claim(worker.run.id, 0, claim, 0) is not None
        task = asyncio.create_task(worker.work())
        async with asyncio.timeout(60):
            while not only_elsewhere_is_left(await worker.progress()):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        assert not task.done()
        clock.advance(LEASE + timedelta(seconds=1))
        outcome = await task
        assert (outcome.done, outcome.weight) == (6, 48)
        assert await worker.is_done()
        await worker.end()


async def test_a_slow_embedder_costs_no_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexer, "_SIGN_S", 0.01)
    monkeypatch.setattr(reindexer, "has_died", lambda _: False)
    clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
    url = f"sqlite:///{tmp_path}/chat.db"
    go_on = asyncio.Event()

    class Slow:
        id = "mine-1"
        dimensions = 2

        async def embed(self, texts: Sequence[str], *, purpose: str = "document") -> Any:
            await go_on.wait()
            return np.ones((len(texts), 2), np.float32)

    slow = Slow()
    async with AsyncDaybook.open(url, index="none", background=False) as book:
        for number in range(2):
            said = [Message.user(f"{one} plums") for one in range(8)]
            await book.history.append(f"s{number}", said, user_id="alice")
    async with AsyncDaybook.open(url, embedder=slow, background=False, clock=clock) as book:
        work = book.reindexing
        assert work is not None
        one, other = work.turns(), work.turns()
        await one.begin()
        await other.begin()
        tasks = [asyncio.create_task(one.work())]
        async with asyncio.timeout(60):
            while len((await other.progress()).holders) < 1:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        tasks.append(asyncio.create_task(other.work()))
        store: ReindexStore = vars(one)["_store"]
        async with asyncio.timeout(60):
            for _ in range(3):
                clock.advance(LEASE * 0.7)
                while any(  # noqa: ASYNC110 - nothing tells
                    claim.value.until < clock.now() + LEASE
                    for claim in (await store.claims(one.run.id)).values()
                ):
                    await asyncio.sleep(0.01)
        go_on.set()
        assert sum([outcome.done for outcome in await asyncio.gather(*tasks)]) == 2


async def test_a_run_begun_anew_elsewhere_ends_this_one_with_a_word(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await fill(book)
        work = book.reindexing
        assert work is not None
        worker, other = work.turns(), work.turns()
        assert not await worker.begin()
        assert await other.begin()
        assert not await other.begin(fresh=True)
        with pytest.raises(ConflictError, match="anew meanwhile"):
            await worker.work()
        assert (await other.work()).done == 6
        await other.end()
        assert not await worker.join(other.run.id)
