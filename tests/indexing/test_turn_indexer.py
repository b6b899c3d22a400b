"""The index follows the log: through deletions, new embedders, failures and closed programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daybook import AsyncDaybook, Message
from daybook.errors import ProviderError
from daybook.facets.recall import RecallState
from daybook.testing.fake_clock import FakeClock


@pytest.fixture(params=["inmemory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "inmemory://" if request.param == "inmemory" else f"sqlite:///{tmp_path}/chat.db"


async def _texts(book: AsyncDaybook, query: str, **filters: Any) -> list[str]:
    hits = await book.recall.search(query, user_id="alice", **filters)
    return [hit.message.text for hit in hits]


async def _until(book: AsyncDaybook, reached: Callable[[RecallState], bool]) -> None:
    """Wait for background work: nothing tells when it is done, so look again and again."""
    async with asyncio.timeout(60):
        while not reached(await book.recall.state()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_search_right_after_a_write_sees_it(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        for number in range(20):
            await book.history.append("s", Message.user(f"errand number {number}"), user_id="alice")
            assert f"errand number {number}" in await _texts(book, f"errand {number}", limit=50)


async def test_the_background_indexes_by_itself(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash") as book:
        await book.history.append("s", Message.user("we planted tulips"), user_id="alice")
        await _until(book, lambda state: not state.pending_sessions)
        found = await book.recall.search("tulips", user_id="alice", read_your_writes=False)
        assert [hit.message.text for hit in found] == ["we planted tulips"]


async def test_what_is_deleted_is_not_found(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await book.history.append("a", Message.user("the code is 4711"), user_id="alice")
        await book.history.append("b", Message.user("the code is 4712"), user_id="alice")
        assert len(await _texts(book, "code")) == 2
        await book.sessions.delete("a")
        assert await _texts(book, "code", read_your_writes=False) == ["the code is 4712"]
        assert await _texts(book, "code") == ["the code is 4712"]
        assert (await book.recall.state()).documents == 1
        await book.history.clear("b")
        assert await _texts(book, "code") == []
        assert (await book.recall.state()).documents == 0
        await book.history.append("b", Message.user("the code is 4713"))
        assert await _texts(book, "code") == ["the code is 4713"]


async def test_a_session_made_again_under_an_old_id_starts_anew(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        old = [Message.user(f"old plan {number}") for number in range(5)]
        await book.history.append("s", old, user_id="alice")
        assert len(await _texts(book, "plan")) == 5
        await book.sessions.delete("s")
        new = [Message.user(f"new plan {number}") for number in range(7)]
        await book.history.append("s", new, user_id="alice")
        assert sorted(await _texts(book, "plan")) == [f"new plan {n}" for n in range(7)]


async def test_an_expired_session_is_not_found_and_does_not_take_places(url: str) -> None:
    clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
    async with AsyncDaybook.open(url, embedder="hash", background=False, clock=clock) as book:
        await book.sessions.create(user_id="alice", session_id="short", ttl=timedelta(hours=1))
        await book.history.append("short", [Message.user("buy oat milk") for _ in range(30)])
        await book.history.append("long", Message.user("buy milk"), user_id="alice")
        assert len(await _texts(book, "milk", limit=5)) == 5
        clock.advance(timedelta(hours=2))
        assert await _texts(book, "milk", limit=5) == ["buy milk"]
        assert await book.sessions.expire_idle() == 1
        assert await _texts(book, "milk", limit=5) == ["buy milk"]
        assert (await book.recall.state()).documents == 1


async def test_a_new_embedder_re_embeds_while_search_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash:32", background=False) as book:
        turns = [Message.user(f"walked {n} miles along the river") for n in range(40)]
        await book.history.append("s", turns, user_id="alice")
        await book.records.put(("alice", "prefs"), "shoes", {"value": "walking boots"})
        await book.recall.flush()
    async with AsyncDaybook.open(url, embedder="hash:48") as book:
        assert "walked 7 miles along the river" in await _texts(book, "river 7 miles")
        await _until(book, lambda state: set(state.embedders) == {"hash-1-48"})
        assert (await book.recall.state()).documents == 41
        assert "walked 7 miles along the river" in await _texts(book, "river 7 miles")
        (hit,) = await book.records.search(("alice",), query="boots")
        assert hit.record.key == "shoes"


async def test_what_was_left_at_close_is_indexed_after_the_next_open(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash", background=False) as book:
        await book.history.append("s", Message.user("the key is under the mat"), user_id="alice")
        assert (await book.recall.state()).pending_sessions == 1
    async with AsyncDaybook.open(url, embedder="hash") as book:
        assert await _texts(book, "key") == ["the key is under the mat"]


async def test_a_failing_embedder_is_seen_and_retried_and_keeps_nothing_else_waiting(
    url: str,
) -> None:
    broken = True

    def embed(texts: Sequence[str]) -> list[list[float]]:
        if broken and any("poison" in text for text in texts):
            raise RuntimeError("no")
        return [[1.0, float(len(text))] for text in texts]

    async with AsyncDaybook.open(url, embedder=embed, background=False) as book:
        await book.history.append("bad", Message.user("poison ivy"), user_id="alice")
        await book.history.append("good", Message.user("english ivy"), user_id="alice")
        with pytest.raises(ProviderError):
            await book.recall.flush()
        assert await _texts(book, "ivy", read_your_writes=False) == ["english ivy"]
        assert (await book.recall.state()).pending_sessions == 1
        broken = False
        await book.recall.flush()
        assert sorted(await _texts(book, "ivy")) == ["english ivy", "poison ivy"]


async def test_the_log_is_written_although_no_index_can_be(url: str) -> None:
    def embed(texts: Sequence[str]) -> list[list[float]]:
        if texts != ["width"]:
            raise RuntimeError("down")
        return [[1.0, 0.0]]

    async with AsyncDaybook.open(url, embedder=embed) as book:
        receipt = await book.history.append("s", Message.user("hello"), user_id="alice")
        assert receipt.last_seq == 1
        await _until(book, lambda state: state.last_error is not None)
        assert (await book.recall.state()).last_error == "ProviderError"
        assert [m.text for m in await book.history.list("s")] == ["hello"]


async def test_a_change_on_another_event_loop_wakes_the_background(url: str) -> None:
    async with AsyncDaybook.open(url, embedder="hash") as book:

        async def append() -> None:
            await book.history.append("s", Message.user("said elsewhere"), user_id="alice")

        await book.history.append("s", Message.user("said here"), user_id="alice")
        await _until(book, lambda state: state.documents == 1 and not state.pending_sessions)
        await asyncio.to_thread(asyncio.run, append())
        await _until(book, lambda state: state.documents == 2)


async def test_whatever_an_embedder_raises_is_a_provider_error(url: str) -> None:
    class Broken:
        id = "broken-1"
        dimensions = 2

        async def embed(self, texts: Sequence[str], *, purpose: str = "document") -> Any:
            raise KeyError(texts[0])

    async with AsyncDaybook.open(url, embedder=Broken()) as book:
        await book.history.append("s", Message.user("my secret"), user_id="alice")
        await _until(book, lambda state: state.last_error == "ProviderError")
        with pytest.raises(ProviderError, match="broken-1: the embedder raised KeyError") as caught:
            await book.recall.flush()
        assert "secret" not in str(caught.value)
