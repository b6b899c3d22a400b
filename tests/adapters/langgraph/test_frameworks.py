"""LangChain's agents, langmem and deepagents, run on our store."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from deepagents.backends import StoreBackend
from langchain.agents import create_agent
from langchain.tools import ToolRuntime, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from tests.adapters.langgraph.scripted import ScriptedModel, calls
from tests.adapters.langgraph.stores import daybook_store

with warnings.catch_warnings():  # what langmem rests on uses names that LangGraph renamed
    warnings.simplefilter("ignore", DeprecationWarning)
    from langmem import create_manage_memory_tool, create_search_memory_tool

_ENGINES = ("inmemory", "sqlite", "redis", "postgresql")


@pytest.fixture(params=_ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with daybook_store(request.param, request, tmp_path) as (open_store, _):
        yield open_store()


@tool  # type: ignore[untyped-decorator] # untyped where types are checked
def remember(what: str, runtime: ToolRuntime) -> str:
    """Keep a fact."""
    runtime.store.put(("alice", "facts"), "fact", {"text": what})
    return "kept"


@tool  # type: ignore[untyped-decorator] # untyped where types are checked
async def look_up(about: str, runtime: ToolRuntime) -> str:
    """Find a fact."""
    found = await runtime.store.asearch(("alice",), query=about, limit=1)
    return str(found[0].value["text"])


def test_an_agent_remembers_in_one_thread_and_knows_in_another(store: BaseStore) -> None:
    model = ScriptedModel(answers=[calls("remember", what="Alice is allergic to nuts"), "Noted."])
    agent = create_agent(model, [remember], store=store)
    agent.invoke({"messages": [("user", "I am allergic to nuts")]})
    assert store.get(("alice", "facts"), "fact").value == {"text": "Alice is allergic to nuts"}


async def test_an_agent_looks_up_asynchronously(store: BaseStore) -> None:
    await store.aput(("alice", "facts"), "1", {"text": "allergic to nuts"})
    await store.aput(("alice", "facts"), "2", {"text": "lives in Oslo"})
    model = ScriptedModel(answers=[calls("look_up", about="allergic to what?"), "Nuts."])
    agent = create_agent(model, [look_up], store=store)
    result = await agent.ainvoke({"messages": [("user", "what may I not eat?")]})
    assert result["messages"][-2].content == "allergic to nuts"


def test_a_graph_reaches_the_store(store: BaseStore) -> None:
    def note(state: MessagesState, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.store is not None
        runtime.store.put(("alice", "log"), str(len(state["messages"])), {"seen": True})
        return {}

    graph = StateGraph(MessagesState).add_node("note", note).add_edge(START, "note")
    graph.compile(store=store).invoke({"messages": [("user", "hi")]})
    assert store.search(("alice",))[0].value == {"seen": True}


def test_langmem_manages_and_searches(store: BaseStore) -> None:
    manage = create_manage_memory_tool(("memories", "{user}"), store=store)
    search = create_search_memory_tool(("memories", "{user}"), store=store)
    config = {"configurable": {"user": "alice"}}
    for content in ("Alice prefers tea", "Alice has two cats"):
        manage.invoke({"content": content, "action": "create"}, config)
    items = store.search(("memories", "alice"))
    assert sorted(item.value["content"] for item in items) == [
        "Alice has two cats",
        "Alice prefers tea",
    ]
    [tea] = [item for item in items if "tea" in item.value["content"]]
    update = {"content": "Alice prefers coffee", "action": "update", "id": tea.key}
    manage.invoke(update, config)
    assert store.get(tea.namespace, tea.key).created_at == tea.created_at
    found = search.invoke({"query": "what does she drink, coffee?", "limit": 1}, config)
    assert "coffee" in found
    assert "cats" not in found
    manage.invoke({"action": "delete", "id": tea.key}, config)
    assert store.get(tea.namespace, tea.key) is None


def test_deepagents_keeps_files(store: BaseStore) -> None:
    """Over more than a page of them: it reads on until a page is short."""
    for number in range(250):
        value = {"content": "old", "encoding": "utf-8", "created_at": "", "modified_at": ""}
        store.put(("files",), f"/memories/{number:03}.md", value)
    backend = StoreBackend(namespace=lambda _: ("files",), store=store)
    model = ScriptedModel(
        answers=[
            calls("write_file", file_path="/memories/tea.md", content="Alice prefers tea"),
            calls("read_file", file_path="/memories/tea.md"),
            "Done.",
        ]
    )
    agent = create_deep_agent(model=model, backend=backend, store=store)
    result = agent.invoke({"messages": [("user", "remember that I prefer tea")]})
    assert "Alice prefers tea" in result["messages"][-2].content
    listed = backend.ls("/memories")
    assert len(listed.entries) == 251
    assert backend.edit("/memories/tea.md", "tea", "coffee").error is None
    assert store.get(("files",), "/memories/tea.md").value["content"] == "Alice prefers coffee"
