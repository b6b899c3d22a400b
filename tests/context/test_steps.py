"""Windows move in steps: their start holds for many calls and never goes back."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.context.build import plan_context
from daybook.context.strategy import Early, Strategy, StrategyLike, TokenWindow, Window
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.context.window import Selection, select_window
from daybook.errors import BudgetError
from daybook.model.entry import HistoryEntry
from daybook.model.message import Message
from tests.context.transcripts import transcripts

COUNTER = ApproximateTokenCounter()
EXAMPLES = settings().max_examples


def starts(entries: list[HistoryEntry], strategy: StrategyLike, budget: int) -> list[int]:
    """Return where the window begins after each message, as far as a window can be built."""
    found = []
    for end in range(1, len(entries) + 1):
        try:
            plan = plan_context(
                entries[:end], max_tokens=budget, counter=COUNTER, strategy=strategy
            )
        except BudgetError:
            continue
        kept = {one.seq for one in (*plan.early, *plan.pinned)}
        window = [
            one.seq
            for one in plan.entries
            if one.seq not in kept and one.message.role not in {"system", "tool"}
        ]
        found += window[:1]
    return found


# A result that comes late makes its call sound; where all before it fitted, so the start goes back.
said = st.lists(
    st.tuples(st.sampled_from(["user", "user", "assistant"]), st.integers(1, 30)), max_size=60
).map(
    lambda steps: [
        HistoryEntry(seq, Message.user("u") if role == "user" else Message.assistant("a"), tokens)
        for seq, (role, tokens) in enumerate(steps, 1)
    ]
)


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(said, st.integers(30, 400), st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]))
def test_the_start_never_goes_back(entries: list[HistoryEntry], budget: int, step: float) -> None:
    found = starts(entries, TokenWindow(step=step), budget)
    assert found == sorted(found)


@settings(max_examples=EXAMPLES, deadline=None)
@given(said, st.integers(30, 400), st.integers(1, 5))
def test_nor_does_a_window_of_turns(entries: list[HistoryEntry], budget: int, turns: int) -> None:
    found = starts(entries, Window(turns=turns), budget)
    assert found == sorted(found)


@settings(max_examples=EXAMPLES, deadline=None)
@given(transcripts, st.integers(100, 400))
def test_nor_with_tools(entries: list[HistoryEntry], budget: int) -> None:
    opened = [one for one in entries if one.message.role != "system"]
    moved = [HistoryEntry(seq, one.message, one.tokens) for seq, one in enumerate(opened, 1)]
    firsts: list[int] = []
    for end in range(1, len(moved) + 1):
        try:
            window = select_window(moved[:end], budget, step=budget // 4)
        except BudgetError:
            continue
        # A window that leaves something out begins with a user's message, which is never broken.
        if not window.exhausted and window.first_seq is not None:
            firsts.append(window.first_seq)
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("strategy", [TokenWindow(), Early(turns=2) + TokenWindow()], ids=repr)
def test_the_start_stays_for_many_calls(strategy: StrategyLike) -> None:
    rng = random.Random(4)  # noqa: S311 - no secret depends on it
    entries = [
        HistoryEntry(
            seq, Message.user("u") if seq % 2 else Message.assistant("a"), rng.randint(10, 60)
        )
        for seq in range(1, 801)
    ]
    found = starts(entries, strategy, 4_000)
    moves = sum(one != other for one, other in pairwise(found))
    # A quarter of 4,000 tokens are let go at once: 1,000 tokens, 28 messages, come before the next.
    assert moves <= 800 // 20
    without = starts(entries, Strategy(tail=TokenWindow(step=0)), 4_000)
    assert sum(one != other for one, other in pairwise(without)) > 10 * moves


def test_where_a_step_begins_does_not_depend_on_how_much_was_read() -> None:
    entries = [
        HistoryEntry(seq, Message.user("u") if seq % 2 else Message.assistant("a"), 10 + seq % 7)
        for seq in range(1, 2_001)
    ]
    total = sum(one.tokens for one in entries)

    def chosen(read: int) -> Selection:
        tail = entries[-read:]
        return select_window(tail, 2_000, truncated=True, step=500, total_tokens=total)

    assert len({chosen(read).first_seq for read in (200, 300, 1_000, 2_000)}) == 1
