"""Divide a token budget among the parts of a context and choose what stays word for word. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from daybook.context.sources import Kept, Sources, kept_units
from daybook.context.strategy import (
    Buffer,
    Observations,
    Relevant,
    Strategy,
    Summary,
    TokenWindow,
    Window,
)
from daybook.context.tool_groups import Unit
from daybook.context.window import Selection, select_window
from daybook.errors import BudgetError
from daybook.model.entry import HistoryEntry

__all__ = ["Cut", "choose_cut", "digest_room"]

_EARLY_SHARE = 0.25
_DIGEST_TOKENS = 1000
_LEAST_OF_WINDOW = 0.5
_NONE = Kept()


class Cut(Struct, frozen=True, kw_only=True):
    """What of a conversation stays word for word, and the room for the other parts.

    Attributes:
        window: The newest part.
        early: Opening turns that are older than the window.
        pinned: Pinned units that are older than the window; none of them is among `early`.
        systems: Every system message read, with its place among the entries.
        system_tokens: Tokens of the system prompt, the profile and `systems`.
        digest_room: Tokens that a digest may take; 0 for no digest.
        recall_room: Tokens that the recalled block may take; None for no limit.
        evicted_to: Messages up to this number are left out, but for `early`, `pinned` and
            `systems`; 0 if none is.
    """

    window: Selection
    early: Kept = Kept()
    pinned: Kept = Kept()
    systems: tuple[tuple[int, HistoryEntry], ...]
    system_tokens: int
    digest_room: int = 0
    recall_room: int | None
    evicted_to: int = 0


def choose_cut(
    sources: Sources,
    strategy: Strategy,
    *,
    max_tokens: int | None,
    fixed_tokens: int = 0,
    recalls: bool = False,
    floor: int = 0,
) -> Cut:
    """Return what of a conversation stays word for word under a strategy and a budget.

    System messages, pinned messages and the newest user turn must fit. Opening turns
    take up to a quarter of the budget; a digest and recall get their shares; older turns fill the
    rest, newest first. If everything fits beside recall's share, everything is in.

    Args:
        sources: The conversation.
        strategy: Which parts there are.
        max_tokens: The budget; None for no limit.
        fixed_tokens: What the caller's system prompt and profile take.
        recalls: Whether room is kept for recalled messages.
        floor: Messages below this number are covered by a digest already; where something is left
            out anyway, they are, unless that would empty the window by half: the digest was then
            made for a smaller budget.

    Raises:
        BudgetError: What must be kept takes more than `max_tokens`.

    Cost: O(messages kept + system messages given). Pure.
    """
    return _Cutter(sources, strategy, max_tokens, fixed_tokens, recalls=recalls).cut(floor)


def digest_room(part: Summary | Observations | None, max_tokens: int | None) -> int:
    """Return the tokens that a digest may take at most; 0 without one."""
    if part is None:
        return 0
    if part.max_tokens is not None:
        return part.max_tokens
    return _DIGEST_TOKENS if max_tokens is None else int(part.share * max_tokens)


def _recall_room(part: Relevant, max_tokens: int | None) -> int | None:
    """Return the tokens that recalled messages may take; None for no limit."""
    limits = [] if part.max_tokens is None else [part.max_tokens]
    limits += [] if max_tokens is None else [int(part.share * max_tokens)]
    return min(limits, default=None)


class _Cutter:
    """One choice, in steps that share what is fixed."""

    def __init__(
        self,
        sources: Sources,
        strategy: Strategy,
        max_tokens: int | None,
        fixed_tokens: int,
        *,
        recalls: bool,
    ) -> None:
        self._sources = sources
        self._strategy = strategy
        self._max = max_tokens
        self._tail = strategy.tail or TokenWindow()
        self._turns = self._tail.turns if isinstance(self._tail, Window) else None
        self._systems = _systems_of(sources)
        self._must = fixed_tokens + sum(entry.tokens for _, entry in self._systems)
        self._recall = _recall_room(strategy.relevant or Relevant(), max_tokens) if recalls else 0

    def cut(self, floor: int) -> Cut:
        if self._max is None or isinstance(self._tail, Buffer):
            whole = select_window(
                self._sources.entries, None, truncated=self._sources.truncated, turns=self._turns
            )
            self._check(whole.tokens if self._max is not None else None)
            if self._fits(whole):
                return self._made(whole, recall_room=self._left(whole))
            return self._unbounded(whole)
        whole = self._first_try(self._max)
        if self._fits(whole):
            return self._made(whole, recall_room=self._left(whole))
        return self._bounded(whole, self._max, floor)

    def _left(self, whole: Selection) -> int | None:
        """Return the room for recalled messages where everything is in."""
        if self._max is None:
            return self._recall
        left = max(0, self._max - self._must - whole.tokens)
        return left if self._recall is None else min(left, self._recall)

    def _fits(self, whole: Selection) -> bool:
        return whole.exhausted and not self._sources.truncated

    def _check(self, tokens: int | None) -> None:
        if tokens is not None and self._max is not None and self._must + tokens > self._max:
            raise BudgetError(self._must + tokens, self._max)

    def _first_try(self, most: int) -> Selection:
        """Select as if there were nothing else; errors speak of the whole budget."""
        try:
            whole = select_window(
                self._sources.entries,
                most - self._must,
                reserve=self._recall or 0,
                truncated=self._sources.truncated,
                turns=self._turns,
            )
        except BudgetError:
            raise self._too_small(most) from None
        if self._must + whole.newest_tokens > most:
            raise self._too_small(most)
        return whole

    def _too_small(self, most: int) -> BudgetError:
        """Return the error that names all that must be kept, pinned messages too."""
        newest = select_window(
            self._sources.entries, None, truncated=self._sources.truncated, turns=1
        )
        pinned, _ = self._older(newest)
        return BudgetError(self._must + newest.newest_tokens + pinned.tokens, most)

    def _unbounded(self, whole: Selection) -> Cut:
        """Cut by turns alone."""
        pinned, early = self._older(whole)
        return self._made(
            whole,
            pinned=pinned,
            early=early,
            digest_room=digest_room(self._strategy.digest, None),
            recall_room=self._recall,
        )

    def _bounded(self, whole: Selection, most: int, floor: int) -> Cut:
        newest = whole.newest_tokens
        pinned, early = self._older(whole)
        left = most - self._must - pinned.tokens - newest
        if left < 0:
            raise BudgetError(self._must + pinned.tokens + newest, most)
        left -= early.tokens
        digest = min(digest_room(self._strategy.digest, most), left)
        recall = left - digest if self._recall is None else min(self._recall, left - digest)
        window = self._window(newest + left - digest, recall, most, 0)
        if window.first_seq is not None and window.first_seq < floor:
            later = self._window(newest + left - digest, recall, most, floor)
            if _LEAST_OF_WINDOW * window.tokens <= later.tokens:
                window = later
        return self._made(
            window, pinned=pinned, early=early, digest_room=digest, recall_room=recall
        )

    def _window(self, room: int, reserve: int, most: int, floor: int) -> Selection:
        return select_window(
            self._sources.entries,
            room,
            reserve=reserve,
            truncated=True,
            turns=self._turns,
            step=int(self._tail.step * most) if isinstance(self._tail, TokenWindow) else 0,
            total_tokens=self._sources.total_tokens,
            floor=floor,
        )

    def _older(self, whole: Selection) -> tuple[Kept, Kept]:
        """Return pinned units, and early ones if they fit; none that the newest turn holds."""
        newest = _seqs(whole.newest)
        pinned = _without(kept_units(self._sources.pinned), newest)
        early = _without(kept_units(self._sources.early), newest | _seqs(pinned.units))
        if self._max is not None:
            room = self._max - self._must - pinned.tokens - whole.newest_tokens
            if early.tokens > min(room, int(self._max * _EARLY_SHARE)):
                early = Kept()
        return pinned, early

    def _made(
        self,
        window: Selection,
        *,
        pinned: Kept = _NONE,
        early: Kept = _NONE,
        digest_room: int = 0,
        recall_room: int | None,
    ) -> Cut:
        inside = _seqs((*window.older, *window.newest))
        cut = not self._fits(window) or bool(pinned.units or early.units)
        first = window.first_seq
        last = self._sources.entries[-1].seq if self._sources.entries else 0
        return Cut(
            window=window,
            early=_without(early, inside),
            pinned=_without(pinned, inside),
            systems=self._systems,
            system_tokens=self._must,
            digest_room=digest_room,
            recall_room=recall_room,
            evicted_to=0 if not cut else (first - 1 if first is not None else last),
        )


def _systems_of(sources: Sources) -> tuple[tuple[int, HistoryEntry], ...]:
    """Return system messages with their places: pinned ones that were not read, then those read."""
    read = [
        (index, entry)
        for index, entry in enumerate(sources.entries)
        if entry.message.role == "system"
    ]
    known = {entry.seq for _, entry in read}
    older = [
        (-1, entry)
        for entry in sources.pinned
        if entry.message.role == "system" and not entry.corrupt and entry.seq not in known
    ]
    return (*older, *read)


def _seqs(units: Sequence[Unit]) -> set[int]:
    return {entry.seq for unit in units for entry in unit.entries}


def _without(kept: Kept, seqs: set[int]) -> Kept:
    units = tuple(unit for unit in kept.units if not _seqs([unit]) & seqs)
    return Kept(units, sum(unit.tokens for unit in units))
