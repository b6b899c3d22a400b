"""What the queue is for: without it, or with a lease that was lost, turns mix; and are not lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from daybook import AsyncDaybook
from daybook.chat import AsyncChatApplication, turn_queue
from daybook.chat.turn_line import Standing
from daybook.chat.turn_queue import Place, TurnQueue
from daybook.model.message import Message
from daybook.model.session import Session
from daybook.testing.fake_clock import FakeClock
from tests.chat.scripted_models import Gated, echo, in_pairs, mark, texts


async def two_chats_on_one_book() -> list[Message]:
    """Take ten turns at once, half of them through another chat."""
    async with AsyncDaybook.open("inmemory://", embedder="hash", model=echo) as book:
        await book.sessions.create(user_id="alice", session_id="s")
        chats = [AsyncChatApplication(book) for _ in range(2)]
        await asyncio.gather(*(chats[n % 2].chat("s", f"question {n}") for n in range(10)))
        return await book.history.list("s")


async def test_chats_that_share_a_book_queue() -> None:
    assert in_pairs(await two_chats_on_one_book(), lambda text: f"you said {text}")


async def test_a_chat_without_a_queue_is_convicted(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def at_once(
        self: TurnQueue, session: Session, standing: Standing
    ) -> AsyncIterator[Place]:
        lease = self._leases.of(session, self._life)
        lease._ends_at = self._leases._clock.now() + self._life
        yield Place(lease, self._life)

    monkeypatch.setattr(turn_queue.TurnQueue, "turn", at_once)
    assert not in_pairs(await two_chats_on_one_book(), lambda text: f"you said {text}")


async def test_an_answer_whose_lease_was_lost_is_kept_and_marked() -> None:
    """As in a process that was stopped for longer than its lease: the clock jumps."""
    clock = FakeClock()
    model = Gated("To the ", "first")
    async with AsyncDaybook.open("inmemory://", embedder="hash", model=model, clock=clock) as book:
        await book.sessions.create(user_id="alice", session_id="s")
        slow, quick = AsyncChatApplication(book), AsyncChatApplication(book)
        first = asyncio.create_task(slow.chat("s", "first"))
        await model.began.wait()
        clock.advance(timedelta(minutes=5))
        second = asyncio.create_task(quick.chat("s", "second"))
        await model.until(2)
        model.go_on.set()
        replies = await asyncio.gather(first, second)
        history = await book.history.list("s")
    assert texts(history)[:2] == [("user", "first"), ("user", "second")]
    assert [mark(reply.message, "late") for reply in replies] == [True, None]


@pytest.mark.parametrize("rest", [" answer", None])
async def test_one_question_answered_by_two_has_the_answer_that_came_first(
    rest: str | None,
) -> None:
    """Two processes, one of which lost its lease, cannot both answer a question."""
    clock = FakeClock()
    model = Gated("Some", rest)
    async with AsyncDaybook.open("inmemory://", embedder="hash", model=model, clock=clock) as book:
        await book.sessions.create(user_id="alice", session_id="s")
        question = Message.user("What?", id="q")
        slow, quick = AsyncChatApplication(book), AsyncChatApplication(book)
        first = asyncio.create_task(slow.chat("s", question))
        await model.began.wait()
        clock.advance(timedelta(minutes=5))
        second = asyncio.create_task(quick.chat("s", question))
        await model.until(2)
        model.go_on.set()
        replies = await asyncio.gather(first, second)
        history = await book.history.list("s")
    assert [one.role for one in history] == ["user", "assistant"]
    assert len({reply.text for reply in replies}) == 1
    assert {reply.message.id for reply in replies} == {history[1].id}
    assert sorted(reply.repeated for reply in replies) == [False, True]
