"""`trim_messages` as ai-infra documents it, with what a provider refuses never in the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from daybook.adapters.ai_infra.messages import as_messages, leading_systems, units_of
from daybook.adapters.ai_infra.token_counts import count_tokens_approximate
from daybook.errors import BudgetError, InvalidInputError

__all__ = ["TokenCount", "TrimStrategy", "trim_messages"]

TrimStrategy = Literal["last", "first", "token"]
TokenCount = Callable[[Sequence[Any]], int]


def trim_messages(
    messages: Sequence[Any],
    strategy: TrimStrategy = "last",
    max_messages: int | None = None,
    max_tokens: int | None = None,
    preserve_system: bool = True,
    token_counter: TokenCount | None = None,
) -> list[Any]:
    """Return the part of a conversation that fits a limit; the very objects that were given.

    Args:
        messages: LangChain messages, dictionaries or ours.
        strategy: ``last`` keeps the newest `max_messages`, ``first`` the oldest, ``token`` the
            newest that take at most `max_tokens`.
        max_messages: For ``last`` and ``first``; what `preserve_system` keeps is counted.
        max_tokens: For ``token``; what `preserve_system` keeps is counted.
        preserve_system: Keep the system messages that the conversation begins with.
        token_counter: From a list of messages to tokens; None for the estimate.

    A tool call and its results stay or go together, and results without a call go. The result
    never exceeds the limit, and with ``last`` and ``token`` it holds the newest message.

    Raises:
        BudgetError: The system messages and the newest message take more than `max_tokens`.
        InvalidInputError: The strategy is unknown, its limit is missing, or `max_messages` has no
            room for what must stay.
    """
    things = list(messages)
    limit = _limit(strategy, max_messages, max_tokens)
    ours = as_messages(things)
    kept = leading_systems(ours) if preserve_system else 0
    if strategy == "token":
        count = token_counter or count_tokens_approximate
        sizes = [count([thing]) for thing in things]
    else:
        sizes = [1] * len(things)
    fixed = sum(sizes[:kept])
    units = [[at + kept for at in unit] for unit in units_of(ours[kept:])]
    costs = [sum(sizes[at] for at in unit) for unit in units]
    must = costs[-1] if units and strategy != "first" else 0
    room = limit - fixed
    if room < must:
        if strategy == "token":
            raise BudgetError(fixed + must, limit)
        if room:
            raise InvalidInputError(
                f"max_messages={limit} leaves no room for {fixed} system messages and the {must} "
                f"newest messages, which belong together: raise it to {fixed + must}"
            )
    places = sorted(
        at for index in _fitting(costs, room, from_end=strategy != "first") for at in units[index]
    )
    return [*things[:kept], *(things[at] for at in places)]


def _fitting(costs: Sequence[int], room: int, *, from_end: bool) -> list[int]:
    """Return which units fit, taken one after the other until one does not."""
    order = range(len(costs) - 1, -1, -1) if from_end else range(len(costs))
    chosen: list[int] = []
    for index in order:
        room -= costs[index]
        if room < 0:
            break
        chosen.append(index)
    return chosen


def _limit(strategy: str, max_messages: int | None, max_tokens: int | None) -> int:
    if strategy not in ("last", "first", "token"):
        raise InvalidInputError(f"strategy must be last, first or token, got {strategy!r}")
    name = "max_tokens" if strategy == "token" else "max_messages"
    limit = max_tokens if strategy == "token" else max_messages
    if limit is None:
        raise InvalidInputError(f"{name} is required for strategy={strategy!r}")
    return limit
