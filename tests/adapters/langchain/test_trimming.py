"""`trim_messages`: LangChain's arguments, and laws that LangChain's breaks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages import trim_messages as their_trim

from daybook.adapters.langchain import trim_messages
from daybook.errors import BudgetError, InvalidInputError, UnsupportedError


def each(messages: list[BaseMessage]) -> int:
    """Count ten tokens a message, and three for the list."""
    return 10 * len(messages) + 3


def calling(*ids: str) -> AIMessage:
    calls = [{"name": "f", "args": {}, "id": one, "type": "tool_call"} for one in ids]
    return AIMessage("", tool_calls=calls)


def result(call_id: str) -> ToolMessage:
    return ToolMessage("r", tool_call_id=call_id)


SYSTEM, SUMMARY = SystemMessage("be kind"), SystemMessage("summary: …")
TALK = [SYSTEM, HumanMessage("1"), calling("a"), result("a"), AIMessage("2"), SUMMARY,
        HumanMessage("3"), calling("b", "c"), result("b"), result("c"), AIMessage("4")]  # fmt: skip


def sound(messages: list[BaseMessage]) -> bool:
    """Tell whether every result follows its call and every call has its result."""
    open_calls: set[str | None] = set()
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in open_calls:
                return False
            open_calls.remove(message.tool_call_id)
        elif open_calls:
            return False
        elif isinstance(message, AIMessage):
            open_calls = {call["id"] for call in message.tool_calls}
    return not open_calls


def test_their_trim_breaks_what_providers_ask_for() -> None:
    """The controls: a result without its call, a lost summary, a lost question."""
    options: Any = {"token_counter": each, "include_system": True}
    assert not sound(their_trim(TALK, max_tokens=43, strategy="last", **options))
    assert not sound(their_trim(TALK, max_tokens=33, strategy="first", token_counter=each))
    assert SUMMARY not in their_trim(TALK, max_tokens=53, **options)
    kept = their_trim(TALK, max_tokens=43, start_on="human", **options)
    assert all(isinstance(message, SystemMessage) for message in kept)


@given(st.integers(0, 130))
def test_ours_keeps_them(budget: int) -> None:
    try:
        kept = trim_messages(TALK, max_tokens=budget, token_counter=each)
    except BudgetError:
        assert budget < each([SYSTEM, SUMMARY, *TALK[6:]])
        return
    assert budget >= each([SYSTEM, SUMMARY, *TALK[6:]])
    assert each(kept) <= budget
    assert sound(kept)
    assert [message for message in kept if message in (SYSTEM, SUMMARY)] == [SYSTEM, SUMMARY]
    assert kept[-5:] == TALK[-5:]
    assert all(any(message is one for one in TALK) for message in kept)
    if budget >= each(TALK):
        assert kept == TALK


@given(st.integers(23, 130))
def test_the_oldest_are_kept_whole_too(budget: int) -> None:
    kept = trim_messages(TALK, max_tokens=budget, token_counter=each, strategy="first")
    assert each(kept) <= budget
    assert sound(kept)
    rest = [message for message in kept if message.type != "system"]
    assert rest == [message for message in TALK if message.type != "system"][: len(rest)]


def test_what_no_provider_accepts_is_out() -> None:
    broken = [HumanMessage("1"), result("nobody's"), calling("open"), HumanMessage("2")]
    assert trim_messages(broken, max_tokens=1000) == [broken[0], broken[3]]


def test_arguments_of_langchains() -> None:
    as_runnable = trim_messages(max_tokens=83, token_counter=each)
    assert as_runnable.invoke(TALK) == trim_messages(TALK, max_tokens=83, token_counter=each)
    ended = trim_messages(TALK, max_tokens=200, token_counter=each, end_on=("human", "tool"))
    assert ended[-1] == result("c")
    begun = trim_messages(TALK[1:5], max_tokens=200, token_counter=each, start_on=AIMessage)
    assert begun == TALK[2:5]

    def one(message: BaseMessage) -> int:
        return 10

    assert len(trim_messages(TALK, max_tokens=70, token_counter=one)) == 7
    assert trim_messages([("user", "hi")], max_tokens=50)[0] == HumanMessage("hi")


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(UnsupportedError, match="allow_partial"):
        trim_messages(TALK, max_tokens=9, allow_partial=True)
    with pytest.raises(InvalidInputError, match="strategy"):
        trim_messages(TALK, max_tokens=9, strategy="middle")
    with pytest.raises(InvalidInputError, match="token_counter"):
        trim_messages(TALK, max_tokens=9, token_counter=7)
