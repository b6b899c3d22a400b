"""Memory in `create_agent`, beside agents without it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver

from daybook import Daybook
from daybook.adapters.langchain import DaybookMiddleware, DaybookSummarizer
from daybook.context import Summary, TokenWindow
from daybook.errors import ConfigError
from tests.adapters.langchain.models import ScriptedModel

THREAD: Any = {"configurable": {"thread_id": "t"}}


def ask(agent: Any, text: str, config: Any = THREAD) -> dict[str, Any]:
    answered: dict[str, Any] = agent.invoke({"messages": [HumanMessage(text)]}, config)
    return answered


def said(book: Daybook, session_id: str = "t") -> list[str]:
    return [message.text for message in book.history.list(session_id)]


@pytest.mark.parametrize("saver", [False, True], ids=["alone", "with a checkpointer"])
def test_the_model_sees_the_session_and_the_state_stays(book: Daybook, saver: bool) -> None:
    model = ScriptedModel()
    agent = create_agent(
        model,
        [],
        system_prompt="Be kind.",
        middleware=[DaybookMiddleware(book, recall=False)],
        checkpointer=InMemorySaver() if saver else None,
    )
    for text in ("1", "2"):
        ask(agent, text)
    state = asyncio.run(agent.ainvoke({"messages": [HumanMessage("3")]}, THREAD))
    assert said(book) == ["1", "re:1", "2", "re:2", "3", "re:3"]
    assert [one.text for one in model.seen[-1]] == ["Be kind.", "1", "re:1", "2", "re:2", "3"]
    assert [isinstance(one, SystemMessage) for one in model.seen[-1]].count(True) == 1
    assert set(state) == {"messages"}
    assert len(state["messages"]) == (6 if saver else 2)


def test_without_it_an_agent_without_a_checkpointer_knows_nothing() -> None:
    """The control."""
    model = ScriptedModel()
    agent = create_agent(model, [])
    for text in ("1", "2"):
        ask(agent, text)
    assert [one.text for one in model.seen[-1]] == ["2"]


def test_tools_are_called_and_stored_and_what_they_find_is_marked(book: Daybook) -> None:
    def answer(messages: list[BaseMessage]) -> AIMessage:
        if messages[-1].type == "human" and "parrot?" in messages[-1].text:
            call = {"name": "recall", "args": {"query": "parrot"}, "id": "c1", "type": "tool_call"}
            return AIMessage("", tool_calls=[call])
        return AIMessage("Kiwi" if messages[-1].type == "tool" else "ok")

    memory = DaybookMiddleware(book, user_id="ann", recall=False, recall_tool=True)
    agent = create_agent(ScriptedModel(answer=answer), [], middleware=[memory])
    config: Any = {"configurable": {"thread_id": "old", "user_id": "ann"}}
    ask(agent, "my parrot is called Kiwi", config)
    new: Any = {"configurable": {"thread_id": "new", "user_id": "ann"}}
    ask(agent, "what is my parrot?", new)
    stored = book.history.list("new", user_id="ann")
    assert [message.role for message in stored] == ["user", "assistant", "tool", "assistant"]
    assert "| my parrot is called Kiwi" in stored[2].text
    found = stored[2].metadata["langchain"]["artifact"]
    assert "old" in {hit["session_id"] for hit in found}


def test_recall_reaches_the_users_other_sessions_and_nobody_elses(book: Daybook) -> None:
    model = ScriptedModel()
    owner = lambda runtime: runtime.execution_info.thread_id.partition("-")[0]  # noqa: E731
    agent = create_agent(model, [], middleware=[DaybookMiddleware(book, user_id=owner)])
    ask(agent, "my parrot is called Kiwi", {"configurable": {"thread_id": "ann-1"}})
    for thread, found in (("ann-2", True), ("bob-1", False)):
        ask(agent, "name of the parrot", {"configurable": {"thread_id": thread}})
        seen = "\n".join(message.text for message in model.seen[-1])
        assert ("| my parrot is called Kiwi" in seen) is found
        assert all(message.type == "human" for message in model.seen[-1])


def test_a_question_outlives_a_model_that_fails(book: Daybook) -> None:
    def fail(_: list[BaseMessage]) -> AIMessage:
        raise RuntimeError("model")

    agent = create_agent(
        ScriptedModel(answer=fail), [], middleware=[DaybookMiddleware(book, recall=False)]
    )
    question = {"messages": [HumanMessage("q", id="q1")]}
    for _ in range(2):  # and a retry under its id adds nothing
        with pytest.raises(RuntimeError):
            agent.invoke(question, THREAD)
    assert said(book) == ["q"]


def test_what_the_model_gets_fits_and_nothing_is_forgotten(book: Daybook) -> None:
    model = ScriptedModel(answer=lambda messages: AIMessage("words " * 20))
    memory = DaybookMiddleware(
        book, max_tokens=300, strategy=TokenWindow() + Summary(), recall=False
    )
    agent = create_agent(model, [], middleware=[memory])
    for number in range(12):
        ask(agent, f"fact {number}: box {number} is red " + "and more " * 10)
    assert len(said(book)) == 24
    assert len(model.seen[-1]) < 12
    digest = book.context.digest("t")
    assert digest is not None
    assert digest.last_seq >= 12


def test_a_session_must_be_named(book: Daybook) -> None:
    agent = create_agent(ScriptedModel(), [], middleware=[DaybookMiddleware(book)])
    with pytest.raises(ConfigError, match="session_id"):
        agent.invoke({"messages": [HumanMessage("q")]})
    two = [DaybookMiddleware(book, name="one"), DaybookMiddleware(book, name="two")]
    assert create_agent(ScriptedModel(), [], middleware=two) is not None


FACT = "My sister Anna moved to Bergen in May 2019."


def summaries(summarizer: Any, **options: Any) -> list[str]:
    """Return the first message of an agent's state after eight turns, and what was evicted."""
    agent = create_agent(
        ScriptedModel(answer=lambda messages: AIMessage("words " * 900)),
        [],
        checkpointer=InMemorySaver(),
        middleware=[
            SummarizationMiddleware(
                ScriptedModel(answer=lambda messages: AIMessage("a summary")),
                trigger=("messages", 14),
                keep=("messages", 2),
                summarizer=summarizer,
                **options,
            )
        ],
    )
    ask(agent, FACT)
    for number in range(6):
        ask(agent, f"question {number}")
    return [message.text for message in ask(agent, "last")["messages"]]


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_every_message_that_leaves_is_summarised(kind: str, book: Daybook) -> None:
    if kind == "theirs":
        given: list[str] = []

        def summarise(messages: Any) -> str:
            given.extend(message.text for message in messages)
            return "a summary"

        summaries(summarise)  # with the limit that it has unless told otherwise
        assert FACT not in given  # which nobody will ever see again
        return
    kept = summaries(DaybookSummarizer(book, max_tokens=700), trim_tokens_to_summarize=None)
    assert said(book)[0] == FACT
    assert len(said(book)) == 13
    assert "Bergen" in kept[0]


def test_the_summariser_stores_each_message_once(book: Daybook) -> None:
    summarise = DaybookSummarizer(book, session_id="s")
    messages = [HumanMessage("one", id="1"), AIMessage("two", id="2")]
    assert summarise.invoke(messages) == "Human: one\nAI: two"
    assert asyncio.run(summarise.ainvoke([*messages, HumanMessage("x" * 9000, id="3")]))
    assert len(said(book, "s")) == 3
    with pytest.raises(ConfigError):
        DaybookSummarizer(book).invoke(messages)
