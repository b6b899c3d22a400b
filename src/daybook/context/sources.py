"""What was read of a conversation for a context. Values, and the pure choice of what to keep."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from daybook.context.tool_groups import Unit, units_from_end
from daybook.model.entry import HistoryEntry

__all__ = [
    "Kept",
    "Sources",
    "early_turns",
    "kept_units",
    "lacks_surroundings",
    "pinned_places",
]

# A system message needs no turn around it.
_OPENERS = frozenset({"user", "system"})


class Sources(Struct, frozen=True, kw_only=True):
    """What was read of a conversation.

    Attributes:
        entries: System messages that open it, and an unbroken newest part, in log order.
        early: The opening turns that are to be kept.
        pinned: Pinned messages, and the user messages that they answer, in log order.
        truncated: True if messages older than the newest part were not read.
        total_tokens: Tokens of the whole conversation.
    """

    entries: Sequence[HistoryEntry]
    early: Sequence[HistoryEntry] = ()
    pinned: Sequence[HistoryEntry] = ()
    truncated: bool = False
    total_tokens: int | None = None


class Kept(Struct, frozen=True):
    """Whole units, in log order.

    Attributes:
        units: What a provider accepts of the messages given, system messages left aside.
        tokens: Their sum.
    """

    units: tuple[Unit, ...] = ()
    tokens: int = 0


def kept_units(entries: Sequence[HistoryEntry]) -> Kept:
    """Return what is sound of some messages: a call with all its results, or neither."""
    units = [
        unit
        for unit in units_from_end(entries)
        if not unit.broken and unit.entries[0].message.role != "system"
    ]
    units.reverse()
    return Kept(tuple(units), sum(unit.tokens for unit in units))


def early_turns(entries: Sequence[HistoryEntry], turns: int) -> tuple[list[HistoryEntry], bool]:
    """Return the first turns of a conversation's beginning, and whether all of them are whole.

    Args:
        entries: The beginning, in log order.
        turns: How many.

    A turn is whole when the user message of the next one is there. What stands before the first
    user message belongs to no turn; results that came after the next one belong to their call's.
    """
    found: list[HistoryEntry] = []
    seen = 0
    for index, entry in enumerate(entries):
        seen += entry.message.role == "user"
        if seen > turns:
            return found + _late_results(found, entries, index), True
        if seen:
            found.append(entry)
    return found, False


def _late_results(
    found: Sequence[HistoryEntry], entries: Sequence[HistoryEntry], index: int
) -> list[HistoryEntry]:
    """Return the results in `entries[index:]` of calls in `found` that have none there."""
    waiting: set[str] = set()
    for entry in found:
        waiting.update(call.id for call in entry.message.tool_calls)
        waiting.discard(entry.message.tool_call_id or "")
    late: list[HistoryEntry] = []
    while waiting and index < len(entries):
        message = entries[index].message
        if message.role == "tool" and message.tool_call_id in waiting:
            waiting.discard(message.tool_call_id)
            late.append(entries[index])
        waiting.difference_update(call.id for call in message.tool_calls)
        index += 1
    return late


def pinned_places(entries: Sequence[HistoryEntry], pins: Sequence[int]) -> set[int]:
    """Return the numbers of messages that pins keep: themselves, and what makes them acceptable.

    That is the whole of a tool call and its results, and the user message that began the turn.

    Args:
        entries: An unbroken part of the conversation that holds the pinned messages' turns.
        pins: Sequence numbers.
    """
    kept: set[int] = set()
    wanted = set(pins)
    opener: int | None = None
    units = sorted(units_from_end(entries), key=lambda unit: unit.index)
    for unit in units:
        first = unit.entries[0]
        if first.message.role == "user":
            opener = first.seq
        if not unit.broken and any(entry.seq in wanted for entry in unit.entries):
            kept.update(entry.seq for entry in unit.entries)
            if opener is not None and first.message.role != "system":
                kept.add(opener)
    return kept


def lacks_surroundings(entries: Sequence[HistoryEntry], pin: int) -> bool:
    """Tell whether more of a conversation must be read to see what a pinned message needs.

    That is so if its call, a result or the user message that began its turn is not among `entries`.
    """
    kept = pinned_places(entries, [pin])
    if pin not in kept:
        return True
    return not any(one.seq in kept and one.message.role in _OPENERS for one in entries)
