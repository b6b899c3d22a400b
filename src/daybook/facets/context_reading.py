"""Read of a session what a context may need, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from daybook.context.sources import Sources, early_turns, lacks_surroundings, pinned_places
from daybook.context.strategy import Buffer, Strategy, Window
from daybook.context.window import select_window
from daybook.errors import BudgetError
from daybook.facets.history import History
from daybook.model.entry import HistoryEntry
from daybook.model.session import Session
from daybook.model.session_rules import first_in_view

__all__ = ["Reading", "read_session"]

_HEAD_CHUNK = 8
_SMALLEST_CHUNK = 16
_LARGEST_CHUNK = 4096
_MOST_EARLY = 256
# A pinned message is shown with its turn's opening and its tools' results: looked for this near
# first, and no further than that.
_AROUND_A_PIN = 32
_FURTHEST_FROM_A_PIN = 512


class Reading:
    """What was read: the sources of a context, and where the session's view begins."""

    def __init__(self, sources: Sources, first_seq: int) -> None:
        self.sources = sources
        self.first_seq = first_seq


async def read_session(
    history: History, session: Session, strategy: Strategy, max_tokens: int | None
) -> Reading:
    """Read the newest messages until they overflow the budget, and what else must be in.

    Cost: reads the newest messages that fit, the session's opening and the surroundings of pinned
    messages.
    """
    return await _Reader(history, session, strategy, max_tokens).read()


class _Reader:
    def __init__(
        self, history: History, session: Session, strategy: Strategy, max_tokens: int | None
    ) -> None:
        self._history = history
        self._session = session
        self._strategy = strategy
        self._max = max_tokens
        tail = strategy.tail
        self._turns = tail.turns if isinstance(tail, Window) else None
        self._whole = isinstance(tail, Buffer) or (max_tokens is None and self._turns is None)

    async def read(self) -> Reading:
        session = self._session
        tail, first = await self._tail(first_in_view(session))
        truncated = bool(tail) and tail[0].seq > session.first_seq
        opening = await self._opening(session.first_seq, tail[0].seq) if truncated else []
        entries = opening + tail
        sources = Sources(
            entries=entries,
            early=await self._early(tail, first),
            pinned=await self._pinned(tail),
            truncated=truncated,
            total_tokens=session.token_count + _newer_tokens(tail, session.last_seq),
        )
        # A digest stands for what `max_messages` hides, too.
        return Reading(sources, first if self._strategy.digest is None else session.first_seq)

    async def _tail(self, first: int) -> tuple[list[HistoryEntry], int]:
        """Return the newest messages, and the first number that can be read."""
        if self._whole:
            tail = await self._entries()
            return tail, tail[0].seq if tail and self._session.max_messages else first
        chunk = self._first_chunk()
        tail = await self._entries(limit=chunk)
        while tail and tail[0].seq > first and not self._overflows(tail):
            chunk = min(2 * chunk, _LARGEST_CHUNK)
            older = await self._entries(limit=chunk, before=tail[0].seq)
            if not older:
                return tail, tail[0].seq
            tail = older + tail
        return tail, first

    def _first_chunk(self) -> int:
        """Guess how many messages fill the budget, from the session's mean, and a quarter more."""
        session = self._session
        if self._max is None:
            return _SMALLEST_CHUNK
        mean = max(1, session.token_count // max(1, session.message_count))
        return min(max(self._max * 5 // (4 * mean), _SMALLEST_CHUNK), _LARGEST_CHUNK)

    def _overflows(self, tail: Sequence[HistoryEntry]) -> bool:
        """Tell whether nothing older can matter: the window is full, the newest turn is whole."""
        try:
            window = select_window(tail, self._max, truncated=True, turns=self._turns)
        except BudgetError:
            return True
        return bool(window.newest) and not window.exhausted

    async def _opening(self, first: int, end: int) -> list[HistoryEntry]:
        """Return the system messages that open a session, up to place `end`."""
        opening: list[HistoryEntry] = []
        while first < end:
            stop = min(first + _HEAD_CHUNK, end)
            read = await self._entries(after=first - 1, before=stop, hidden=True)
            systems = list(takewhile(lambda entry: entry.message.role == "system", read))
            opening += systems
            if not read or len(systems) < len(read):
                break
            first = stop
        return opening

    async def _early(self, tail: list[HistoryEntry], first: int) -> list[HistoryEntry]:
        """Return the opening turns that the strategy keeps."""
        part = self._strategy.early
        if part is None or not tail:
            return []
        if tail[0].seq <= first:
            return early_turns(tail, part.turns)[0]
        beginning: list[HistoryEntry] = []
        while len(beginning) < _MOST_EARLY:
            after = beginning[-1].seq if beginning else first - 1
            read = await self._entries(after=after, before=after + 1 + 2 * _HEAD_CHUNK)
            beginning += read
            found, whole = early_turns(beginning, part.turns)
            if whole or not read:
                return found
        return []

    async def _pinned(self, tail: list[HistoryEntry]) -> list[HistoryEntry]:
        """Return the pinned messages and what they need beside them."""
        pins = [pin for pin in self._session.pins if pin >= self._session.first_seq]
        if not pins or not tail:
            return []
        found = {entry.seq: entry for entry in tail}
        kept = pinned_places(tail, pins)
        for pin in pins:
            if pin < tail[0].seq:
                read = await self._around(pin)
                found.update((entry.seq, entry) for entry in read)
                kept |= pinned_places(read, [pin])
        return [found[seq] for seq in sorted(kept)]

    async def _around(self, pin: int) -> list[HistoryEntry]:
        """Return a pinned message's neighbours, so many that nothing it needs is missing."""
        reach = _AROUND_A_PIN
        while True:
            low = max(self._session.first_seq, pin - reach)
            read = await self._entries(after=low - 1, before=pin + reach, hidden=True)
            if reach >= _FURTHEST_FROM_A_PIN or not lacks_surroundings(read, pin):
                return read
            reach *= 4

    async def _entries(self, **window: int | bool | None) -> list[HistoryEntry]:
        return await self._history.entries(
            self._session.id,
            user_id=self._session.user_id,
            **window,  # type: ignore[arg-type] # the names and types of History.entries
        )


def _newer_tokens(entries: Sequence[HistoryEntry], last_seq: int) -> int:
    """Return the tokens of what was appended after the session was read."""
    total = 0
    for entry in reversed(entries):
        if entry.seq <= last_seq:
            break
        total += entry.tokens
    return total
