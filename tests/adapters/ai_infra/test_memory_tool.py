from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from daybook.adapters.ai_infra.memory import (
    ConversationMemory,
    create_memory_tool,
    create_memory_tool_async,
)
from daybook.adapters.ai_infra.memory_tool import MemoryTool
from daybook.errors import InvalidInputError


@pytest.fixture
def memory() -> Iterator[ConversationMemory]:
    with ConversationMemory() as made:
        talk = [{"role": "user", "content": "the JWT token had expired"}]
        made.index_conversation("u", "s", talk)
        yield made


@pytest.mark.parametrize("make", [create_memory_tool, create_memory_tool_async])
async def test_one_tool_serves_both_kinds_of_callers(memory: ConversationMemory, make: Any) -> None:
    tool = make(memory, user_id="u", return_scores=True)
    said = tool.invoke({"query": "token"})
    assert said == await tool.ainvoke({"query": "token"})
    assert said.startswith("### Result 1\n**Score:** 0.")
    assert said.endswith("Human: the JWT token had expired")
    assert list(tool.args) == ["query"]


def test_the_user_is_fixed_when_the_tool_is_made(memory: ConversationMemory) -> None:
    with pytest.raises(InvalidInputError):
        create_memory_tool(memory)
    other = create_memory_tool(memory, "somebody else", name="recall", description="Recall.")
    assert (other.name, other.description) == ("recall", "Recall.")
    assert other.invoke({"query": "token"}) == "No relevant past conversations found."


@pytest.mark.parametrize("most", [0, 2, 3, 10])
def test_an_answer_is_cut(memory: ConversationMemory, most: int) -> None:
    said = create_memory_tool(memory, "u", max_chars=most).invoke({"query": "token"})
    assert len(said) == most


async def test_without_langchain_it_is_a_tool_of_ours(
    memory: ConversationMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langchain_core.tools", None)
    tool = create_memory_tool(memory, "u")
    assert isinstance(tool, MemoryTool)
    said = tool.invoke({"query": "token"})
    assert said == tool("token") == await tool.ainvoke("token")
    with pytest.raises(InvalidInputError):
        tool.invoke({"question": "token"})


def test_everything_works_without_langchain_and_ai_infra() -> None:
    program = """
import sys
for name in ("langchain_core", "langchain", "ai_infra", "tiktoken", "openai"):
    sys.modules[name] = None
from daybook import Message
from daybook.adapters.ai_infra import Agent, session
from daybook.adapters.ai_infra.memory import *
system, spoken = ({"role": role, "content": "b"} for role in ("system", "assistant"))
talk = [system, Message.user("a"), spoken]
assert trim_messages(talk, "last", 2) == [talk[0], talk[2]]
assert summarize_messages(talk, keep_last=1, llm=lambda _: "S").summary == "S"
with ConversationMemory() as memory:
    memory.index_conversation("u", "s", talk)
    tool = create_memory_tool(memory, "u")
    agent = Agent([tool], session=session.memory(), llm=lambda messages: messages[-1].text)
    assert agent.run("hello", session_id="t").content == "hello"
    assert [one.chunk.session_id for one in memory.search("u", "b")] == ["s"]
print("done")
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "done", ran.stderr
