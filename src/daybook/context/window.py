"""Choose the newest part of a conversation that fits a token budget.

It works on token counts stored with the messages and counts nothing. System messages are not its
business: it passes over them, `build` adds them.
"""

from __future__ import annotations

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


def select_window(
    entries: Sequence[HistoryEntry],
    budget: int | None,
    *,
    reserve: int = 0,
    truncated: bool = False,
) -> Selection:
    """Keep the newest whole units within a budget, the newest user turn in any case.

    The newest user turn is the newest user message and everything after it. A window that leaves
    older messages out begins with a user message, so that it never opens in mid-turn; one that
    leaves nothing out begins as the conversation does.

    Args:
        entries: In log order. System messages among them are passed over.
        budget: Tokens; None for no limit.
        reserve: Tokens of the budget that older turns must leave free; the newest turn may not
            need them, so it does not respect them.
        truncated: True if the conversation has older messages than `entries`.

    Raises:
        BudgetError: The newest user turn alone takes more than the budget.

    Laws: log order, but for results that move up to their call; calls and results stay together;
    `tokens` ≤ `budget`; selecting from what was selected changes nothing; no budget keeps all that
    is sound. The same input gives the same output.

    Cost: O(messages kept), however long `entries` is. Pure.
    """
    newest, older = _Pile(), _Pile()
    broken: list[Unit] = []
    has_user = False
    exhausted = True
    for unit in units_from_end(entries):
        role = unit.entries[0].message.role
        if role == "system":
            continue
        if unit.broken:
            broken.append(unit)
            continue
        if not has_user:
            newest.add(unit)
            has_user = role == "user"
            continue
        if budget is not None and newest.tokens + older.tokens + unit.tokens > budget - reserve:
            exhausted = False
            break
        older.add(unit)
    if not has_user:
        return _without_user(newest, broken, budget, reserve)
    if budget is not None and newest.tokens > budget:
        raise BudgetError(newest.tokens, budget)
    if truncated or not exhausted:
        older.open_with_user()
    return _selection(older, newest, broken, exhausted=exhausted)


class _Pile:
    """Units collected newest first, with their running sum."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.tokens = 0

    def add(self, unit: Unit) -> None:
        self.units.append(unit)
        self.tokens += unit.tokens

    def open_with_user(self) -> None:
        """Drop the oldest units until a user's is the oldest."""
        while self.units and self.units[-1].entries[0].message.role != "user":
            self.tokens -= self.units.pop().tokens


def _without_user(walked: _Pile, broken: list[Unit], budget: int | None, reserve: int) -> Selection:
    """Fit units where no user message was found: none of them must be kept."""
    older = _Pile()
    for unit in walked.units:
        if budget is not None and older.tokens + unit.tokens > budget - reserve:
            return _selection(older, _Pile(), broken, exhausted=False)
        older.add(unit)
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
