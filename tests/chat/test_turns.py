"""Turns: what is stored, what is sent, who may ask, what a repetition does, in which order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from daybook import AsyncDaybook, Message, Usage
from daybook.chat import DEFAULT_STRATEGY, AsyncChatApplication, ChatReply
from daybook.chat.chat_settings import context_tokens
from daybook.context.strategy import Buffer
from daybook.errors import (
    AccessDeniedError,
    BadModelOutputError,
    BudgetError,
    ConfigError,
    ConflictError,
    CostCapError,
    InvalidInputError,
    NotFoundError,
    ProviderError,
    StoreClosedError,
)
from daybook.model.reply import Reply
from daybook.testing.fake_clock import FakeClock
from tests.chat.scripted_models import Script, echo, failure, in_pairs, mark, texts


def said(question: str) -> str:
    return f"you said {question}"


async def test_a_turn_is_stored_and_accounted_for(chat: AsyncChatApplication) -> None:
    session = await chat.create_session("alice", "First")
    reply = await chat.chat(session.id, "Hello!", user_id="alice")
    assert (reply.text, str(reply)) == ("you said Hello! ", "you said Hello! ")
    assert [one.first_seq for one in reply.receipts] == [1, 2]
    assert reply.context is not None
    assert reply.context.included == ((1, 1),)
    assert reply.context.strategy.startswith("Summary()")
    history = await chat.history(session)
    assert history == [reply.question, reply.message]
    assert mark(reply.message, "answers") == reply.question.id
    info = await chat.info(session)
    assert info is not None
    assert (info.message_count, info.title, info.user_id) == (2, "First", "alice")
    assert await chat.get_session_info(session.id, user_id="alice") == info


async def test_a_stream_is_the_answer_in_pieces_and_then_the_reply(
    chat: AsyncChatApplication,
) -> None:
    session = await chat.create_session("alice")
    *pieces, reply = [part async for part in chat.stream(session, "one two")]
    assert pieces == ["you ", "said ", "one ", "two "]
    assert isinstance(reply, ChatReply)
    assert reply.text == "".join(map(str, pieces))
    assert await chat.history(session) == [reply.question, reply.message]


async def test_what_is_sent_is_the_conversation_so_far() -> None:
    script = Script("Rex is a fine name.", "Rex, of course.")
    async with AsyncChatApplication(
        "inmemory://", embedder="hash", model=script, system_prompt="Be brief."
    ) as chat:
        session = await chat.create_session("alice")
        await chat.chat(session, "My dog is called Rex.")
        await chat.chat(session, "What is my dog called?")
    assert texts(script.asked[1]) == [
        ("system", "Be brief."),
        ("user", "My dog is called Rex."),
        ("assistant", "Rex is a fine name."),
        ("user", "What is my dog called?"),
    ]


async def test_other_sessions_of_the_user_are_recalled_and_of_nobody_else() -> None:
    script = Script("Fine.")
    async with AsyncChatApplication("inmemory://", embedder="hash", model=script) as chat:
        for user in ("alice", "bob"):
            earlier = await chat.create_session(user)
            await chat.chat(earlier, f"The password of {user} is swordfish-{user}.")
        session = await chat.create_session("alice")
        await chat.chat(session, "What is the password?")
    sent = "\n".join(one.text for one in script.asked[-1])
    assert "swordfish-alice" in sent
    assert "swordfish-bob" not in sent


async def test_twenty_turns_at_once_go_one_after_the_other(chat: AsyncChatApplication) -> None:
    session = await chat.create_session("alice")
    questions = [f"question {number}" for number in range(20)]
    await asyncio.gather(*(chat.chat(session, one) for one in questions))
    history = await chat.history(session)
    assert [one.text for one in history[::2]] == questions
    assert in_pairs(history, said)


async def test_sessions_do_not_wait_for_each_other() -> None:
    met = asyncio.Barrier(2)

    async def model(messages: tuple[Message, ...]) -> str:
        await met.wait()  # passes only if both are asked at once
        return "met"

    async with AsyncChatApplication("inmemory://", embedder="hash", model=model) as chat:
        one, two = await chat.create_session("alice"), await chat.create_session("alice")
        replies = await asyncio.gather(chat.chat(one, "here"), chat.chat(two, "there"))
    assert [reply.text for reply in replies] == ["met", "met"]


# ------------------------------------------------------------------------------- repetitions


async def test_a_repeated_turn_returns_the_stored_answer() -> None:
    script = Script("first", "second")
    async with AsyncChatApplication("inmemory://", embedder="hash", model=script) as chat:
        session = await chat.create_session("alice")
        question = Message.user("Hello?", id="mine")
        first = await chat.chat(session, question)
        again = await chat.chat(session, Message.user("Hello?", id="mine"))
        pieces = [part async for part in chat.stream(session, question)]
        assert (again.repeated, again.message) == (True, first.message)
        assert pieces[0] == "first"
        assert len(script.asked) == 1
        assert len(await chat.history(session)) == 2
        with pytest.raises(ConflictError):
            await chat.chat(session, Message.user("Something else", id="mine"))


async def test_after_a_failure_the_same_message_is_answered_once() -> None:
    script = Script(failure(), "well then")
    async with AsyncChatApplication("inmemory://", embedder="hash", model=script) as chat:
        session = await chat.create_session("alice")
        question = Message.user("Hello?", id="mine")
        with pytest.raises(ProviderError):
            await chat.chat(session, question)
        assert texts(await chat.history(session)) == [("user", "Hello?")]
        reply = await chat.chat(session, question)
        assert (reply.text, reply.repeated) == ("well then", False)
        assert texts(await chat.history(session)) == [
            ("user", "Hello?"),
            ("assistant", "well then"),
        ]


async def test_a_turn_taken_again_after_others_ends_with_its_question() -> None:
    script = Script(("half ", failure()), "to the other", "to the first")
    async with AsyncChatApplication("inmemory://", embedder="hash", model=script) as chat:
        session = await chat.create_session("alice")
        first = Message.user("The first", id="first")
        with pytest.raises(ProviderError):
            _ = [part async for part in chat.stream(session, first)]
        await chat.chat(session, "Another")
        reply = await chat.chat(session, first)
    assert reply.text == "to the first"
    assert texts(script.asked[-1]) == [
        ("user", "The first"),
        ("user", "Another"),
        ("assistant", "to the other"),
        ("user", "The first"),
    ]


async def test_one_turn_taken_twice_at_once_has_one_answer(chat: AsyncChatApplication) -> None:
    session = await chat.create_session("alice")
    question = Message.user("Hello?", id="mine")
    replies = await asyncio.gather(*(chat.chat(session, question) for _ in range(5)))
    assert len({reply.message.id for reply in replies}) == 1
    assert [reply.repeated for reply in replies] == [False, True, True, True, True]
    assert len(await chat.history(session)) == 2


# ------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("message", ["", "  \n", Message.assistant("no"), 7, Message.user("")])
async def test_what_is_no_question_is_refused(chat: AsyncChatApplication, message: object) -> None:
    session = await chat.create_session("alice")
    with pytest.raises(InvalidInputError):
        await chat.chat(session, message)  # type: ignore[arg-type]
    assert await chat.history(session) == []


async def test_a_cost_cap_holds_and_the_question_stays(chat: AsyncChatApplication) -> None:
    session = await chat.create_session("alice")
    await chat.book.costs.set_cap("alice", tokens=1, period="total")
    with pytest.raises(CostCapError):
        await chat.chat(session, "Hello?")
    assert texts(await chat.history(session)) == [("user", "Hello?")]


async def test_a_question_larger_than_the_budget() -> None:
    async with AsyncChatApplication(
        "inmemory://", embedder="hash", model=echo, max_tokens=20
    ) as chat:
        session = await chat.create_session("alice")
        with pytest.raises(BudgetError):
            await chat.chat(session, "word " * 100)
        assert (await chat.chat(session, "short")).text == "you said short "


async def test_a_long_question_is_no_error(chat: AsyncChatApplication) -> None:
    """Longer than recall takes, shorter than the context."""
    session = await chat.create_session("alice")
    reply = await chat.chat(session, "x" * 12_000)
    assert len(reply.text) > 12_000


async def test_an_answer_of_nothing_is_an_error() -> None:
    empty = Reply(message=Message.assistant(""), model="m", finish_reason="length")

    async def model(messages: tuple[Message, ...]) -> Reply:
        return empty

    async with AsyncChatApplication("inmemory://", embedder="hash", model=model) as chat:
        session = await chat.create_session("alice")
        with pytest.raises(BadModelOutputError, match="length"):
            await chat.chat(session, "Hello?")
        assert len(await chat.history(session)) == 1


async def test_a_session_that_is_removed_meanwhile_is_not_made_anew() -> None:
    async def model(messages: tuple[Message, ...]) -> str:
        await chat.delete_session("here")
        return "too late"

    async with AsyncChatApplication("inmemory://", embedder="hash", model=model) as chat:
        await chat.create_session("alice", session_id="here")
        with pytest.raises(NotFoundError):
            await chat.chat("here", "Hello?", user_id="alice")
        assert await chat.info("here") is None


async def test_arguments_that_contradict_each_other() -> None:
    async with AsyncDaybook.open("inmemory://", embedder=None) as book:
        for wrong in ({"model": echo}, {"tenant": "t"}):
            with pytest.raises(ConfigError, match=next(iter(wrong))):
                AsyncChatApplication(book, **wrong)
    with pytest.raises(ConfigError):
        AsyncChatApplication("inmemory://", redis_url="redis://x")
    for name, value in (
        ("session_ttl", -1),
        ("session_ttl", 1e30),
        ("max_tokens", 0),
        ("lease_s", 0),
        ("tool_timeout_s", 0),
        ("turn_timeout_s", "1"),
        ("max_messages", 0),
        ("max_tool_rounds", -1),
        ("strategy", "summary"),
        ("system_prompt", 3),
    ):
        with pytest.raises(InvalidInputError, match=name.partition("_")[0]):
            AsyncChatApplication("inmemory://", **{name: value})  # type: ignore[arg-type]


# ------------------------------------------------------------------------------ who may what


async def test_only_owners_and_writers_take_turns(chat: AsyncChatApplication) -> None:
    session = await chat.create_session("alice")
    with pytest.raises(NotFoundError):
        await chat.chat(session, "Let me in", user_id="bob")
    await chat.share(session, "bob", user_id="alice")
    with pytest.raises(AccessDeniedError):
        await chat.chat(session, "Let me in", user_id="bob")
    assert await chat.history(session) == []
    await chat.share(session, "bob", role="writer", user_id="alice")
    reply = await chat.chat(session, "Thanks", user_id="bob")
    assert mark(reply.question, "user_id") == "bob"
    assert texts(await chat.history(session, user_id="bob"))[0] == ("user", "Thanks")
    assert await chat.revoke(session, "bob", user_id="alice")
    with pytest.raises(NotFoundError):
        await chat.chat(session, "Still there?", user_id="bob")


async def test_who_is_let_in_sees_one_session_only() -> None:
    """Neither recall nor an answer from memory tells the guest of the owner's other sessions."""
    script = Script("Fine.")
    async with AsyncChatApplication("inmemory://", embedder="hash", model=script) as chat:
        other = await chat.create_session("alice")
        await chat.chat(other, "My password is swordfish.")
        session = await chat.create_session("alice")
        await chat.share(session, "bob", role="writer")
        await chat.chat(session, "What is the password?", user_id="bob")
        assert "swordfish" not in "".join(one.text for one in script.asked[-1])
        totals = await chat.book.costs.totals("bob")
        assert totals.total.calls == 1
        await chat.chat(session, "What is the password?", user_id="alice")
        assert "swordfish" in "".join(one.text for one in script.asked[-1])


# ------------------------------------------------------------------------------ with no model


async def test_without_a_model_it_says_so_and_quotes_what_it_remembers() -> None:
    clock = FakeClock()
    async with AsyncChatApplication("inmemory://", embedder="hash", clock=clock) as chat:
        session = await chat.create_session("alice")
        first = await chat.chat(session, "My dog is called Rex.")
        assert first.text == "No language model is configured. I remember nothing about this."
        clock.advance(timedelta(days=1))
        reply = await chat.chat(session, "What is my dog called?")
        again = await chat.chat(session, "My dog, how is it called?")
    assert "No language model is configured." in reply.text
    assert "- 2024-02-29, user: “My dog is called Rex.”" in reply.text
    assert mark(reply.message, "no_model") is True
    assert (reply.model, reply.context) == (None, None)
    assert "No language model" not in again.text.partition(".")[2], "it quotes itself"


async def test_without_a_model_a_guest_hears_of_one_session_only() -> None:
    async with AsyncChatApplication("inmemory://", embedder="hash") as chat:
        other = await chat.create_session("alice")
        await chat.chat(other, "My password is swordfish.")
        session = await chat.create_session("alice")
        await chat.share(session, "bob", role="writer")
        assert "swordfish" not in (await chat.chat(session, "The password?", user_id="bob")).text
        assert "swordfish" in (await chat.chat(session, "My password?", user_id="alice")).text


async def test_without_an_index_it_goes_on_without_recall() -> None:
    async with AsyncChatApplication("inmemory://", index="none", embedder=None) as chat:
        session = await chat.create_session("alice")
        assert "There is no search index" in (await chat.chat(session, "Hello?")).text
    async with AsyncChatApplication("inmemory://", index="none", embedder=None, model=echo) as chat:
        session = await chat.create_session("alice")
        reply = await chat.chat(session, "Hello?")
        assert reply.context is not None
        assert "Relevant" not in reply.context.strategy


# ---------------------------------------------------------------------------------- settings


async def test_sessions_get_the_chats_life_and_view() -> None:
    clock = FakeClock()
    async with AsyncChatApplication(
        "inmemory://", embedder="hash", model=echo, session_ttl=3600, max_messages=2, clock=clock
    ) as chat:
        session = await chat.create_session("alice")
        for text in ("one", "two"):
            await chat.chat(session, text)
        assert texts(await chat.history(session)) == [
            ("user", "two"),
            ("assistant", "you said two"),
        ]
        fork = await chat.fork(session, at=2, title="Another way")
        assert (fork.ttl, fork.max_messages) == (timedelta(hours=1), 2)
        clock.advance(timedelta(hours=1))
        assert await chat.list_sessions("alice") == []
        with pytest.raises(NotFoundError):
            await chat.chat(session, "three")


async def test_sessions_move_by_export_and_import(chat: AsyncChatApplication) -> None:
    session = await chat.create_session("alice")
    await chat.chat(session, "Hello")
    exported = await chat.export(session, user_id="alice")
    assert (await chat.export(session, format="markdown")).count("Hello") == 2
    before = await chat.history(session)
    assert await chat.delete_session(session, user_id="bob") is False
    assert await chat.delete_session(session, user_id="alice") is True
    back = await chat.import_(exported)
    assert await chat.history(back) == before
    assert [one.session_id for one in await chat.list_sessions("alice")] == [session.id]


async def test_a_borrowed_book_stays_open() -> None:
    async with AsyncDaybook.open("inmemory://", embedder="hash", model=echo) as book:
        async with AsyncChatApplication(book, strategy=Buffer(), max_tokens=500) as chat:
            session = await chat.create_session("alice")
            reply = await chat.chat(session, "Hello")
            assert reply.context is not None
            assert (reply.context.strategy, reply.context.max_tokens) == ("Buffer()", 500)
        assert len(await book.history.list(session.id)) == 2
        with pytest.raises(StoreClosedError):
            await chat.chat(session, "Hello")


def test_how_large_contexts_are_by_default() -> None:
    assert context_tokens(None, None) == 8000
    assert context_tokens("callable:x", None) == 8000
    assert context_tokens("openai:gpt-5", None) == 32_000
    assert context_tokens("openai:gpt-4", None) <= 8192 - 2000
    assert DEFAULT_STRATEGY.digest is not None


async def test_tokens_are_summed_and_options_passed_on() -> None:
    usage = Usage(10, 3, {"cached_tokens": 4})
    reply = Reply(message=Message.assistant("yes", usage=usage), model="m-1")

    async def model(messages: tuple[Message, ...]) -> Reply:
        return reply

    async with AsyncChatApplication("inmemory://", embedder="hash", model=model) as chat:
        session = await chat.create_session("alice")
        got = await chat.chat(session, "Hello")
        assert (got.usage, got.model) == (usage, "m-1")
        assert (await chat.history(session))[-1].usage == usage
        assert (await chat.book.costs.totals("alice")).parts["reply"].input_tokens == 10
