"""The laws of a context window as checks, so that the same ones judge ours and naive ones."""

from __future__ import annotations

from collections.abc import Sequence

from daybook.model.entry import HistoryEntry
from daybook.model.message import Message
from tests.context.provider_shapes import anthropic_faults, gemini_faults, openai_faults

__all__ = ["faults", "newest_turn", "sound_entries"]


def sound_entries(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Return what a provider accepts, results behind their calls: by a forward scan."""
    open_calls: dict[str, int] = {}
    answers: dict[int, dict[str, HistoryEntry]] = {}
    for index, entry in enumerate(entries):
        message = entry.message
        if message.role == "assistant" and message.tool_calls:
            answers[index] = {}
            open_calls.update((call.id, index) for call in message.tool_calls)
        elif message.role == "tool":
            owner = open_calls.pop(message.tool_call_id or "", None)
            if owner is not None:
                answers[owner][message.tool_call_id or ""] = entry
    sound: list[HistoryEntry] = []
    for index, entry in enumerate(entries):
        if entry.message.role == "tool" or entry.corrupt:
            continue
        if index in answers and len(answers[index]) < len(entry.message.tool_calls):
            continue
        sound.append(entry)
        sound += sorted(answers.get(index, {}).values(), key=lambda one: one.seq)
    return sound


def newest_turn(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Return the newest user message and what is sound after it, systems left aside."""
    sound = sound_entries(entries)
    users = [index for index, one in enumerate(sound) if one.message.role == "user"]
    turn = sound[users[-1] :] if users else []
    return [one for one in turn if one.message.role != "system"]


def faults(
    entries: Sequence[HistoryEntry], kept: Sequence[HistoryEntry], budget: int | None
) -> list[str]:
    """Return which laws a window breaks; its entries are in the order in which it sends them."""
    found = []
    sound = sound_entries(entries)
    places = {one.seq: index for index, one in enumerate(sound)}
    order = [places.get(one.seq, -1) for one in kept]
    if order != sorted(set(order)) or -1 in order:
        found.append("order")
    inside = {one.seq for one in kept}
    if any(one.message.role == "system" and one.seq not in inside for one in entries):
        found.append("system")
    if any(one.seq not in inside for one in newest_turn(entries)):
        found.append("newest turn")
    if budget is not None and sum(one.tokens for one in kept) > budget:
        found.append("budget")
    messages: list[Message] = [one.message for one in kept]
    if openai_faults(messages):
        found.append("openai")
    cut = len(kept) < len(sound)
    opens = cut and bool(newest_turn(entries))
    if anthropic_faults(messages, opens_with_user=opens):
        found.append("anthropic")
    if gemini_faults(messages, opens_with_user=opens):
        found.append("gemini")
    return found
