from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from daybook import DaybookError, Message, ToolCall
from daybook.adapters.ai_infra.memory import count_tokens_approximate, trim_messages
from daybook.errors import BudgetError, InvalidInputError

SYSTEM = SystemMessage("You are helpful.")
CALL = AIMessage("", tool_calls=[{"id": "c1", "name": "look", "args": {"at": "sky"}}])
RESULT = ToolMessage("blue", tool_call_id="c1")
TALK = [SYSTEM, HumanMessage("hi"), CALL, RESULT, AIMessage("It is blue."), HumanMessage("ok")]


def test_last_counts_the_system_message_and_never_cuts_a_call_from_its_result() -> None:
    assert trim_messages(TALK, strategy="last", max_messages=3) == [SYSTEM, *TALK[-2:]]
    assert trim_messages(TALK, strategy="last", max_messages=4) == [SYSTEM, *TALK[-2:]]
    assert trim_messages(TALK, strategy="last", max_messages=5) == [SYSTEM, *TALK[2:]]
    assert trim_messages(TALK, "last", 2, preserve_system=False) == TALK[-2:]
    assert trim_messages(TALK, "last", 1) == [SYSTEM]


def test_first_keeps_the_oldest() -> None:
    assert trim_messages(TALK, strategy="first", max_messages=2) == TALK[:2]
    assert trim_messages(TALK, strategy="first", max_messages=3) == TALK[:2]
    assert trim_messages(TALK, strategy="first", max_messages=4) == TALK[:4]


def test_token_fits_the_budget_or_says_what_it_needs() -> None:
    assert trim_messages(TALK, strategy="token", max_tokens=4000) == TALK
    with pytest.raises(BudgetError) as told:
        trim_messages(TALK, strategy="token", max_tokens=5)
    assert trim_messages(TALK, strategy="token", max_tokens=told.value.needed) == [
        SYSTEM,
        TALK[-1],
    ]


def test_a_counter_of_the_callers_is_asked() -> None:
    kept = trim_messages(TALK, "token", max_tokens=3, token_counter=len)
    assert kept == [SYSTEM, *TALK[-2:]]


def test_what_comes_back_is_what_went_in() -> None:
    call = ToolCall("c1", "look", {})
    ours = [Message.user("a"), Message.assistant("", tool_calls=(call,)), Message.user("b")]
    assert trim_messages(ours, "last", 5) == [ours[0], ours[2]]  # no provider takes the open call
    spoken: list[Any] = [{"role": "user", "content": "a"}, {"role": "ai", "content": "b"}]
    assert trim_messages(spoken, "last", 1)[0] is spoken[1]
    assert trim_messages([], "last", 1) == []


@pytest.mark.parametrize(
    "arguments",
    [{"strategy": "last"}, {"strategy": "token"}, {"strategy": "best", "max_messages": 1}],
)
def test_a_missing_limit_and_an_unknown_strategy_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        trim_messages(TALK, **arguments)


KINDS = st.sampled_from(["user", "assistant", "call", "system"])


def _talk(kinds: list[str]) -> list[Any]:
    talk: list[Any] = []
    for at, kind in enumerate(kinds):
        if kind == "call":
            talk.append(AIMessage("", tool_calls=[{"id": f"c{at}", "name": "f", "args": {}}]))
            talk.append(ToolMessage("done", tool_call_id=f"c{at}"))
        else:
            talk.append({"role": kind, "content": f"{kind} {at}"})
    return talk


@given(
    st.lists(KINDS, max_size=12), st.sampled_from(["last", "first", "token"]), st.integers(0, 99)
)
def test_a_limit_is_kept_and_calls_stay_with_results(
    kinds: list[str], strategy: Any, limit: int
) -> None:
    talk = _talk(kinds)
    try:
        kept = trim_messages(talk, strategy, max_messages=limit, max_tokens=limit)
    except DaybookError:
        return
    size = count_tokens_approximate(kept) if strategy == "token" else len(kept)
    assert size <= limit
    asked = {call["id"] for one in kept for call in getattr(one, "tool_calls", ())}
    assert asked == {one.tool_call_id for one in kept if isinstance(one, ToolMessage)}
    newest = talk[-1:] if strategy != "first" else talk[:1]
    beside = all(one in kept for one in newest)
    only_systems = all(isinstance(one, dict) and one["role"] == "system" for one in kept)
    assert beside or only_systems
