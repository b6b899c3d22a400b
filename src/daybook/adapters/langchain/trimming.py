"""`trim_messages` with LangChain's arguments and our context's laws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage, convert_to_messages
from langchain_core.runnables import RunnableLambda

from daybook.adapters.langchain.incumbent_urls import refuse
from daybook.adapters.langchain.messages import from_langchain
from daybook.context.build import plan_context
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.context.tool_groups import units_from_end
from daybook.errors import BudgetError, InvalidInputError
from daybook.model.entry import HistoryEntry

__all__ = ["trim_messages"]

_Counter = Callable[[Sequence[BaseMessage]], int]
_ROUNDS = 8
_TYPES = {"user": "human", "assistant": "ai"}


def trim_messages(  # noqa: PLR0913 - LangChain's
    messages: Iterable[Any] | None = None,
    *,
    max_tokens: int,
    token_counter: Any = "approximate",  # noqa: S107 - no password
    strategy: str = "last",
    allow_partial: bool = False,
    end_on: Any = None,
    start_on: Any = None,
    include_system: bool = True,
    text_splitter: Any = None,
) -> Any:
    """Return the messages that fit a budget; without messages, a runnable that does.

    The runnable also takes a dict, such as a prompt's input, and trims each list of messages in it.

    Laws, whatever the arguments: at most `max_tokens` as `token_counter` counts the list, or
    `BudgetError`; a call and its results are in together or not at all, and what no provider
    accepts is out; every system message stays; with ``"last"`` the newest user message and what
    follows it stays, and a list that leaves something out begins with a user message.

    Args:
        messages: Messages, or what LangChain converts to messages; the same objects come back.
        max_tokens: The budget.
        token_counter: ``"approximate"``, a function of messages or of one message, or a model.
        strategy: ``"last"`` keeps the newest, ``"first"`` the oldest.
        allow_partial: Refused: messages are kept whole.
        end_on: Types of which the last message must be; those behind it are left out first.
        start_on: Types of which the first message (system messages aside) must be.
        include_system: Accepted and without effect: system messages always stay.
        text_splitter: Refused.

    Raises:
        BudgetError: What must be kept takes more than `max_tokens`.
        InvalidInputError: An argument is not valid.
        UnsupportedError: Part of a message is asked for.
    """
    _ = include_system
    refuse(allow_partial=allow_partial or None, text_splitter=text_splitter)
    if strategy not in ("last", "first"):
        raise InvalidInputError("strategy must be 'last' or 'first'")

    def trim(given: Iterable[Any]) -> list[BaseMessage]:
        listed = convert_to_messages(list(given))
        if end_on is not None:
            while listed and not _is_of(listed[-1], end_on):
                listed = listed[:-1]
        return _Trim(listed, max_tokens, _counter_of(token_counter)).kept(strategy, start_on)

    def trim_input(given: Any) -> Any:
        if isinstance(given, dict):  # a prompt's input: the history is one of its values
            return {key: trim(one) if _are_messages(one) else one for key, one in given.items()}
        return trim(given)

    return RunnableLambda(trim_input) if messages is None else trim(messages)


def _are_messages(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, BaseMessage) for one in value)


class _Trim:
    """One list, its budget, and the tokens of each message."""

    def __init__(self, messages: list[BaseMessage], budget: int, count: _Counter) -> None:
        self._messages = messages
        self._budget = budget
        self._count = count
        counts = [count([message]) for message in messages]
        # What a list counts beside its messages.
        self._frame = max(2 * counts[0] - count([messages[0]] * 2), 0) if messages else 0
        self._entries = [
            HistoryEntry(at, from_langchain(message), counts[at] - self._frame)
            for at, message in enumerate(messages)
        ]

    def kept(self, strategy: str, start_on: Any) -> list[BaseMessage]:
        """Return what fits; a list may count more than its messages, so it is counted as a list."""
        if not self._messages:
            return []
        budget, used = self._budget - self._frame, 0
        for _ in range(_ROUNDS):
            try:
                places = self._last(budget) if strategy == "last" else self._first(budget)
            except BudgetError as error:
                raise BudgetError(error.needed + self._frame, self._budget) from None
            chosen = [self._messages[at] for at in places]
            if start_on is not None:
                chosen = _starting(chosen, start_on)
            used = self._count(chosen)
            if used <= self._budget:
                return chosen
            budget -= used - self._budget
        raise BudgetError(used, self._budget)

    def _last(self, budget: int) -> list[int]:
        counter = ApproximateTokenCounter()  # of blocks that are made; none is made here
        plan = plan_context(self._entries, max_tokens=max(budget, 0), counter=counter)
        return [entry.seq for entry in plan.entries]

    def _first(self, budget: int) -> list[int]:
        units = sorted(units_from_end(self._entries), key=lambda unit: unit.index)
        systems = [unit for unit in units if unit.entries[0].message.role == "system"]
        room = budget - sum(unit.tokens for unit in systems)
        if room < 0:
            raise BudgetError(budget - room, budget)
        kept = list(systems)
        for unit in units:
            if unit.broken or unit in systems:
                continue
            if unit.tokens > room:
                break
            room -= unit.tokens
            kept.append(unit)
        kept.sort(key=lambda unit: unit.index)
        return [entry.seq for unit in kept for entry in unit.entries]


def _counter_of(given: Any) -> _Counter:
    """Return a function that counts a list."""
    if given == "approximate":
        ours = ApproximateTokenCounter()
        return lambda messages: sum(ours.count(from_langchain(one)) for one in messages)
    if isinstance(given, BaseLanguageModel):
        return given.get_num_tokens_from_messages  # type: ignore[return-value] # takes a list
    if not callable(given):
        raise InvalidInputError("token_counter must be 'approximate', a function or a model")
    if _takes_one(given):
        return lambda messages: sum(given(one) for one in messages)
    return lambda messages: int(given(list(messages)))


def _takes_one(function: Callable[..., Any]) -> bool:
    """Tell whether a function counts one message, as LangChain tells: by its annotation."""
    annotations = getattr(function, "__annotations__", {})
    first = next(iter(annotations.values()), None) if annotations else None
    return first is BaseMessage or first in ("BaseMessage", "AnyMessage")


def _is_of(message: BaseMessage, types: Any) -> bool:
    wanted = [types] if isinstance(types, str | type) else list(types)
    names = {_TYPES.get(one, one) for one in wanted if isinstance(one, str)}
    kinds = tuple(one for one in wanted if isinstance(one, type))
    return message.type in names or isinstance(message, kinds)


def _starting(messages: list[BaseMessage], types: Any) -> list[BaseMessage]:
    """Leave out what stands before the first message of these types; never a whole turn's call."""
    for at, message in enumerate(messages):
        if message.type != "system" and _is_of(message, types):
            return [one for one in messages[:at] if one.type == "system"] + messages[at:]
    return messages
