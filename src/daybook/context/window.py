"""Choose the newest part of a conversation that fits a token budget.

It works on token counts stored with the messages and counts nothing. System messages are not its
business: it passes over them, `build` adds them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from msgspec import Struct

from daybook.context.tool_groups import Unit, units_from_end
from daybook.errors import BudgetError
from daybook.model.entry import HistoryEntry

__all__ = ["Selection", "select_window"]


class Selection(Struct, frozen=True):
    """What of a conversation goes into a window.

    Attributes:
        older: Units before the newest user message, in order.
        newest: The newest user message's unit and those after it, in order; empty if nobody said
            anything as a user.
        older_tokens: Tokens of `older`.
        newest_tokens: Tokens of `newest`.
        broken: Units passed on the way that no provider accepts.
        exhausted: True if the start was reached: all that is sound fits, but for units that would
            open a cut-off window in mid-turn.
    """

    older: tuple[Unit, ...]
    newest: tuple[Unit, ...]
    older_tokens: int
    newest_tokens: int
    broken: tuple[Unit, ...]
    exhausted: bool

    @property
    def tokens(self) -> int:
        """Tokens of everything kept."""
        return self.older_tokens + self.newest_tokens

    @property
    def first_seq(self) -> int | None:
        """Sequence number of the message that opens the window; None for an empty one."""
        units = self.older or self.newest
        return units[0].entries[0].seq if units else None


def select_window(
    entries: Sequence[HistoryEntry],
    budget: int | None,
    *,
    reserve: int = 0,
    truncated: bool = False,
    turns: int | None = None,
    step: int = 0,
    total_tokens: int | None = None,
    floor: int = 0,
) -> Selection:
    """Keep the newest whole units within a budget, the newest user turn in any case.

    The newest user turn is the newest user message and everything after it. A window that leaves
    older messages out begins with a user message, so that it never opens in mid-turn; one that
    leaves nothing out begins as the conversation does.

    With a `step`, a window that leaves something out begins at the first turn behind a multiple of
    `step` tokens, counted from the conversation's start. It then stays there until it does
    not fit any more, and what is sent keeps its beginning for many calls.

    Args:
        entries: In log order. System messages among them are passed over.
        budget: Tokens; None for no limit.
        reserve: Tokens of the budget that older turns must leave free; the newest turn may not
            need them, so it does not respect them.
        truncated: True if the conversation has older messages than `entries`.
        turns: At most so many turns, the newest included; None for any number.
        step: Tokens; 0 to keep as much as fits.
        total_tokens: Tokens of the whole conversation, system messages included; None to add
            up `entries`.
        floor: No message below this sequence number.

    Raises:
        BudgetError: The newest user turn alone takes more than the budget.

    Laws: log order, but for results that move up to their call; calls and results stay together;
    `tokens` ≤ `budget`; selecting from what was selected changes nothing; no budget keeps all that
    is sound. The same input gives the same output.

    Cost: O(messages kept), however long `entries` is, if `total_tokens` is given. Pure.
    """
    walk = _Walk(None if budget is None else budget - reserve, turns, floor)
    walk.go(entries)
    newest, older = walk.newest, walk.older
    if not walk.has_user:
        return _without_user(newest, walk.broken, budget, reserve)
    if budget is not None and newest.tokens > budget:
        raise BudgetError(newest.tokens, budget)
    if truncated or not walk.exhausted:
        older.open_with_user()
        if step and not walk.exhausted:
            older.step(entries, step, total_tokens)
    return _selection(older, newest, walk.broken, exhausted=walk.exhausted)


class _Pile:
    """Units collected newest first, with their running sum."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.tokens = 0
        self.turns = 0

    def add(self, unit: Unit, role: str) -> None:
        self.units.append(unit)
        self.tokens += unit.tokens
        if role == "user":
            self.turns += 1

    def drop_oldest(self) -> Unit:
        unit = self.units.pop()
        self.tokens -= unit.tokens
        return unit

    def open_with_user(self) -> None:
        """Drop the oldest units until a user's is the oldest."""
        while self.units and self.units[-1].entries[0].message.role != "user":
            self.drop_oldest()

    def step(self, entries: Sequence[HistoryEntry], step: int, total: int | None) -> None:
        """Drop the oldest turns until one begins behind the next multiple of `step` tokens.

        If none does, all stay: one turn is larger than a step.
        """
        if not self.units:
            return
        before = _tokens_before(entries, self.units[-1].index, total)
        bound = -(-before // step) * step
        for place in range(len(self.units) - 1, -1, -1):
            unit = self.units[place]
            if unit.entries[0].message.role == "user" and before >= bound:
                while len(self.units) > place + 1:
                    self.drop_oldest()
                return
            end = self.units[place - 1].index if place else len(entries)
            before += sum(entry.tokens for entry in entries[unit.index : end])


class _Walk:
    """A way from the end of a conversation back to where the window is full."""

    def __init__(self, room: int | None, turns: int | None, floor: int) -> None:
        self._room = room
        self._older_turns = None if turns is None else turns - 1
        self._floor = floor
        self.newest, self.older = _Pile(), _Pile()
        self.broken: list[Unit] = []
        self.has_user = False
        self.exhausted = True

    def go(self, entries: Sequence[HistoryEntry]) -> None:
        pile, used = self.newest, 0
        most = sys.maxsize if self._room is None else self._room
        for unit in units_from_end(entries):
            opener = unit.entries[0]
            role = opener.message.role
            if role == "system":
                continue
            if unit.broken:
                self.broken.append(unit)
                continue
            used += unit.tokens
            if self.has_user:
                if used > most or opener.seq < self._floor or self.older.turns == self._older_turns:
                    self.exhausted = False
                    return
            elif role == "user":
                self.has_user = True
            pile.add(unit, role)
            if self.has_user:
                pile = self.older


def _tokens_before(entries: Sequence[HistoryEntry], index: int, total: int | None) -> int:
    """Return the tokens of the conversation before `entries[index]`."""
    if total is None:
        return sum(entry.tokens for entry in entries[:index])
    return total - sum(entry.tokens for entry in entries[index:])


def _without_user(walked: _Pile, broken: list[Unit], budget: int | None, reserve: int) -> Selection:
    """Fit units where no user message was found: none of them must be kept."""
    older = _Pile()
    for unit in walked.units:
        if budget is not None and older.tokens + unit.tokens > budget - reserve:
            return _selection(older, _Pile(), broken, exhausted=False)
        older.add(unit, unit.entries[0].message.role)
    return _selection(older, _Pile(), broken, exhausted=True)


def _selection(older: _Pile, newest: _Pile, broken: list[Unit], *, exhausted: bool) -> Selection:
    return Selection(
        older=tuple(reversed(older.units)),
        newest=tuple(reversed(newest.units)),
        older_tokens=older.tokens,
        newest_tokens=newest.tokens,
        broken=tuple(broken),
        exhausted=exhausted,
    )
