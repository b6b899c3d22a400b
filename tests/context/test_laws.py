"""The laws of a context over random conversations, and proof that each law can be broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from daybook.context.build import ContextPlan, plan_context
from daybook.context.strategy import TokenWindow
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.errors import BudgetError
from daybook.model.entry import HistoryEntry
from tests.context.laws import faults, newest_turn, sound_entries
from tests.context.transcripts import budgets, sound_transcripts, transcripts

COUNTER = ApproximateTokenCounter()
# The profile decides: 40 for a quick run, 60 in CI, 2,000 in the long one.
EXAMPLES = settings().max_examples
Trimmer = Callable[[Sequence[HistoryEntry], int], list[HistoryEntry]]


STEPS = st.sampled_from([0.0, 0.1, 0.25, 0.6])


def plan(entries: Sequence[HistoryEntry], budget: int | None, step: float = 0.25) -> ContextPlan:
    return plan_context(
        entries, max_tokens=budget, counter=COUNTER, strategy=TokenWindow(step=step)
    )


def needed(entries: Sequence[HistoryEntry]) -> int:
    """Tokens of what must be kept, by the laws."""
    systems = [one for one in entries if one.message.role == "system"]
    return sum(one.tokens for one in (*systems, *newest_turn(entries)))


# `test_many_trims` draws many more; what these find is shrunk to what can be read.
@settings(max_examples=6 * EXAMPLES, deadline=None)
@given(transcripts, budgets, STEPS)
def test_a_window_keeps_every_law_or_says_what_it_needs(
    entries: list[HistoryEntry], budget: int, step: float
) -> None:
    if needed(entries) > budget:
        with pytest.raises(BudgetError) as caught:
            plan(entries, budget, step)
        assert (caught.value.needed, caught.value.available) == (needed(entries), budget)
        return
    built = plan(entries, budget, step)
    assert faults(entries, built.entries, budget) == []
    assert built.tokens == sum(one.tokens for one in built.entries) <= budget
    assert built.messages == tuple(one.message for one in built.entries)


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(transcripts, budgets)
def test_building_again_changes_nothing(entries: list[HistoryEntry], budget: int) -> None:
    budget = max(budget, needed(entries))
    once = plan(entries, budget)
    again = plan(once.entries, budget)
    assert again.entries == once.entries
    assert again.sections == once.sections
    assert plan(entries, budget) == once


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(transcripts)
def test_without_a_budget_all_that_is_sound_is_in(entries: list[HistoryEntry]) -> None:
    built = plan(entries, None)
    assert list(built.entries) == sound_entries(entries)
    assert faults(entries, built.entries, None) == []
    left_out = {one.seq for one in entries} - {one.seq for one in built.entries}
    assert {one.seq for one in built.broken} == left_out


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(sound_transcripts)
def test_without_a_budget_a_sound_conversation_comes_back_as_it_is(
    entries: list[HistoryEntry],
) -> None:
    built = plan(entries, None)
    assert list(built.entries) == entries
    assert not built.broken


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(transcripts, budgets, st.integers(min_value=0, max_value=100))
def test_a_larger_budget_never_keeps_less(
    entries: list[HistoryEntry], budget: int, more: int
) -> None:
    budget = max(budget, needed(entries))
    small = {one.seq for one in plan(entries, budget, step=0).entries}
    assert small <= {one.seq for one in plan(entries, budget + more, step=0).entries}


def last_n(entries: Sequence[HistoryEntry], budget: int) -> list[HistoryEntry]:
    """The trimmer everyone writes first: the newest messages that fit."""
    kept: list[HistoryEntry] = []
    for entry in reversed(entries):
        if sum(one.tokens for one in kept) + entry.tokens > budget:
            break
        kept.insert(0, entry)
    return kept


def last_n_and_system(entries: Sequence[HistoryEntry], budget: int) -> list[HistoryEntry]:
    """The same, with system messages put in front, whatever they take."""
    systems = [one for one in entries if one.message.role == "system"]
    rest = [one for one in entries if one.message.role != "system"]
    return systems + last_n(rest, budget)


def newest_first(entries: Sequence[HistoryEntry], budget: int) -> list[HistoryEntry]:
    """One that forgets to turn the order round."""
    return last_n(entries, budget)[::-1]


@pytest.mark.parametrize(
    ("trimmer", "law"),
    [
        (last_n, "system"),
        (last_n, "newest turn"),
        (last_n, "openai"),
        (last_n, "anthropic"),
        (last_n, "gemini"),
        (last_n_and_system, "budget"),
        (last_n_and_system, "openai"),
        (newest_first, "order"),
    ],
)
def test_each_law_convicts_a_naive_trimmer(trimmer: Trimmer, law: str) -> None:
    def breaks(case: tuple[list[HistoryEntry], int]) -> bool:
        entries, budget = case
        budget = max(budget, needed(entries))
        return law in faults(entries, trimmer(entries, budget), budget)

    # The first one will do: making it small takes a thousand times as long.
    quick = settings(max_examples=2000, deadline=None, database=None, phases=[Phase.generate])
    try:
        find(st.tuples(transcripts, budgets), breaks, settings=quick)
    except NoSuchExample:
        pytest.fail(f"no conversation on which {trimmer.__name__} breaks the law {law!r}")
