"""Turns that end early: the question stays, and what had come of the answer, marked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest

from daybook.chat import AsyncChatApplication, ChatReply
from daybook.errors import ProviderError, StoreClosedError, TurnTimeoutError
from daybook.model.message import Message
from daybook.model.reply import Reply
from tests.chat.scripted_models import Gated, Script, calls, failure, mark, texts

LIMIT_S = 60.0


@asynccontextmanager
async def talking(model: Any, **options: Any) -> AsyncIterator[AsyncChatApplication]:
    async with AsyncChatApplication("inmemory://", embedder="hash", model=model, **options) as chat:
        await chat.create_session("alice", session_id="s")
        yield chat


async def drained(
    chat: AsyncChatApplication, text: str = "Hello?", session_id: str = "s"
) -> ChatReply:
    """Take a turn as a stream, to its end."""
    async with aclosing(chat.stream(session_id, text)) as parts:
        async for part in parts:
            if isinstance(part, ChatReply):
                return part
    raise AssertionError("a stream ends with a reply")


async def check_goes_on(chat: AsyncChatApplication) -> None:
    """The session is free and works."""
    async with asyncio.timeout(LIMIT_S):
        reply = await drained(chat, "And now?")
    assert reply.text


async def test_a_closed_stream_keeps_what_was_handed_over() -> None:
    async with talking(Script(("one ", "two ", "three ", "four "))) as chat:
        parts = chat.stream("s", "Count")
        assert await anext(parts) == "one "
        await parts.aclose()
        partial = (await chat.history("s"))[-1]
        assert (partial.role, mark(partial, "incomplete")) == ("assistant", True)
        assert "one two three four ".startswith(partial.text)
        assert partial.text.startswith("one ")
        assert "four" not in partial.text, "the model was read on after the reader had left"
        await check_goes_on(chat)


async def test_a_cancelled_task_keeps_what_had_come() -> None:
    model = Gated("Half a ")
    async with talking(model) as chat:
        task = asyncio.create_task(drained(chat))
        await model.began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        history = await chat.history("s")
        assert texts(history) == [("user", "Hello?"), ("assistant", "Half a")]
        assert mark(history[1], "incomplete") is True
        model.go_on.set()
        await check_goes_on(chat)


async def test_cancelled_again_while_it_stores_it_still_stores() -> None:
    model = Gated("Half a ")
    async with talking(model) as chat:
        task = asyncio.create_task(drained(chat))
        await model.began.wait()
        for _ in range(5):
            task.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError):
            await task
        assert texts(await chat.history("s"))[1:] == [("assistant", "Half a")]


async def test_an_answer_that_breaks_off_is_kept_and_the_error_passes() -> None:
    async with talking(Script(("Half ", "an ", failure()), "whole")) as chat:
        with pytest.raises(ProviderError):
            await drained(chat)
        history = await chat.history("s")
        assert texts(history) == [("user", "Hello?"), ("assistant", "Half an")]
        assert mark(history[1], "incomplete") is True
        await check_goes_on(chat)


async def test_a_turn_that_takes_too_long(time_passes: Callable[[float], None]) -> None:
    model = Gated("Half a ")
    async with talking(model, turn_timeout_s=100) as chat:
        task = asyncio.create_task(drained(chat))
        await model.began.wait()
        time_passes(101)
        with pytest.raises(TurnTimeoutError, match="not complete") as late:
            await task
        assert late.value.began
        assert texts(await chat.history("s"))[1:] == [("assistant", "Half a")]
        model.go_on.set()
        await check_goes_on(chat)


async def test_a_turn_that_waits_too_long_for_those_before_it(
    time_passes: Callable[[float], None],
) -> None:
    model = Gated("Half a ")
    async with talking(model, turn_timeout_s=100) as chat:
        first = asyncio.create_task(drained(chat, "first"))
        await model.began.wait()
        second = asyncio.create_task(drained(chat, "second"))
        for _ in range(100):  # until it stands in line
            await asyncio.sleep(0)
        time_passes(101)
        await asyncio.wait({first, second})
        errors = [task.exception() for task in (first, second)]
        assert [isinstance(one, TurnTimeoutError) and one.began for one in errors] == [True, False]
        assert isinstance(errors[1], TurnTimeoutError)
        assert texts(await chat.history("s")) == [("user", "first"), ("assistant", "Half a")]


async def test_before_the_first_piece_nothing_but_the_question_is_kept() -> None:
    model = Gated("")
    async with talking(model) as chat:
        task = asyncio.create_task(drained(chat))
        await model.began.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert texts(await chat.history("s")) == [("user", "Hello?")]
        model.go_on.set()


async def test_a_turn_that_gives_up_waiting_leaves_nothing_and_blocks_nobody() -> None:
    model = Gated("A ")
    async with talking(model) as chat:
        first = asyncio.create_task(drained(chat, "first"))
        await model.began.wait()
        second = asyncio.create_task(drained(chat, "second"))
        third = asyncio.create_task(drained(chat, "third"))
        await asyncio.sleep(0.05)
        second.cancel()
        with suppress(asyncio.CancelledError):
            await second
        model.go_on.set()
        await asyncio.gather(first, third)
        asked = [one.text for one in await chat.history("s") if one.role == "user"]
        assert asked == ["first", "third"]


async def test_cut_off_in_a_tool_no_call_is_left_without_its_result() -> None:
    running = asyncio.Event()

    async def slow() -> str:
        """Take long."""
        running.set()
        await asyncio.Event().wait()
        return ""

    script = Script(calls(("c1", "slow", {}), text="Let me see."), "whole")
    async with talking(script, tools=[slow]) as chat:
        task = asyncio.create_task(drained(chat))
        await running.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        history = await chat.history("s")
        assert texts(history) == [("user", "Hello?"), ("assistant", "Let me see.")]
        assert history[1].tool_calls == ()
        await check_goes_on(chat)


async def test_closing_the_chat_ends_its_turns_and_keeps_what_had_come() -> None:
    model = Gated("Half a ")
    async with talking(model) as chat:
        book = chat.book
        borrowed = AsyncChatApplication(book)
        task = asyncio.create_task(drained(borrowed))
        await model.began.wait()
        await borrowed.close()
        with pytest.raises(StoreClosedError):
            await task
        assert texts(await book.history.list("s"))[1:] == [("assistant", "Half a")]


async def test_cancelled_at_any_moment_the_log_is_sound() -> None:
    """However far it came: nothing, the question, or that and what was said of the answer."""

    async def model(messages: tuple[Message, ...]) -> AsyncIterator[str | Reply]:
        if messages[-1].role == "tool":
            for piece in ("a ", "b ", "c "):
                yield piece
            return
        asks = calls(("c1", "tell", {}), text="One moment.")
        yield asks.text
        yield Reply(message=asks, model="m", finish_reason="tool_calls")

    async def tell() -> str:
        """Tell."""
        return "told"

    lengths: set[int] = set()
    async with talking(model, tools=[tell]) as chat:
        for steps in (*range(12), *range(16, 240, 8)):
            session = await chat.create_session("alice")
            task = asyncio.create_task(chat.chat(session, "Hello?"))
            if steps % 3:
                task = asyncio.create_task(drained(chat, "Hello?", session.id))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            history = await chat.history(session)
            check_sound(history)
            lengths.add(len(history))
            async with asyncio.timeout(LIMIT_S):
                await chat.chat(session, "And now?")
            check_sound(await chat.history(session))
    assert lengths >= {0, 1, 4}, "the cancellations did not reach from the beginning to the end"


def check_sound(history: list[Message]) -> None:
    """Every call has its results behind it, every answer belongs to a question before it."""
    asked: set[str] = set()
    waiting: list[str] = []
    for message in history:
        if message.role == "tool":
            assert message.tool_call_id == waiting.pop(0)
            continue
        assert waiting == []
        if message.role == "user":
            asked.add(message.id)
        else:
            assert mark(message, "answers") in asked
            waiting = [call.id for call in message.tool_calls]
    assert waiting == []


async def test_a_whole_answer_is_not_kept_twice() -> None:
    """A turn that is cancelled while its answer is being stored leaves the answer, and no part."""
    stored = asyncio.Event()

    async def model(messages: tuple[Message, ...]) -> AsyncIterator[str | Reply]:
        yield "All of it."

    async with talking(model) as chat:
        real = chat.book.history.append

        async def slow(session_id: str, messages: Any, **named: Any) -> Any:
            receipt = await real(session_id, messages, **named)
            if not isinstance(messages, Message) and messages[-1].role == "assistant":
                stored.set()
                await asyncio.sleep(0.05)
            return receipt

        chat.book.history.append = slow  # type: ignore[method-assign]
        task = asyncio.create_task(drained(chat))
        await stored.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        history = await chat.history("s")
    assert texts(history) == [("user", "Hello?"), ("assistant", "All of it.")]
    assert mark(history[1], "incomplete") is None
