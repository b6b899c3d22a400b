"""Everything indexed anew, in place, while it is used; by several workers; in several attempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daybook import AsyncDaybook, Daybook, Message
from daybook.errors import ProviderError, UnsupportedError
from daybook.model.scope import DEFAULT_TENANT, Scope
from daybook.protocols.search_index import SearchIndex
from tests.indexing.filling import fill

ALICE = Scope(DEFAULT_TENANT, "alice")


@pytest.fixture(params=["inmemory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "inmemory://" if request.param == "inmemory" else f"sqlite:///{tmp_path}/chat.db"


def index_of(book: AsyncDaybook) -> SearchIndex:
    index: SearchIndex = vars(book)["_index_parts"][0]
    return index


async def listed(book: AsyncDaybook) -> dict[str, list[int]]:
    """Return what is indexed of Alice's: positions by session."""
    index = index_of(book)
    return {
        group: [at for _, at in await index.listed(ALICE, "turns", group)]
        for _, group in await index.groups(ALICE, "turns", limit=999)
    }


def forget(folder: Path) -> None:
    """Lose the file of a separate index."""
    for file in folder.glob("index.db*"):
        file.unlink()


def before_first(call: Callable[..., Awaitable[Any]], act: Callable[[], Awaitable[Any]]) -> Any:
    """Let something happen just before the first call that has documents to write."""
    acted = False

    async def with_act(*arguments: Any, **named: Any) -> Any:
        nonlocal acted
        if arguments[2] and not acted:
            acted = True
            await act()
        return await call(*arguments, **named)

    return with_act


async def test_it_indexes_all_tells_how_far_it_is_and_leaves_nothing(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await fill(book)
        before = await listed(book)
        told: list[tuple[int, int]] = []
        done = await book.recall.reindex(on_progress=lambda *counts: told.append(counts))
        assert done == 48
        assert told == sorted(told)
        assert told[-1] == (6, 6)
        assert await listed(book) == before
        assert (await book.recall.state()).documents == 48
        assert await index_of(book).groups(Scope("daybook:default"), "turns", limit=9) == []


async def test_of_one_user_it_touches_no_other(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await fill(book)
        await book.history.append("b", Message.user("plums"), user_id="bob")
        await book.recall.flush()
        bob = Scope(DEFAULT_TENANT, "bob")
        await index_of(book).delete(bob, "turns", "b")
        await index_of(book).delete(ALICE, "turns", "s0")
        assert await book.recall.reindex(user_id="alice") == 48
        assert len((await listed(book))["s0"]) == 8
        assert await index_of(book).listed(bob, "turns", "b") == []


@pytest.mark.parametrize("what", ["deleted", "made again", "cleared", "appended", "forked"])
async def test_what_changes_between_reading_and_writing_is_as_it_is_then(
    url: str, what: str
) -> None:
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await fill(book, sessions=2)
        index = index_of(book)

        async def act() -> None:
            if what in ("deleted", "made again"):
                await book.sessions.delete("s0")
            if what == "cleared":
                await book.history.clear("s0")
            if what in ("made again", "appended", "cleared"):
                await book.history.append("s0", Message.user("new plums"), user_id="alice")
            if what == "forked":
                await book.sessions.fork("s0", new_session_id="s9")
            await book.recall.flush()

        vars(index)["put"] = before_first(index.put, act)
        await book.recall.reindex()
        expected = {
            "deleted": {"s1": 8},
            "made again": {"s0": 1, "s1": 8},
            "cleared": {"s0": 1, "s1": 8},
            "appended": {"s0": 9, "s1": 8},
            "forked": {"s0": 8, "s1": 8, "s9": 8},
        }[what]
        assert {name: len(held) for name, held in (await listed(book)).items()} == expected
        assert (await book.recall.state()).pending_sessions == 0
        hits = await book.recall.search("new plums", user_id="alice", limit=50)
        assert len(hits) == sum(expected.values()) - (8 if what == "forked" else 0)


@pytest.mark.parametrize("what", ["deleted", "cleared"])
async def test_what_another_process_took_out_is_not_put_back_by_the_background(
    tmp_path: Path, what: str
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await book.history.append("s", Message.user("plums"), user_id="alice")
        index = index_of(book)

        async def act() -> None:
            async with AsyncDaybook.open(url, embedder="hash", background=False) as other:
                await (other.sessions.delete if what == "deleted" else other.history.clear)("s")
                await other.recall.flush()

        vars(index)["put"] = before_first(index.put, act)
        await book.recall.flush()
        assert await index.listed(ALICE, "turns", "s") == []
        assert (await book.recall.state()).pending_sessions == 0


async def test_records_that_change_meanwhile_are_as_they_are_then(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        for number in range(4):
            await book.records.put(("alice", "prefs"), f"k{number}", {"likes": f"plums {number}"})
        index = index_of(book)
        ghost = await index.listed(ALICE, "records", '"alice","prefs",')
        assert len(ghost) == 4

        async def act() -> None:
            await book.records.delete(("alice", "prefs"), "k0")
            await book.records.put(("alice", "prefs"), "k1", {"likes": "cherries"})

        vars(index)["put"] = before_first(index.put, act)
        assert await book.records.reindex() == 4
        held = await index.listed(ALICE, "records", '"alice","prefs",')
        assert sorted(key for key, _ in held) == ["k1", "k2", "k3"]
        best = (await book.records.search(("alice",), query="cherries"))[0]
        assert best.record.key == "k1"


async def test_what_fails_keeps_nothing_waiting_and_is_tried_again_alone(url: str) -> None:
    broken = True

    def embed(texts: Sequence[str]) -> list[list[float]]:
        if broken and any("word3" in text for text in texts):
            raise RuntimeError("no")
        return [[1.0, float(len(text))] for text in texts]

    async with AsyncDaybook.open(url, embedder=embed, background=False) as book:
        broken = False
        await fill(book)
        for number in range(6):
            await index_of(book).delete(ALICE, "turns", f"s{number}")
        broken = True
        with pytest.raises(ProviderError):
            await book.recall.reindex()
        assert sorted(await listed(book)) == ["s0", "s1", "s2", "s4", "s5"]
        broken = False
        assert await book.recall.reindex() == 8
        assert len(await listed(book)) == 6
        assert await book.recall.reindex() == 48


async def test_an_embedder_that_is_down_ends_it_soon(url: str) -> None:
    calls = 0

    def embed(texts: Sequence[str]) -> list[list[float]]:
        nonlocal calls
        calls += 1
        if "down" in texts[0]:
            raise RuntimeError("no")
        return [[1.0, 0.0] for _ in texts]

    async with AsyncDaybook.open(url, index="none", background=False) as book:
        for number in range(200):
            await book.history.append(f"s{number}", Message.user("down"), user_id="alice")
        if url == "inmemory://":
            return
    async with AsyncDaybook.open(url, embedder=embed, background=False) as book:
        with pytest.raises(ProviderError):
            await book.recall.reindex()
    assert calls < 100


@pytest.mark.parametrize("changed", ["nothing", "fresh", "embedder", "index lost"])
async def test_a_run_goes_on_only_where_what_was_done_still_counts(
    tmp_path: Path, changed: str
) -> None:
    url, index = f"sqlite:///{tmp_path}/chat.db", f"sqlite:///{tmp_path}/index.db"

    class Failing:
        id = "mine-1"
        dimensions = 2
        broken = True

        async def embed(self, texts: Sequence[str], *, purpose: str = "document") -> Any:
            if self.broken and any("word3" in text for text in texts):
                raise ProviderError("down", provider="mine")
            return np.array([[1.0, float(len(text))] for text in texts], np.float32)

    mine = Failing()
    async with AsyncDaybook.open(url, index="none", background=False) as book:
        for number in range(6):
            said = [Message.user(f"word{number} and {one} plums") for one in range(8)]
            await book.history.append(f"s{number}", said, user_id="alice")
    opening = AsyncDaybook.open(url, index=index, embedder=mine, background=False)
    async with opening.without_rebuilding() as book:
        with pytest.raises(ProviderError):
            await book.recall.reindex()
    mine.broken = False
    if changed == "index lost":
        forget(tmp_path)
    if changed == "embedder":
        mine.id = "mine-2"
    opening = AsyncDaybook.open(url, index=index, embedder=mine, background=False)
    async with opening.without_rebuilding() as book:
        done = await book.recall.reindex(fresh=changed == "fresh")
        assert done == (8 if changed == "nothing" else 48)
        assert {name: len(held) for name, held in (await listed(book)).items()} == {
            f"s{number}": 8 for number in range(6)
        }


async def test_an_index_that_was_lost_and_half_made_is_made_whole_at_the_next_open(
    tmp_path: Path,
) -> None:
    url, index = f"sqlite:///{tmp_path}/chat.db", f"sqlite:///{tmp_path}/index.db"
    broken = True

    def embed(texts: Sequence[str]) -> list[list[float]]:
        if broken and any("word3" in text for text in texts):
            raise RuntimeError("no")
        return [[1.0, float(len(text))] for text in texts]

    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await fill(book)  # settled by the store's own index: the other one hears of nothing
    with pytest.raises(ProviderError):
        await AsyncDaybook.open(url, index=index, embedder=embed, background=False)
    broken = False
    async with AsyncDaybook.open(url, index=index, embedder=embed, background=False) as book:
        assert len(await listed(book)) == 6
    async with AsyncDaybook.open(url, index=index, embedder=embed, background=False) as book:
        assert not await book.recall.is_lost()


async def test_a_tenants_index_is_made_anew_though_anothers_is_there_or_something_waits(
    tmp_path: Path,
) -> None:
    url, index = f"sqlite:///{tmp_path}/chat.db", f"sqlite:///{tmp_path}/index.db"
    for tenant in ("one", "two"):
        opening = AsyncDaybook.open(url, embedder="hash", background=False, tenant=tenant)
        async with opening as book:
            await book.history.append("s", Message.user("plums"), user_id="alice")
            await book.records.put(("alice", "prefs"), "k", {"likes": "plums"})
            await book.recall.flush()
    async with AsyncDaybook.open(url, index="none", tenant="two", background=False) as book:
        await book.history.append("t", Message.user("plums"), user_id="alice")
    for tenant, found in (("one", 1), ("two", 2)):
        opening = AsyncDaybook.open(
            url, index=index, embedder="hash", background=False, tenant=tenant
        )
        async with opening as book:
            assert len(await book.recall.search("plums", user_id="alice")) == found
            assert len(await book.records.search(("alice",), query="plums")) == 1
            assert not await book.recall.is_lost()


async def test_what_only_waits_is_not_lost(tmp_path: Path) -> None:
    url, index = f"sqlite:///{tmp_path}/chat.db", f"sqlite:///{tmp_path}/index.db"
    async with AsyncDaybook.open(url, index="none", background=False) as book:
        await book.sessions.create(user_id="alice", session_id="empty")
        await book.history.append("s", Message.user("plums"), user_id="alice")
    async with AsyncDaybook.open(url, index=index, embedder="hash", background=False) as book:
        assert (await book.recall.state()).pending_sessions == 1
        assert (await book.recall.state()).documents == 0


async def test_without_an_index_it_says_so() -> None:
    async with AsyncDaybook.open("inmemory://", index="none") as book:
        assert book.reindexing is None
        for call in (book.recall.reindex, book.records.reindex):
            with pytest.raises(UnsupportedError):
                await call()


def test_the_blocking_twin_does_the_same(url: str) -> None:
    with Daybook.open(url, embedder="hash", background=False) as book:
        book.history.append("s", Message.user("plums"), user_id="alice")
        book.records.put(("alice",), "k", {"likes": "plums"})
        told: list[tuple[int, int]] = []
        assert book.recall.reindex(fresh=True, on_progress=lambda *one: told.append(one)) == 1
        assert told[-1] == (1, 1)
        assert book.records.reindex(fresh=True) == 1
