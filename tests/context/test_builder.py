"""`book.context.build` over the in-memory engine: what is read, kept, quoted and accounted for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from daybook.client import AsyncDaybook
from daybook.context.strategy import Relevant, TokenWindow, Window
from daybook.errors import BudgetError, InvalidInputError, NotFoundError
from daybook.facets.context import ContextBuilder
from daybook.model.context import Context
from daybook.model.hit import Hit
from daybook.model.message import Message, ToolCall
from daybook.testing.fake_clock import FakeClock


class FlatCounter:
    """Ten tokens a message; a recalled block by its lines."""

    def count(self, message: Message) -> int:
        return 10 * message.text.count("\n") if message.id.startswith("recalled-") else 10

    def count_text(self, text: str) -> int:
        return len(text)


COUNTER = FlatCounter()
EXACT = TokenWindow(step=0)
# A block of one quoted line has 4 line ends; each further one has 2 more.
ONE_QUOTE = 40


class Answers:
    """Stands for recall where a test decides what it finds."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = list(hits)
        self.asked: list[tuple[str, str, int]] = []

    async def search(
        self, query: str, *, user_id: str, session_id: str | None, limit: int
    ) -> list[Hit]:
        assert session_id is None
        self.asked.append((query, user_id, limit))
        return self.hits[:limit]


@pytest_asyncio.fixture
async def book() -> AsyncIterator[AsyncDaybook]:
    opening = AsyncDaybook.open(
        "inmemory://", embedder="hash", clock=FakeClock(), token_counter=COUNTER
    )
    async with opening as opened:
        yield opened


def builder(book: AsyncDaybook, *hits: Hit) -> ContextBuilder:
    """Let a daybook's context builder find what a test decides."""
    book.context._recall = Answers(*hits)
    book.context._nonce = lambda: "0123abcd"
    return book.context


def chat(turns: int, start: int = 0) -> list[Message]:
    """Make so many exchanges of two messages."""
    return [
        message
        for turn in range(start, start + turns)
        for message in (
            Message.user(f"question {turn}", id=f"u{turn}"),
            Message.assistant(f"answer {turn}", id=f"a{turn}"),
        )
    ]


def hit(seq: int, text: str = "", *, session_id: str = "other", score: float = 1.0) -> Hit:
    now = FakeClock().now()
    message = Message.user(text or f"quoted {seq}", id=f"{session_id}-{seq}")
    return Hit(
        message=message,
        messages=(message,),
        session_id=session_id,
        seq=seq,
        score=score,
        why={},
        said_at=now - timedelta(days=seq),
        speaker="Alice",
    )


def ids(context: Context) -> list[str]:
    return [message.id for message in context.messages]


async def test_without_a_budget_the_conversation_comes_back_as_it_is(book: AsyncDaybook) -> None:
    said = [Message.system("be kind"), *chat(3)]
    await book.history.append("s", said, user_id="alice")
    context = await book.context.build("s", max_tokens=None)
    assert list(context.messages) == await book.history.list("s")
    assert context.tokens == 70 == context.receipt.tokens
    assert context.receipt.included == ((1, 7),)
    assert context.receipt.left_out.count == context.receipt.left_out.tokens == 0
    assert context.receipt.left_out.seqs == ()
    assert not context.receipt.query_given
    assert context.receipt.built_at == FakeClock().now()


@pytest.mark.parametrize("systems", [1, 8, 20])
async def test_a_long_session_is_read_from_both_ends(book: AsyncDaybook, systems: int) -> None:
    opening = [Message.system(f"rule {number}", id=f"s{number}") for number in range(systems)]
    await book.history.append("s", [*opening, *chat(500)], user_id="alice")
    budget = 10 * systems + 45
    context = await book.context.build("s", max_tokens=budget, strategy=EXACT)
    assert ids(context) == [one.id for one in opening] + ["u498", "a498", "u499", "a499"]
    receipt = context.receipt
    assert context.tokens == 10 * systems + 40 <= budget
    assert receipt.sections.system == 10 * systems
    assert (receipt.sections.verbatim, receipt.sections.newest) == (20, 20)
    assert receipt.left_out.count == 996
    assert receipt.left_out.tokens == 9_960
    assert receipt.left_out.seqs == ((systems + 1, systems + 996),)


async def test_the_window_reaches_back_past_one_page(book: AsyncDaybook) -> None:
    pictures = [Message.user("long", id=f"l{number}") for number in range(2)]
    broken = [Message.tool("?", tool_call_id=f"gone-{number}") for number in range(200)]
    await book.history.append("s", [*pictures, *broken, *chat(1)], user_id="alice")
    context = await book.context.build("s", max_tokens=40)
    assert ids(context) == ["l0", "l1", "u0", "a0"]
    assert context.receipt.left_out.broken == ((3, 202),)
    assert context.receipt.left_out.count == 200


async def test_a_cleared_session_goes_on(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(100), user_id="alice")
    await book.history.clear("s")
    await book.history.append("s", [Message.system("new rule", id="n"), *chat(100, 100)])
    context = await book.context.build("s", max_tokens=30)
    assert ids(context) == ["n", "u199", "a199"]
    assert context.receipt.included == ((201, 201), (400, 401))
    assert context.receipt.left_out.seqs == ((202, 399),)
    await book.history.clear("s")
    empty = await book.context.build("s", max_tokens=30)
    assert (empty.messages, empty.tokens, empty.receipt.left_out.count) == ((), 0, 0)


async def test_what_must_be_kept_and_does_not_fit(book: AsyncDaybook) -> None:
    call = Message.assistant("", tool_calls=(ToolCall("c", "look"),))
    turn = [Message.user("look"), call, Message.tool("seen", tool_call_id="c")]
    await book.history.append("s", [Message.system("be kind"), *chat(300), *turn], user_id="alice")
    with pytest.raises(BudgetError) as caught:
        await book.context.build("s", max_tokens=39)
    assert (caught.value.needed, caught.value.available) == (40, 39)
    with pytest.raises(BudgetError):
        await book.context.build("s", max_tokens=9)
    assert (await book.context.build("s", max_tokens=40)).tokens == 40


async def test_a_session_is_its_owners(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(1), user_id="alice")
    for session_id, user_id in (("s", "bob"), ("nowhere", None)):
        with pytest.raises(NotFoundError):
            await book.context.build(session_id, max_tokens=100, user_id=user_id)
    assert (await book.context.build("s", max_tokens=100, user_id="alice")).tokens == 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 0},
        {"max_tokens": True},
        {"query": 3},
        {"strategy": "window"},
        {"strategy": Window},
    ],
)
async def test_arguments_out_of_range(book: AsyncDaybook, wrong: dict[str, object]) -> None:
    arguments: dict[str, object] = {"max_tokens": 100, **wrong}
    await book.history.append("s", chat(1), user_id="alice")
    with pytest.raises(InvalidInputError):
        await book.context.build("s", **arguments)  # type: ignore[arg-type]


async def test_the_block_stands_before_the_newest_turn(book: AsyncDaybook) -> None:
    await book.history.append("s", [Message.system("be kind", id="s0"), *chat(2)], user_id="alice")
    await book.history.append("s", Message.user("and now?", id="now"))
    context = await builder(book, hit(7), hit(3)).build("s", max_tokens=None, query="then?")
    assert ids(context) == ["s0", "u0", "a0", "u1", "a1", "recalled-0123abcd", "now"]
    block = context.messages[-2]
    assert block.role == "user"
    assert [(one.session_id, one.seq) for one in context.receipt.recalled] == [
        ("other", 3),
        ("other", 7),
    ]
    assert context.receipt.sections.recalled == ONE_QUOTE + 20
    assert context.tokens == 60 + ONE_QUOTE + 20


async def test_the_share_bounds_the_block_and_stays_free_of_turns(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(50), user_id="alice")
    found = [hit(seq) for seq in range(1, 9)]
    context = await builder(book, *found).build("s", max_tokens=280, query="then?", strategy=EXACT)
    receipt = context.receipt
    assert receipt.sections.recalled == 60 <= 280 // 4
    assert receipt.left_out_recalled == 6
    assert receipt.sections.verbatim + receipt.sections.newest <= 280 - 70
    assert context.tokens <= 280
    assert ids(context)[0] == "u40"


async def test_nothing_to_quote_leaves_the_share_to_older_turns(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(50), user_id="alice")
    nothing = await builder(book).build("s", max_tokens=280, query="then?", strategy=EXACT)
    assert nothing.tokens == 280
    # What was found stays free even if all of it is in already: the window must not move with it.
    known = await builder(book, hit(100, session_id="s")).build(
        "s", max_tokens=280, query="then?", strategy=EXACT
    )
    assert known.tokens == 200
    for context in (nothing, known):
        assert context.receipt.recalled == ()
        assert context.receipt.left_out_recalled == 0
        assert context.receipt.query_given


async def test_what_is_verbatim_is_not_quoted_again(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(50), user_id="alice")
    mine = [hit(99, session_id="s"), hit(5, session_id="s"), hit(5, session_id="s")]
    context = await builder(book, *mine).build("s", max_tokens=280, query="then?", strategy=EXACT)
    assert [(one.session_id, one.seq) for one in context.receipt.recalled] == [("s", 5)]


@pytest.mark.parametrize(
    ("before", "answer", "quoted"),
    [
        ("And when do you leave?", "At nine.", [4, 5]),
        ("I see.", "At nine.", [5]),
        ("And when do you leave?", "At nine, " * 40, [5]),
    ],
    ids=["a short answer", "no question", "a long answer"],
)
async def test_the_question_before_a_short_answer_is_quoted_too(
    book: AsyncDaybook, before: str, answer: str, quoted: list[int]
) -> None:
    await book.history.append("s", chat(1), user_id="alice")
    lone = hit(5, answer)
    around = Message.assistant(before, id="before"), lone.message, Message.user("Thanks.")
    found = msgspec.structs.replace(lone, messages=around)
    context = await builder(book, found).build("s", max_tokens=4_000, query="then?")
    assert [one.seq for one in context.receipt.recalled] == quoted
    assert [one.matched for one in context.receipt.recalled] == [seq == 5 for seq in quoted]


async def test_what_was_said_twice_is_quoted_once(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(1), user_id="alice")
    found = [hit(1, "the ferry leaves at nine"), hit(2, "The ferry leaves at nine!"), hit(3)]
    context = await builder(book, *found).build("s", max_tokens=4_000, query="then?")
    assert sorted(one.seq for one in context.receipt.recalled) == [1, 3]


async def test_no_more_hits_than_asked_for(book: AsyncDaybook) -> None:
    await book.history.append("s", chat(1), user_id="alice")
    found = [hit(seq) for seq in range(1, 9)]
    context = await builder(book, *found).build(
        "s", max_tokens=None, query="then?", strategy=Relevant(limit=3)
    )
    assert len(context.receipt.recalled) == 3
    assert context.receipt.left_out_recalled == 3


async def test_the_prefix_stays_while_the_conversation_grows(book: AsyncDaybook) -> None:
    await book.history.append("s", Message.system("be kind"), user_id="alice")
    before: list[str] = []
    for turn in range(10):
        await book.history.append("s", Message.user(f"question {turn}", id=f"u{turn}"))
        built = builder(book, hit(turn + 1, session_id="other"))
        context = await built.build("s", max_tokens=1_000, query=f"question {turn}")
        now = ids(context)
        assert now[: len(before)] == before
        before = [one for one in now[:-1] if not one.startswith("recalled-")]
        await book.history.append("s", Message.assistant("answer", id=f"a{turn}"))


async def test_recall_finds_what_was_said_in_another_session(book: AsyncDaybook) -> None:
    await book.history.append(
        "old", [Message.user("My parrot is called Kiwi", id="kiwi")], user_id="alice"
    )
    await book.history.append("theirs", Message.user("My parrot is called Rex"), user_id="bob")
    await book.history.append("s", Message.user("What is my parrot called?"), user_id="alice")
    context = await book.context.build("s", max_tokens=1_000, query="parrot called")
    assert "Kiwi" in context.messages[0].text
    assert "Rex" not in context.messages[0].text
    assert [one.message_id for one in context.receipt.recalled] == ["kiwi"]
    blank = await book.context.build("s", max_tokens=1_000, query="  ")
    assert not blank.receipt.query_given
