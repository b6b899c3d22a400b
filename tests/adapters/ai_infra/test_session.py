from __future__ import annotations

import operator
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypedDict
from uuid import uuid4

import psycopg
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph

from daybook import Message, ToolCall
from daybook.adapters.ai_infra import Agent, session
from daybook.adapters.ai_infra.memory import SummarizationMiddleware
from daybook.errors import ConfigError, ProviderError, UnsupportedError


def knows(messages: tuple[Message, ...]) -> str:
    return "Bob" if any("I'm Bob" in message.text for message in messages) else "Who knows"


def test_a_session_continues_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "sessions.db")
    with session.sqlite(path) as storage:
        Agent(session=storage, llm=knows).run("Hi, I'm Bob", session_id="thread")
    with session.sqlite(path) as storage:
        agent = Agent(session=storage, llm=knows)
        result = agent.run("What's my name?", session_id="thread")
        assert str(result) == result.content == "Bob"
        assert [message.text for message in result.messages] == [
            "Hi, I'm Bob", "Bob", "What's my name?", "Bob",
        ]  # fmt: skip
        assert agent.run("What's my name?", session_id="another").content == "Who knows"
        assert not session.is_paused(result)
        assert session.get_pending_action(result) is None


async def test_storage_keeps_langchain_messages_and_repeated_texts() -> None:
    with session.memory() as storage:
        said = [HumanMessage("hi"), AIMessage("hi", usage_metadata=None), HumanMessage("hi")]
        assert await storage.aappend("t", said, user_id="u") == 3
        assert storage.load("t") == said
        plain = [{"role": "user", "content": "hi"}] * 2
        assert storage.append("t", plain) == 5
        assert [message.text for message in await storage.aload("t", limit=2)] == ["hi", "hi"]
        assert storage.delete("t")
        assert not await storage.adelete("t")
        assert storage.get_store() is None


def test_tools_run_and_their_results_are_kept() -> None:
    @tool
    def look(at: str) -> str:
        """Look at something."""
        return f"{at} is blue"

    def model(messages: tuple[Message, ...]) -> Message | str:
        if messages[-1].role == "tool":
            return messages[-1].text
        return Message.assistant("", tool_calls=(ToolCall("c", "look", {"at": "the sky"}),))

    with session.memory() as storage:
        agent = Agent([look], session=storage, llm=model, system="Look.")
        assert agent.run("What colour?", session_id="t").content == "the sky is blue"
        roles = [message.role for message in storage.load("t")]
        assert roles == ["user", "assistant", "tool", "assistant"]


def test_rounds_of_tools_end() -> None:
    def stubborn(messages: tuple[Message, ...]) -> Message:
        return Message.assistant("", tool_calls=(ToolCall(f"c{len(messages)}", "gone", {}),))

    result = Agent(llm=stubborn, max_rounds=2).run("go")
    assert len(result.messages) == 1 + 2 * 3 + 1


def test_a_run_that_fails_stores_nothing() -> None:
    def fails(_: tuple[Message, ...]) -> str:
        raise RuntimeError

    with session.memory() as storage:
        with pytest.raises(ProviderError):
            Agent(session=storage, llm=fails).run("hi", session_id="t")
        assert storage.load("t") == []


def test_limits_shorten_what_is_sent_and_not_what_is_stored() -> None:
    sent: list[int] = []

    def model(messages: tuple[Message, ...]) -> str:
        sent.append(len(messages))
        return "ok"

    with session.memory() as storage:
        config = session.SessionConfig(storage, max_messages=4)
        agent = Agent(session=config, llm=model, system="Be kind.")
        for at in range(5):
            agent.run(f"message {at}", session_id="t")
        assert max(sent) == 4
        assert len(storage.load("t")) == 10
        summing = SummarizationMiddleware(trigger_messages=3, keep_last=1, llm=lambda _: "S")
        Agent(session=storage, llm=model, middleware=[summing]).run("end", session_id="t")
        assert sent[-1] == 2


def test_no_model_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYBOOK_MODEL", raising=False)
    with pytest.raises(ConfigError):
        Agent().run("hi")


def test_dictionaries_are_trimmed_as_documented() -> None:
    talk = [
        {"role": "system", "content": "s"},
        *({"role": "user", "content": str(n)} for n in range(9)),
    ]
    assert session.trim_messages(talk, max_messages=3) == [talk[0], *talk[-2:]]
    assert session.trim_messages(talk, max_messages=None) == talk
    assert len(session.generate_session_id()) > 20


class Counted(TypedDict):
    said: Annotated[list[str], operator.add]


def graph(storage: session.SessionStorage) -> Any:
    """Return the smallest graph that needs a checkpointer to count."""
    state_graph: Any = StateGraph
    builder = state_graph(Counted)
    builder.add_node("count", lambda state: {"said": [f"{len(state['said'])} before"]})
    builder.add_edge(START, "count")
    return builder.compile(checkpointer=storage.get_checkpointer(), store=storage.get_store())


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
async def test_graphs_get_a_saver_for_both_kinds_of_callers(
    kind: str, tmp_path: Path, postgres_url: str
) -> None:
    kinds: dict[str, Callable[[], session.SessionStorage]] = {
        "memory": session.memory,
        "sqlite": lambda: session.sqlite(str(tmp_path / "sessions.db")),
        "postgres": lambda: session.postgres(postgres_url, pool_size=2),
    }
    storage = kinds[kind]()
    thread = storage.append(kind, [Message.user("kept beside it")])
    config = session.SessionConfig(storage).get_config(f"{kind}-{thread}")
    graph(storage).invoke({"said": ["one"]}, config)
    again = await graph(storage).ainvoke({"said": ["two"]}, config)
    assert again["said"] == ["one", "1 before", "two", "3 before"]
    assert [one async for one in storage.get_checkpointer().alist(config)]
    await storage.get_checkpointer().adelete_thread(f"{kind}-{thread}")
    assert storage.get_checkpointer().get_tuple(config) is None
    assert len(storage.load(kind)) == 1
    if kind != "memory":
        storage.get_checkpointer().conn.close()
    storage.delete(kind)
    storage.close()


def test_savers_that_are_made_at_once_make_their_tables_once(postgres_url: str) -> None:
    schema, all_are_here = f"savers{uuid4().hex}", threading.Barrier(4)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    own = f"{postgres_url}{'&' if '?' in postgres_url else '?'}options=-csearch_path%3D{schema}"

    def begin(name: str) -> list[str]:
        storage = session.postgres(own, pool_size=1)
        all_are_here.wait(60)
        saver = storage.get_checkpointer()
        config = session.SessionConfig(storage).get_config(name)
        said: list[str] = graph(storage).invoke({"said": [name]}, config)["said"]
        saver.conn.close()
        return said

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(begin, "abcd")) == [[name, "1 before"] for name in "abcd"]


def test_a_store_is_there_if_it_is_enabled(tmp_path: Path) -> None:
    storage = session.at(f"sqlite:///{tmp_path}/s.db", enable_store=True)
    store = storage.get_store()
    store.put(("u",), "k", {"n": 1})
    assert storage.get_store() is store
    assert store.get(("u",), "k").value == {"n": 1}
    storage.close()


def test_an_engine_without_a_saver_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError):
        session.at(f"file://{tmp_path}/s").get_checkpointer()
