from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from daybook import Message
from daybook.adapters.ai_infra.memory import (
    SummarizationMiddleware,
    asummarize_messages,
    summarize_messages,
)
from daybook.errors import InvalidInputError, ProviderError

CALL = AIMessage("", tool_calls=[{"id": "c1", "name": "look", "args": {}}])
TALK = [
    SystemMessage("Be kind."),
    HumanMessage("My name is Bob and I live in Oslo."),
    CALL,
    ToolMessage("blue", tool_call_id="c1"),
    AIMessage("It is blue."),
]


class Prompts(list[str]):
    """A model that keeps what it was asked."""

    def __call__(self, messages: tuple[Message, ...]) -> str:
        self.append(messages[-1].text)
        return f"summary {len(self)}"


async def test_sync_and_async_give_the_same() -> None:
    result = await asummarize_messages(TALK, keep_last=1, llm=FakeListChatModel(responses=["S"]))
    assert result.summary == "S"
    assert result.messages == [
        TALK[0],
        HumanMessage("[Previous conversation summary]\nS"),
        TALK[-1],
    ]
    counts = (result.original_count, result.summarized_count, result.kept_count)
    assert counts == (5, 3, 1)
    assert summarize_messages(TALK, keep_last=1, llm=lambda _: "S") == result


def test_a_call_stays_with_its_result() -> None:
    result = summarize_messages(TALK, keep_last=2, llm=Prompts())
    assert result.messages[2:] == TALK[2:]


def test_every_message_reaches_the_model_however_many_there_are() -> None:
    prompts = Prompts()
    talk = [{"role": "user", "content": f"fact {at}. " + "word " * 400} for at in range(200)]
    result = summarize_messages(talk, keep_last=3, llm=prompts)
    asked = "\n".join(prompts)
    assert all(f"fact {at}." in asked for at in range(197))
    assert len(prompts) > 1
    assert f"summary {len(prompts) - 1}" in prompts[-1]  # each goes on from the one before
    assert result.messages[0] == {
        "role": "user",
        "content": f"[Previous conversation summary]\n{result.summary}",
    }


def test_without_a_model_it_quotes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYBOOK_MODEL", raising=False)
    result = summarize_messages(TALK, keep_last=1)
    assert "no model wrote a summary" in result.summary
    assert "My name is Bob and I live in Oslo." in result.summary


def test_an_object_with_chat_answers() -> None:
    class Llm:
        def chat(self, prompt: str) -> Any:
            return AIMessage("chatted")

    assert summarize_messages(TALK, keep_last=1, llm=Llm()).summary == "chatted"


def test_a_model_that_fails_replaces_nothing() -> None:
    def fails(_: tuple[Message, ...]) -> str:
        raise RuntimeError

    with pytest.raises(ProviderError):
        summarize_messages(TALK, keep_last=1, llm=fails)
    with pytest.raises(InvalidInputError):
        summarize_messages(TALK, keep_last=1, llm=Prompts(), summarize_prompt="no place")


def test_nothing_to_summarise_asks_nobody() -> None:
    prompts = Prompts()
    result = summarize_messages(TALK, keep_last=10, llm=prompts)
    assert (result.messages, result.summary, result.summarized_count) == (TALK, "", 0)
    assert prompts == []


async def test_the_middleware_acts_above_its_limits() -> None:
    middleware = SummarizationMiddleware(trigger_messages=4, keep_last=1, llm=Prompts())
    assert not middleware.should_summarize(TALK[:4])
    assert middleware.process(TALK[:4]) == TALK[:4]
    assert middleware.should_summarize(TALK)
    made = middleware.process(TALK)
    assert made == made.messages
    assert len(made) == 3
    assert made.summary == "summary 1" == middleware.last_summary
    assert len(await middleware.aprocess(TALK)) == 3


def test_a_summary_is_summarised_with_what_follows() -> None:
    prompts = Prompts()
    middleware = SummarizationMiddleware(trigger_messages=4, keep_last=1, llm=prompts)
    messages: list[Any] = [TALK[0]]
    for at in range(12):
        messages = middleware.process([*messages, HumanMessage(f"message {at}")])
        assert len(messages) <= 4
        assert [type(one) for one in messages].count(SystemMessage) == 1
    assert f"summary {len(prompts) - 1}" in prompts[-1]


def test_the_middleware_counts_tokens_and_takes_the_librarys_name() -> None:
    middleware = SummarizationMiddleware(trigger_tokens=10, keep_messages=2)
    assert middleware.keep_last == 2
    assert middleware.should_summarize(TALK)
    assert not middleware.should_summarize(TALK[:1])
    assert not SummarizationMiddleware().should_summarize(TALK)
