"""What OpenAI's, Anthropic's and Gemini's interfaces refuse in messages, written out as checks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from daybook.model.message import Message

__all__ = ["anthropic_faults", "gemini_faults", "openai_faults"]


def openai_faults(messages: Sequence[Message]) -> list[str]:
    """Check: calls are followed at once by one result each, and no result stands elsewhere."""
    faults = []
    waiting: set[str] = set()
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                faults.append("tool result must follow the call that it answers")
            waiting.discard(message.tool_call_id or "")
            continue
        if waiting:
            faults.append("tool calls must be followed by their results")
        ids = [call.id for call in message.tool_calls]
        if len(ids) != len(set(ids)):
            faults.append("tool call ids must differ")
        waiting = set(ids)
    if waiting:
        faults.append("tool calls must be followed by their results")
    return faults


def anthropic_faults(messages: Sequence[Message], *, opens_with_user: bool = True) -> list[str]:
    """Check: system apart, turns merged by side, each call's results are the next turn's start."""
    spoken = [message for message in messages if message.role != "system"]
    sides = [
        (side, list(turn))
        for side, turn in groupby(
            spoken, key=lambda one: "assistant" if one.role == "assistant" else "user"
        )
    ]
    faults = []
    if sides and sides[0][0] != "user" and opens_with_user:
        faults.append("the first message must be a user's")
    asked: list[str] = []
    for side, turn in sides:
        if side == "user":
            results = [one.tool_call_id or "" for one in turn if one.role == "tool"]
            if sorted(results) != sorted(asked):
                faults.append("the next turn must hold exactly the results asked for")
            if any(one.role == "tool" for one in turn[len(results) :]):
                faults.append("results must come before text")
            asked = []
        else:
            asked = [call.id for one in turn for call in one.tool_calls]
    if asked:
        faults.append("calls without results at the end")
    return faults


def gemini_faults(messages: Sequence[Message], *, opens_with_user: bool = True) -> list[str]:
    """Check: sides alternate once merged, and a function call turn is answered by the next one.

    What leads the content of a user's side after calls must be as many function responses as there
    were calls, under the same names; here ids stand for the names.
    """
    contents: list[tuple[str, list[Message]]] = []
    for message in messages:
        if message.role == "system":
            continue
        side = "model" if message.role == "assistant" else "user"
        if contents and contents[-1][0] == side:
            contents[-1][1].append(message)
        else:
            contents.append((side, [message]))
    faults = []
    if contents and contents[0][0] != "user" and opens_with_user:
        faults.append("contents must begin with a user's")
    asked: list[str] = []
    for place, (side, members) in enumerate(contents):
        given = [one.tool_call_id or "" for one in members if one.role == "tool"]
        lead = [one.tool_call_id or "" for one in members[: len(asked)] if one.role == "tool"]
        if side == "user" and (sorted(lead) != sorted(asked) or len(given) != len(lead)):
            faults.append("function responses must directly follow their calls")
        asked = [call.id for one in members for call in one.tool_calls]
        if asked and place == len(contents) - 1:
            faults.append("a function call needs its response")
    return faults
