"""The code of ai-infra's documentation of memory runs as it stands there.

Scripted are the language model, OpenAI's embeddings and the database's URL; names that a block
takes from its reader's program (``messages``, ``conv_memory``) are given. The page's
``messages=[...]`` stands for a list.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from daybook import Message, ToolCall
from daybook.adapters.ai_infra import language_model
from daybook.adapters.ai_infra.memory import (
    ConversationMemory,
    MemoryStore,
    create_memory_tool_async,
)
from daybook.language_models.callable import CallableModel
from tests.adapters.places import own_store

PAGE = Path(__file__).with_name("documented_code.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

pytestmark = pytest.mark.filterwarnings("ignore:tokens are estimated")


def answer(messages: tuple[Message, ...]) -> Message | str:
    """Answer as a model would: recall what is asked about the past, know what was said."""
    last = messages[-1]
    if last.role == "tool":
        return f"From earlier: {last.text}"
    if last.text.startswith("How did we fix"):
        call = ToolCall("call-1", "recall_past_conversations", {"query": last.text})
        return Message.assistant("", tool_calls=(call,))
    if "What's my name?" in last.text:
        return "Bob" if any("I'm Bob" in message.text for message in messages) else "Who knows"
    return "A summary." if "Summary:" in last.text else "Hello."


class ScriptedOpenAI:
    """OpenAI's client, as far as embeddings go."""

    def __init__(self) -> None:
        self.embeddings = SimpleNamespace(create=self.create)
        self.asked: list[str] = []

    def create(self, *, model: str, input: Sequence[str]) -> SimpleNamespace:  # noqa: A002
        assert model == "text-embedding-3-small"
        rows = [[float(len(text)), float(text.count("e")), 1.0] for text in input]
        return SimpleNamespace(data=[SimpleNamespace(embedding=row) for row in rows])


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> dict[str, Any]:
    """The names that stand in the reader's program, and the scripted world around it."""
    monkeypatch.chdir(tmp_path)
    # Of its own: books with another embedder make each other's vectors anew.
    monkeypatch.setenv("DATABASE_URL", own_store(postgres_url))
    monkeypatch.setattr(openai, "OpenAI", ScriptedOpenAI)
    model = CallableModel(answer, id="scripted")
    monkeypatch.setattr(language_model, "load_language_model", lambda _: model)
    monkeypatch.setattr(language_model, "default_model", lambda: "scripted")
    monkeypatch.setattr(language_model, "wrap_language_model", lambda _: model)
    talk = [HumanMessage("Hello"), AIMessage("Hi there!")] * 10
    return {
        "os": os,
        "messages": [SystemMessage("You are helpful."), *talk],
        "conv_memory": ConversationMemory(),
        "create_memory_tool_async": create_memory_tool_async,
    }


async def run(block: str, names: dict[str, Any]) -> None:
    code = compile(block, "documented", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    ran = eval(code, names)  # noqa: S307 - the page's own code
    if inspect.isawaitable(ran):
        await ran


async def test_every_block_runs(reader: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS) == 16
    for block in BLOCKS:
        await run(block.replace("messages=[...]", "messages=messages"), reader)
        check = CHECKS.get(BLOCKS.index(block))
        if check is not None:
            check(reader, capsys.readouterr().out)


def _quick_start(names: dict[str, Any], out: str) -> None:
    assert names["trimmed"] == names["messages"]
    assert names["store"].get(("user_123", "prefs"), "language").value == {"value": "Python"}


def _session(names: dict[str, Any], out: str) -> None:
    agent = names["agent"]
    assert names["recall_tool"].name == "recall_past_conversations"
    assert "From earlier: " in agent.run("How did we fix it?").content
    assert agent.run("What's my name?").content == "Who knows"  # no session, nothing remembered


def _trim(names: dict[str, Any], out: str) -> None:
    assert names["trimmed"] == names["messages"]


def _count(names: dict[str, Any], out: str) -> None:
    assert names["limit"] == 200_000
    assert names["count"] > 0


def _summary(names: dict[str, Any], out: str) -> None:
    result = names["result"]
    assert (result.original_count, len(names["messages"])) == (5, 5)


def _basic(names: dict[str, Any], out: str) -> None:
    assert "{'preference': 'Python', 'reason': 'Data science work'}" in out
    assert names["items"] == []


def _semantic(names: dict[str, Any], out: str) -> None:
    lines = re.findall(r"^(\w+): \{.*\} \(score: (\d\.\d{3})\)$", out, re.MULTILINE)
    assert {key for key, _ in lines} == {"prog_lang", "editor", "os"}
    scores = [float(score) for _, score in lines]
    assert scores == sorted(scores, reverse=True)


def _convenience(names: dict[str, Any], out: str) -> None:
    assert names["item"].value == {"value": "1.0.0"}
    assert names["store"].get_user_memory("user_123", "theme").value == {"value": "dark"}
    assert names["store"].get_session_memory("session_456", "context").value == {
        "value": "debugging"
    }


def _backends(names: dict[str, Any], out: str) -> None:
    assert isinstance(names["store"], MemoryStore)
    names["store"].put(("user_123", "prefs"), "language", {"value": "Python"})
    assert names["store"].get(("user_123", "prefs"), "language") is not None


def _conversations(names: dict[str, Any], out: str) -> None:
    assert "Session: session_001" in out
    assert "Human: I'm getting an auth error" in out


def _agent(names: dict[str, Any], out: str) -> None:
    assert names["recall_tool"].name == "recall_past_conversations"
    assert "From earlier: " in names["result"].content


def _async(names: dict[str, Any], out: str) -> None:
    assert [one.chunk.session_id for one in names["results"]]


def _production(names: dict[str, Any], out: str) -> None:
    kept = names["session_storage"].load("thread_789")
    assert [message.role for message in kept] == ["user", "assistant", "tool", "assistant"]
    found = names["conv_memory"].search("user_123", "the bug last week")
    assert "thread_789" in [one.chunk.session_id for one in found]
    for name in ("session_storage", "memory_store", "conv_memory"):
        names[name].close()


CHECKS: dict[int, Callable[[dict[str, Any], str], None]] = {
    0: _quick_start,
    1: _session,
    2: _trim,
    3: _count,
    4: _summary,
    6: _basic,
    7: _semantic,
    8: _convenience,
    9: _backends,
    10: _conversations,
    13: _agent,
    14: _async,
    15: _production,
}
