"""A session whose messages can also be taken back, replaced and set aside, as frameworks want.

Daybook's history only grows. What a framework removes is therefore marked and no longer shown to
it: a record beside the session names the places, changed only from the version that was read, so
that of two who take the same message one gets it. Places are ranges, each with the id of its last
message: in a session that was removed and made again they name nothing. A replacement is one append
whose first message says what it replaces, so that it is there whole or not at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from daybook.adapters.opened import Place
from daybook.client import AsyncDaybook
from daybook.errors import ConflictError
from daybook.model.entry import HistoryEntry
from daybook.model.memory_record import MemoryRecord
from daybook.model.message import Message

__all__ = ["Chosen", "KeptItems", "born_aside"]

Chosen = Callable[[list[HistoryEntry]], Collection[HistoryEntry]]
_Entries = list[HistoryEntry]
_Range = tuple[int, int, str]  # first and last sequence number, id of the last

_MARKS = "daybook.adapters"
_REPLACES = "replaces_after"
TAKEN, ASIDE = "taken", "aside"


class _View(NamedTuple):
    """What is shown, the messages it was chosen from, and the marks that decided."""

    shown: _Entries
    read: _Entries
    marks: MemoryRecord | None


class KeptItems:
    """One session's messages as a framework sees them. Every method opens the book if need be."""

    def __init__(self, place: Place, *, user_id: str, session_id: str) -> None:
        """Name the session; no I/O."""
        self._place = place
        self._user_id = user_id
        self._session_id = session_id

    async def shown(self, newest: int | None = None, *, aside: bool | None = False) -> _Entries:
        """Return what was not taken back, oldest first; the newest so many.

        Args:
            newest: At most so many; None for all.
            aside: False for what is in use, True for what was set aside, None for both.
        """
        if newest is not None and newest <= 0:
            return []
        return (await self._read(newest, aside)).shown

    async def append(self, messages: Sequence[Message]) -> None:
        """Add messages to the end: all of them, contiguous, or none. No messages is no call.

        Raises:
            ConflictError: The session is another user's.
            StoreError: The engine failed.
        """
        if messages:
            book = await self._book()
            await book.history.append(self._session_id, list(messages), user_id=self._user_id)

    async def take_back(
        self, choose: Chosen, newest: int | None = None, *, aside: bool | None = None
    ) -> _Entries:
        """No longer show what `choose` picks from what is shown; return it.

        `newest` and `aside` say what it picks from, as in `shown`.

        Atomicity: all of it or none; no other caller gets any of it.
        """
        return await self._mark(TAKEN, choose, newest, aside)

    async def set_aside(self, choose: Chosen) -> _Entries:
        """Set aside what `choose` picks from what is in use; return it. Atomic as `take_back`."""
        return await self._mark(ASIDE, choose, None, aside=False)

    async def replace_with(
        self, messages: Sequence[Message], same: Callable[[Message, Message], bool]
    ) -> None:
        """Show these messages in place of all that are shown; what both begin with stays.

        Atomicity: readers see the list before or the list after.
        """
        shown = (await self._read(None, None)).shown
        equal = 0
        while (
            equal < min(len(shown), len(messages))
            and not _is_aside(shown[equal])
            and same(shown[equal].message, messages[equal])
        ):
            equal += 1
        rest = list(messages[equal:])
        if not rest and not equal:
            await self.clear()
        elif not rest:
            gone = {entry.seq for entry in shown[equal:]}
            await self.take_back(lambda entries: [one for one in entries if one.seq in gone])
        else:
            if equal < len(shown):
                rest[0] = _replacing(rest[0], shown[equal - 1].seq if equal else 0)
            await self.append(rest)

    async def clear(self) -> int:
        """Remove all messages, also those that are not shown; return how many. Repeatable."""
        book = await self._book()
        removed = await book.history.clear(self._session_id, user_id=self._user_id)
        await book.records.delete(*self._marks_place())
        return removed

    async def _book(self) -> AsyncDaybook:
        return (await self._place.aopen()).awaited

    async def _read(self, newest: int | None, aside: bool | None) -> _View:
        """Return what is shown, and what decided it.

        Messages are read first: a message that is taken back after that and before the marks are
        read is missing here, as if it had been taken back at once.
        """
        book = await self._book()
        asked = newest
        while True:
            entries = await book.history.entries(
                self._session_id, limit=asked, user_id=self._user_id
            )
            marks = await book.records.get(*self._marks_place())
            shown = _unmarked(entries, marks, aside)
            if asked is None or newest is None or len(entries) < asked or len(shown) >= newest:
                return _View(shown if newest is None else shown[-newest:], entries, marks)
            asked = max(2 * asked, newest + _marked_from(entries[0].seq, marks))

    async def _mark(
        self, kind: str, choose: Chosen, newest: int | None, aside: bool | None
    ) -> _Entries:
        book = await self._book()
        while True:
            view = await self._read(newest, aside)
            marks, chosen = view.marks, list(choose(view.shown))
            if not chosen:
                return []
            value: dict[str, Any] = dict(marks.value) if marks is not None else {}
            places = _with_places(_ranges(marks, kind), chosen, view.read)
            value[kind] = [list(one) for one in places]
            try:
                await book.records.put(
                    *self._marks_place(),
                    value,
                    expected_version=0 if marks is None else marks.version,
                    searched=False,
                )
            except ConflictError:
                continue  # another took something back meanwhile: look again
            return chosen

    def _marks_place(self) -> tuple[tuple[str, ...], str]:
        return (self._user_id, _MARKS, "marks"), self._session_id


def _unmarked(entries: _Entries, marks: MemoryRecord | None, aside: bool | None) -> _Entries:
    ids = {entry.seq: entry.message.id for entry in entries}
    taken = [one for one in _ranges(marks, TAKEN) if ids.get(one[1]) == one[2]]
    set_aside = [one for one in _ranges(marks, ASIDE) if ids.get(one[1]) == one[2]]
    shown: _Entries = []
    for entry in entries:
        first = _replaced_after(entry.message)
        if first is not None:
            shown = [one for one in shown if one.seq <= first]
        shown.append(entry)
    return [
        entry
        for entry in shown
        if not _within(entry, taken)
        and (aside is None or aside == (_within(entry, set_aside) or _is_aside(entry)))
    ]


def _ranges(marks: MemoryRecord | None, kind: str) -> list[_Range]:
    """Return the places of a kind, ascending."""
    value = {} if marks is None else marks.value
    return [(first, last, name) for first, last, name in value.get(kind, ())]


def _marked_from(seq: int, marks: MemoryRecord | None) -> int:
    """Return how many messages the ranges hold that reach a place."""
    ranges = [*_ranges(marks, TAKEN), *_ranges(marks, ASIDE)]
    return sum(last - first + 1 for first, last, _ in ranges if last >= seq)


def _within(entry: HistoryEntry, ranges: list[_Range]) -> bool:
    at = bisect_right(ranges, entry.seq, key=lambda one: one[0]) - 1
    return at >= 0 and entry.seq <= ranges[at][1]


def _with_places(ranges: list[_Range], chosen: _Entries, read: _Entries) -> list[_Range]:
    """Return the ranges with what was chosen, neighbours joined.

    A range is joined to what follows it only if its own last message was read: else it may be of
    an earlier session of the name.
    """
    ids = {entry.seq: entry.message.id for entry in read}
    new: list[_Range] = [(entry.seq, entry.seq, entry.message.id) for entry in chosen]
    joined: list[_Range] = []
    for one in sorted([*(one for one in ranges if ids.get(one[1], one[2]) == one[2]), *new]):
        before = joined[-1] if joined else None
        if before is not None and one[0] <= before[1] + 1 and ids.get(before[1]) == before[2]:
            joined[-1] = (before[0], *(one[1:] if one[1] > before[1] else before[1:]))
        else:
            joined.append(one)
    return joined


def _replaced_after(message: Message) -> int | None:
    marks = message.metadata.get(_MARKS)
    return marks.get(_REPLACES) if isinstance(marks, dict) else None


def _replacing(message: Message, kept_seq: int) -> Message:
    marks = {**message.metadata.get(_MARKS, {}), _REPLACES: kept_seq}
    return replace(message, metadata={**message.metadata, _MARKS: marks})


def _is_aside(entry: HistoryEntry) -> bool:
    """Tell whether a message was put aside when it was appended."""
    marks = entry.message.metadata.get(_MARKS)
    return isinstance(marks, dict) and bool(marks.get(ASIDE))


def born_aside(message: Message) -> Message:
    """Return a message that is set aside from its beginning."""
    marks = {**message.metadata.get(_MARKS, {}), ASIDE: True}
    return replace(message, metadata={**message.metadata, _MARKS: marks})
