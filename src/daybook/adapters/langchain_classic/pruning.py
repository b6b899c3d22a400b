"""How much of a conversation fits a number of tokens. Pure, but for the counter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.messages import BaseMessage, ToolMessage

from daybook.adapters.langchain_classic.talk import Said

__all__ = ["first_fitting"]


def first_fitting(
    said: Sequence[Said], limit: int, count: Callable[[Sequence[BaseMessage]], int]
) -> int:
    """Return the place from which on messages take at most `limit` tokens.

    Results of a tool whose call is cut off are cut off with it.

    Cost: log n calls of `count`.
    """
    messages = [one.message for one in said]
    if count(messages) <= limit:
        return 0
    low, high = 1, len(messages)
    while low < high:
        middle = (low + high) // 2
        if count(messages[middle:]) <= limit:
            high = middle
        else:
            low = middle + 1
    while 0 < low < len(messages) and isinstance(messages[low], ToolMessage):
        low += 1
    return low
