"""Contexts of sessions that are shared, forked, cleared, pinned and seen in part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from daybook.client import AsyncDaybook
from daybook.context import Buffer, Early, Relevant, Summary, TokenWindow
from daybook.errors import BudgetError, InvalidInputError, NotFoundError
from daybook.facets.context import MOST_PINS
from daybook.model.context import Context
from daybook.model.message import Message, ToolCall
from daybook.testing.fake_clock import FakeClock


class FlatCounter:
    """Ten tokens a message, but what Daybook makes itself by its characters."""

    def count(self, message: Message) -> int:
        return len(message.text) // 4 if message.metadata.get("daybook") else 10

    def count_text(self, text: str) -> int:
        return len(text) // 4


@pytest_asyncio.fixture
async def book() -> AsyncIterator[AsyncDaybook]:
    opening = AsyncDaybook.open(
        "inmemory://", embedder="hash", clock=FakeClock(), token_counter=FlatCounter()
    )
    async with opening as opened:
        yield opened


def chat(turns: int, start: int = 0) -> list[Message]:
    return [
        message
        for turn in range(start, start + turns)
        for message in (
            Message.user(f"question {turn}", id=f"u{turn}"),
            Message.assistant(f"answer {turn}", id=f"a{turn}"),
        )
    ]


def ids(context: Context) -> list[str]:
    return [message.id for message in context.messages]


async def test_who_may_read_one_session_recalls_from_it_alone(book: AsyncDaybook) -> None:
    await book.history.append("private", Message.user("My PIN is 8831"), user_id="ann")
    talk = [Message.user("The PIN of the shared door is 1212"), *chat(60)]
    await book.history.append("shared", talk, user_id="ann")
    await book.sessions.share("shared", "bob")
    mine = await book.context.build("shared", max_tokens=600, query="PIN", user_id="ann")
    assert "8831" in "".join(one.text for one in mine.messages)
    theirs = mine
    for query, strategy in (("PIN", None), (None, Relevant()), ("PIN", Relevant(limit=40))):
        theirs = await book.context.build(
            "shared", max_tokens=600, query=query, strategy=strategy, user_id="bob"
        )
        assert "8831" not in "".join(one.text for one in theirs.messages)
        assert all(one.session_id == "shared" for one in theirs.receipt.recalled)
    assert "1212" in "".join(one.text for one in theirs.messages)
    told = await book.context.explain("shared", mine.receipt.id, user_id="bob")
    assert all(one.session_id == "shared" for one in told.receipt.recalled)
    whole = await book.context.explain("shared", mine.receipt.id, user_id="ann")
    assert whole.receipt == mine.receipt
    with pytest.raises(NotFoundError):
        await book.context.pin("shared", 1, user_id="bob")
    with pytest.raises(NotFoundError):
        await book.context.explain("shared", user_id="eve")


async def test_a_pin_keeps_its_turn_however_far_it_reaches(book: AsyncDaybook) -> None:
    call = Message.assistant("", tool_calls=(ToolCall("c", "look"),), id="call")
    others = [Message.assistant(f"thinking {n}", id=f"t{n}") for n in range(60)]
    result = Message.tool("seen", tool_call_id="c", id="result")
    said = [Message.user("look", id="ask"), *others, call, *chat(30), result, *chat(100, 50)]
    await book.history.append("s", said, user_id="ann")
    for pin in (62, 123):
        await book.context.pin("s", pin)
        context = await book.context.build("s", max_tokens=100)
        assert ids(context)[:3] == ["ask", "call", "result"]
        assert context.receipt.pinned == ((1, 1), (62, 62), (123, 123))
        await book.context.unpin("s", pin)
    plain = await book.context.build("s", max_tokens=100)
    assert plain.receipt.pinned == ()


async def test_a_pinned_system_message_stays(book: AsyncDaybook) -> None:
    rule = Message.system("from now on in French", id="rule")
    await book.history.append("s", [*chat(5), rule, *chat(200, 5)], user_id="ann")
    assert "rule" not in ids(await book.context.build("s", max_tokens=100))
    await book.context.pin("s", 11)
    context = await book.context.build("s", max_tokens=100)
    assert ids(context)[0] == "rule"
    assert context.receipt.sections.system == 10
    assert (11, 11) in context.receipt.included


async def test_a_refusal_counts_pins(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(100), user_id="ann")
    for seq in (2, 5):
        await book.context.pin("s", seq)
    for budget in (1, 10, 49):
        with pytest.raises(BudgetError) as caught:
            await book.context.build("s", max_tokens=budget)
        assert (caught.value.needed, caught.value.available) == (50, budget)
    assert (await book.context.build("s", max_tokens=50)).tokens == 50


async def test_pins_have_a_limit_and_must_exist(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(40), user_id="ann")
    for seq in range(1, MOST_PINS + 1):
        await book.context.pin("s", seq)
    with pytest.raises(InvalidInputError):
        await book.context.pin("s", MOST_PINS + 1)
    assert len((await book.context.pin("s", 1)).pins) == MOST_PINS
    with pytest.raises(NotFoundError):
        await book.context.pin("s", 81)


async def test_a_fork_keeps_the_pins_it_shares(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(50), user_id="ann")
    for seq in (1, 61):
        await book.context.pin("s", seq)
    child = await book.sessions.fork("s", at=40)
    await book.history.append(child.id, chat(50, 100))
    context = await book.context.build(child.id, max_tokens=60)
    assert context.receipt.pinned == ((1, 1),)
    assert ids(context)[0] == "u0"
    await book.context.pin(child.id, 10)
    await book.sessions.delete("s")
    alone = await book.context.build(child.id, max_tokens=60)
    assert alone.receipt.pinned == ((1, 1), (9, 10))


async def test_pins_end_with_the_messages(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(50), user_id="ann")
    await book.context.pin("s", 3)
    await book.history.clear("s")
    await book.history.append("s", chat(50, 50))
    context = await book.context.build("s", max_tokens=60)
    assert context.receipt.pinned == ()
    assert (await book.context.pin("s", 105)).pins


async def test_a_session_seen_in_part(book: AsyncDaybook) -> None:
    await book.sessions.create(user_id="ann", session_id="s", max_messages=9)
    said = [Message.system("be kind", id="rule"), Message.user("My cat is called Kiwi.", id="cat")]
    await book.history.append("s", [*said, *chat(50)])
    seen = await book.context.build("s", max_tokens=1_000)
    # Nine are shown; the first of them is an answer whose question is hidden.
    assert ids(seen) == ["rule", *[one.id for one in chat(4, 46)]]
    few = await book.context.build("s", max_tokens=50, strategy=TokenWindow(step=0))
    assert ids(few)[-1] == "a49"
    assert few.tokens <= 50
    whole = await book.context.build("s", max_tokens=1_000, strategy=Buffer())
    assert ids(whole)[-8:] == [one.id for one in chat(4, 46)]
    both = await book.context.build("s", max_tokens=1_000, strategy=Summary(max_tokens=400))
    assert both.receipt.digest is not None
    assert both.receipt.digest.seqs == (1, 94)
    assert "Kiwi" in both.messages[1].text
    await book.context.pin("s", 4)
    pinned = await book.context.build("s", max_tokens=1_000)
    assert "a0" in ids(pinned)


async def test_the_opening_turns_stay(book: AsyncDaybook) -> None:
    await book.history.append(
        "s", [Message.system("be kind", id="rule"), *chat(100)], user_id="ann"
    )
    context = await book.context.build("s", max_tokens=200, strategy=Early(turns=2) + TokenWindow())
    assert ids(context)[:5] == ["rule", "u0", "a0", "u1", "a1"]
    assert context.receipt.early == ((2, 5),)
    # More than a quarter of the budget is not given to them.
    small = await book.context.build("s", max_tokens=80, strategy=Early(turns=2) + TokenWindow())
    assert small.receipt.early == ()


async def test_a_small_context_does_not_starve_a_large_one(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(300), user_id="ann")
    await book.context.build("s", max_tokens=300, strategy=Summary())
    large = await book.context.build("s", max_tokens=4_000, strategy=Summary())
    assert large.receipt.sections.verbatim > 2_000


async def test_a_budget_in_a_models_tokens(book: AsyncDaybook) -> None:
    for _ in range(5):
        await book.calibrations.observe("test:model", 100, 200)
    await book.history.append("s", chat(100), user_id="ann")
    context = await book.context.build("s", max_tokens=400, model="test:model")
    receipt = context.receipt
    assert receipt.max_tokens == 400
    assert receipt.budget is not None
    assert receipt.tokens <= receipt.budget <= 200
    assert receipt.tokens < context.tokens <= 400
    lines = (await book.context.explain("s")).lines
    assert f"of {receipt.budget:,} allowed" in lines[0]
    with pytest.raises(BudgetError) as caught:
        await book.context.build("s", max_tokens=30, model="test:model")
    assert caught.value.available == 30
    again = await book.context.build("s", max_tokens=caught.value.needed, model="test:model")
    assert again.tokens <= caught.value.needed


async def test_a_digest_lives_as_long_as_a_session_that_goes_on() -> None:
    clock = FakeClock()
    async with AsyncDaybook.open("inmemory://", clock=clock, index=None) as book:
        await book.sessions.create(user_id="ann", session_id="s", ttl=timedelta(minutes=30))
        await book.history.append("s", [Message.user("My cat is called Kiwi"), *chat(100)])
        await book.context.build("s", max_tokens=600, strategy=Summary())
        first = await book.context.digest("s")
        for _ in range(20):
            clock.advance(timedelta(minutes=20))
            await book.sessions.touch("s")
            assert await book.context.digest("s") == first
