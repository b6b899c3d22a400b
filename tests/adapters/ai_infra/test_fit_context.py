from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage

from daybook import Message
from daybook.adapters.ai_infra.memory import afit_context, count_tokens_approximate, fit_context
from daybook.errors import BudgetError

TALK: list[Any] = [SystemMessage("Be kind."), *(HumanMessage(f"fact {n}. " * 5) for n in range(30))]


def long_winded(messages: tuple[Message, ...]) -> str:
    return "A sentence of a summary. " * 100


def test_what_fits_is_left_alone_and_a_summary_stands_before_it() -> None:
    result = fit_context(TALK[:3], 1000)
    assert (result.action, result.messages, result.summary) == ("none", TALK[:3], None)
    result = fit_context(TALK[:3], 1000, summary="We met before.")
    assert result.messages[1].text == "[Previous conversation summary]\nWe met before."
    assert (result.action, result.final_count) == ("none", 4)


def test_trimmed_keeps_the_summary_and_the_newest() -> None:
    result = fit_context(TALK, 200, summary="We met before.")
    assert (result.action, result.original_count) == ("trimmed", 31)
    assert [result.messages[0], result.messages[-1]] == [TALK[0], TALK[-1]]
    assert "We met before." in result.messages[1].text


async def test_summarized_is_of_everything_that_goes() -> None:
    asked: list[str] = []

    def model(messages: tuple[Message, ...]) -> str:
        asked.append(messages[-1].text)
        return "All facts."

    result = await afit_context(TALK, 400, summarize=True, summary="Old.", keep=4, llm=model)
    assert (result.action, result.summary) == ("summarized", "All facts.")
    assert result.messages[2:] == TALK[-4:]
    assert "Old." in asked[0]
    assert all(f"fact {n}." in asked[0] for n in range(26))


@given(
    st.integers(10, 400), st.booleans(), st.integers(0, 12), st.sampled_from(["", "So far. " * 9])
)
def test_the_budget_is_kept(budget: int, summarize: bool, keep: int, summary: str) -> None:
    try:
        result = fit_context(
            TALK, budget, summarize=summarize, keep=keep, summary=summary, llm=long_winded
        )
    except BudgetError:
        assert budget < 100
        return
    assert count_tokens_approximate(result.messages) == result.tokens <= budget
    assert result.messages[-1] is TALK[-1]


def test_what_cannot_fit_is_said() -> None:
    with pytest.raises(BudgetError):
        fit_context(TALK, 10)
