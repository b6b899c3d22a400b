"""What the window does that the laws do not say, and how little it looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import pytest

from daybook.context.tool_groups import units_from_end
from daybook.context.window import Selection, select_window
from daybook.errors import BudgetError
from daybook.model.entry import HistoryEntry
from daybook.model.message import Message, ToolCall
from tests.context.transcripts import entries_of


def seqs(selection: Selection) -> list[int]:
    units = (*selection.older, *selection.newest)
    return [entry.seq for unit in units for entry in unit.entries]


def call(*ids: str) -> Message:
    return Message.assistant("", tool_calls=tuple(ToolCall(one, "look") for one in ids))


def result(call_id: str) -> Message:
    return Message.tool("found", tool_call_id=call_id)


ASK = Message.user("ask")
SAY = Message.assistant("say")


class Watched(Sequence[HistoryEntry]):
    """A sequence that remembers which places were looked at."""

    def __init__(self, entries: list[HistoryEntry]) -> None:
        self.entries = entries
        self.seen: set[int] = set()

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> HistoryEntry: ...
    @overload
    def __getitem__(self, index: slice) -> list[HistoryEntry]: ...
    def __getitem__(self, index: int | slice) -> HistoryEntry | list[HistoryEntry]:
        assert isinstance(index, int)
        self.seen.add(index)
        return self.entries[index]

    def __iter__(self) -> Iterator[HistoryEntry]:
        raise AssertionError("looked at everything")


def test_only_the_tail_is_looked_at() -> None:
    entries = Watched(entries_of(*[ASK, SAY] * 5_000))
    window = select_window(entries, 400)
    assert seqs(window) == list(range(9_961, 10_001))
    assert len(entries.seen) <= 42
    assert not window.exhausted


def test_a_cut_window_opens_with_a_user() -> None:
    entries = entries_of(ASK, SAY, ASK, call("a"), result("a"), SAY, ASK)
    assert seqs(select_window(entries, 40)) == [7]
    assert seqs(select_window(entries, 60)) == [3, 4, 5, 6, 7]


def test_an_uncut_window_opens_as_the_conversation_did() -> None:
    greeting = entries_of(SAY, ASK)
    assert seqs(select_window(greeting, 20)) == [1, 2]
    assert seqs(select_window(greeting, 20, truncated=True)) == [2]


def test_the_newest_turn_is_everything_since_the_user_spoke() -> None:
    entries = entries_of(SAY, ASK, call("a", "b"), result("b"), result("a"), SAY)
    assert seqs(select_window(entries, 50)) == [2, 3, 4, 5, 6]
    with pytest.raises(BudgetError) as caught:
        select_window(entries, 49)
    assert (caught.value.needed, caught.value.available) == (50, 49)


def test_older_turns_respect_a_reserve_and_the_newest_turn_does_not() -> None:
    entries = entries_of(ASK, SAY, ASK)
    assert seqs(select_window(entries, 30)) == [1, 2, 3]
    assert seqs(select_window(entries, 30, reserve=1)) == [3]
    assert seqs(select_window(entries, 10, reserve=10)) == [3]


def test_a_late_result_moves_up_to_its_call() -> None:
    entries = entries_of(ASK, call("a"), ASK, SAY, result("a"))
    assert seqs(select_window(entries, None)) == [1, 2, 5, 3, 4]


@pytest.mark.parametrize(
    ("messages", "kept"),
    [
        pytest.param([ASK, call("a")], [1], id="no result"),
        pytest.param([ASK, call("a", "b"), result("a")], [1], id="one of two results"),
        pytest.param([ASK, result("a")], [1], id="result without a call"),
        pytest.param([result("a"), ASK, call("a")], [2], id="result before the call"),
        pytest.param([ASK, call("a"), result("a"), result("a")], [1, 2, 3], id="result twice"),
        pytest.param([ASK, call("a", "a"), result("a")], [1], id="one id for two calls"),
        pytest.param(
            [ASK, call("a"), call("a"), result("a")], [1, 3, 4], id="id used again: the nearest"
        ),
    ],
)
def test_what_no_provider_accepts_stays_out(messages: list[Message], kept: list[int]) -> None:
    window = select_window(entries_of(*messages), None)
    assert seqs(window) == kept
    broken = {entry.seq for unit in window.broken for entry in unit.entries}
    assert broken == set(range(1, len(messages) + 1)) - set(kept)


def test_nobody_spoke_as_a_user() -> None:
    entries = entries_of(SAY, SAY, SAY)
    assert seqs(select_window(entries, 25)) == [2, 3]
    assert seqs(select_window(entries, 30)) == [1, 2, 3]
    assert seqs(select_window([], 1)) == []


def test_units_are_made_as_they_are_asked_for() -> None:
    entries = Watched(entries_of(*[ASK] * 100))
    next(units_from_end(entries))
    assert entries.seen == {99}
