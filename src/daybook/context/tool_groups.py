"""Walk a conversation from its end in units that a model may see whole or not at all.

A message is a unit; an assistant message with tool calls and the results of all of them are one.
It does not decide what fits: see `window`.

What no provider accepts is a broken unit, wherever it stands, the very end too: a result whose
call is missing or was answered before, a call that lacks a result (with the results it has), a
call whose ids repeat, a placeholder for stored bytes that did not decode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from daybook.model.entry import HistoryEntry

__all__ = ["Unit", "units_from_end"]


class Unit(Struct, frozen=True, gc=False):
    """Messages that belong together.

    Attributes:
        index: Where its first message stands in the walked sequence.
        entries: Its messages; results directly behind their call, in log order.
        tokens: Their sum.
        broken: True if no provider accepts it.
    """

    index: int
    entries: tuple[HistoryEntry, ...]
    tokens: int
    broken: bool = False


class _Results:
    """Tool results seen on the way to their call, newest first for each call id."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[int, HistoryEntry]]] = {}

    def add(self, index: int, entry: HistoryEntry) -> None:
        self._waiting.setdefault(entry.message.tool_call_id or "", []).append((index, entry))

    def take(self, call_id: str) -> list[tuple[int, HistoryEntry]]:
        return self._waiting.pop(call_id, [])

    def rest(self) -> list[tuple[int, HistoryEntry]]:
        return [one for waiting in self._waiting.values() for one in waiting]


def units_from_end(entries: Sequence[HistoryEntry]) -> Iterator[Unit]:
    """Yield the units of a conversation, newest first; the last ones are its orphaned results.

    Two units never share a message and every message is in one. A unit stands where its first
    message stands, so a call answered late counts as old as the call. A call id that is used again
    belongs to the nearest call before the result.

    Args:
        entries: In log order.

    Cost: O(1) amortised for each message passed; nothing before the last yielded unit is touched.
    Pure.
    """
    results = _Results()
    for index in range(len(entries) - 1, -1, -1):
        entry = entries[index]
        message = entry.message
        if message.role == "tool":
            results.add(index, entry)
        elif message.role == "assistant" and message.tool_calls:
            yield from _call_units(index, entry, results)
        else:
            yield Unit(index, (entry,), entry.tokens, entry.corrupt)
    for index, entry in sorted(results.rest(), key=lambda one: -one[0]):
        yield _orphan(index, entry)


def _call_units(index: int, entry: HistoryEntry, results: _Results) -> Iterator[Unit]:
    """Yield the unit of a call, and the results that came twice."""
    ids = {call.id for call in entry.message.tool_calls}
    answers: list[tuple[int, HistoryEntry]] = []
    for call_id in ids:
        found = results.take(call_id)
        answers += found[-1:]
        for place, extra in found[:-1]:
            yield _orphan(place, extra)
    answers.sort(key=lambda one: one[0])
    members = (entry, *(answer for _, answer in answers))
    whole = len(answers) == len(ids) == len(entry.message.tool_calls)
    yield Unit(index, members, sum(member.tokens for member in members), broken=not whole)


def _orphan(index: int, entry: HistoryEntry) -> Unit:
    return Unit(index, (entry,), entry.tokens, broken=True)
