"""What the Agents SDK asks of a session, on ours; and what its own sessions do not do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage, function_tool
from agents.memory import Session, SessionSettings, SQLiteSession
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from daybook import ContentPart, Daybook, Message, ToolCall
from daybook.adapters.openai_agents import DaybookSession
from daybook.errors import ConflictError, InvalidInputError

ITEMS: list[Any] = [
    {"role": "user", "content": "What is on my list?"},
    {"role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
    {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "The list is asked for."}],
        "encrypted_content": "x" * 40,
        "status": None,
    },
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "read_list",
        "arguments": '{"day": "today", "most": 1.0}',
    },
    {"type": "function_call_output", "call_id": "call_1", "output": "milk, bread"},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Milk and bread.", "annotations": []}],
    },
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}},
    {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
]
ODD: list[Any] = [
    {"role": "user", "content": "half a pair \ud800 and NUL \x00"},
    {"type": "function_call", "call_id": "", "name": "", "arguments": "not JSON"},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"x": "\\ud800"}'},
    {"type": "function_call_output", "call_id": "x" * 2000, "output": [{"type": "input_text"}]},
    {"type": "mystery", "number": 2**70, "bound": float("inf"), "deep": [[[[]]]]},
    {},
]


@pytest.fixture
def session(place: str | Daybook) -> Any:
    made = DaybookSession("s1", place, user_id="alice")
    yield made
    made.close()


def test_is_a_session_of_the_protocol(session: DaybookSession) -> None:
    assert isinstance(session, Session)


@pytest.mark.parametrize("items", [ITEMS, ODD], ids=["usual", "odd"])
async def test_items_come_back_equal_and_of_the_same_types(
    session: DaybookSession, items: list[Any]
) -> None:
    await session.add_items(items)
    found = await session.get_items()
    assert repr(found) == repr(items)


async def test_limit_is_of_the_newest(session: DaybookSession) -> None:
    await session.add_items(ITEMS)
    assert await session.get_items(3) == ITEMS[-3:]
    assert await session.get_items(0) == []
    assert await session.get_items(100) == ITEMS
    session.session_settings = SessionSettings(limit=2)
    assert await session.get_items() == ITEMS[-2:]
    assert await session.get_items(3) == ITEMS[-3:]


async def test_pop_takes_the_newest_and_what_is_added_follows(session: DaybookSession) -> None:
    assert await session.pop_item() is None
    await session.add_items(ITEMS)
    assert await session.pop_item() == ITEMS[-1]
    assert await session.pop_item() == ITEMS[-2]
    await session.add_items(ITEMS[:1])
    assert await session.get_items() == [*ITEMS[:-2], ITEMS[0]]
    assert await session.get_items(2) == [ITEMS[-3], ITEMS[0]]


async def test_every_pop_gets_another_item(session: DaybookSession, place: str | Daybook) -> None:
    items = [{"role": "user", "content": str(number)} for number in range(12)]
    await session.add_items(items)
    twin = DaybookSession("s1", place, user_id="alice")
    popped = await asyncio.gather(
        *((session if number % 2 else twin).pop_item() for number in range(14))
    )
    assert sorted(int(item["content"]) for item in popped if item) == list(range(12))
    assert await session.get_items() == []


async def test_cleared_is_gone_also_from_the_book(
    session: DaybookSession, place: str | Daybook
) -> None:
    await session.add_items(ITEMS)
    await session.pop_item()
    await session.clear_session()
    assert await session.get_items() == []
    await session.add_items(ITEMS[:2])
    assert await session.get_items() == ITEMS[:2]


async def test_a_session_made_again_shows_all_of_it(place: str | Daybook) -> None:
    items = [{"role": "user", "content": str(number)} for number in range(9)]
    session = DaybookSession("s1", place, user_id="alice")
    await session.add_items(items)
    for _ in range(4):
        await session.pop_item()
    book = session._place.open().awaited
    await book.sessions.delete("s1", user_id="alice")
    await session.add_items(items)
    assert await session.get_items() == items
    for _ in range(6):  # past the places of the earlier session
        await session.pop_item()
    assert await session.get_items() == items[:3]
    assert await session.get_items(2) == items[1:3]
    session.close()


async def test_batches_of_many_writers_stay_whole(session: DaybookSession) -> None:
    batches = [
        [{"role": "user", "content": f"{at}-{part}"} for part in range(3)] for at in range(9)
    ]
    await asyncio.gather(*(session.add_items(batch) for batch in batches))
    found = await session.get_items()
    assert sorted(map(str, (found[at : at + 3] for at in range(0, 27, 3)))) == sorted(
        map(str, batches)
    )


async def test_another_users_session_is_neither_read_nor_written(
    session: DaybookSession, place: str | Daybook
) -> None:
    await session.add_items(ITEMS)
    other = DaybookSession("s1", place, user_id="bob")
    assert await other.get_items() == []
    assert await other.pop_item() is None
    with pytest.raises(ConflictError):
        await other.add_items(ITEMS[:1])
    await other.clear_session()
    assert await session.get_items() == ITEMS


async def test_the_frameworks_own_session_knows_no_users(tmp_path: Path) -> None:
    """The failing baseline of the test above."""
    mine, theirs = (SQLiteSession("s1", tmp_path / "x.db") for _ in range(2))
    await mine.add_items(ITEMS[:1])
    assert await theirs.get_items() == ITEMS[:1]
    mine.close()
    theirs.close()


async def test_an_item_that_is_no_json_is_refused_with_its_batch(session: DaybookSession) -> None:
    with pytest.raises(InvalidInputError):
        await session.add_items([ITEMS[0], {"role": "user", "content": object()}])
    with pytest.raises(InvalidInputError):
        await session.add_items(["text"])
    assert await session.get_items() == []


async def test_the_book_reads_what_the_agent_wrote_and_the_reverse(tmp_path: Path) -> None:
    with Daybook.open(f"sqlite:///{tmp_path}/b.db") as book:
        session = DaybookSession("s1", book, user_id="alice")
        await session.add_items(ITEMS)
        stored = book.history.list("s1", user_id="alice")
        assert [one.role for one in stored[:2]] == ["user", "system"]
        assert stored[3].tool_calls == (
            ToolCall("call_1", "read_list", {"day": "today", "most": 1.0}),
        )
        assert (stored[4].tool_call_id, stored[4].text) == ("call_1", "milk, bread")
        assert stored[5].content == (ContentPart("output_text", "Milk and bread."),)
        hits = book.recall.search("milk", user_id="alice")
        assert hits
        calls = [ToolCall("c9", "f", {"a": 1})]
        book.history.append("s1", Message.assistant("Looking.", tool_calls=calls), user_id="alice")
        book.history.append("s1", Message.tool("found", tool_call_id="c9"), user_id="alice")
        assert (await session.get_items())[len(ITEMS) :] == [
            {"role": "assistant", "content": "Looking."},
            {"type": "function_call", "call_id": "c9", "name": "f", "arguments": '{"a": 1}'},
            {"type": "function_call_output", "call_id": "c9", "output": "found"},
        ]
        assert len(await session.get_items(2)) == 2


WRITER = """
import asyncio, sys
from daybook.adapters.openai_agents import DaybookSession

async def main(url, name):
    session = DaybookSession("s1", url, user_id="alice", embedder=None)
    for turn in range(10):
        said = [f"{name}-{turn}-{at}" for at in (0, 1)]
        await session.add_items([{"role": "user", "content": text} for text in said])
    session.close()

asyncio.run(main(*sys.argv[1:]))
"""


def _write_from_two_processes(url: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, url, name]) for name in "ab"]
    assert [writer.wait(100) for writer in writers] == [0, 0]


async def test_two_processes_lose_nothing_and_split_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/two.db"
    await asyncio.to_thread(_write_from_two_processes, url)
    session = DaybookSession("s1", url, user_id="alice", embedder=None)
    said = [item["content"] for item in await session.get_items()]
    assert len(said) == 40
    for first, second in zip(said[::2], said[1::2], strict=True):
        assert (first[:-1], first[-1], second[-1]) == (second[:-1], "0", "1")
    for name in "ab":
        assert [one for one in said if one.startswith(name)] == [
            f"{name}-{turn}-{at}" for turn in range(10) for at in (0, 1)
        ]
    session.close()


class Scripted(Model):  # type: ignore[misc] # untyped where it is checked
    """Answers from a list; remembers what it was asked."""

    def __init__(self, *outputs: Any) -> None:
        self.outputs = list(outputs)
        self.inputs: list[Any] = []

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        self.inputs.append(kwargs["input"])
        return ModelResponse(output=[self.outputs.pop(0)], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


def _said(text: str) -> ResponseOutputMessage:
    content = ResponseOutputText(type="output_text", text=text, annotations=[])
    return ResponseOutputMessage(
        id="m", type="message", role="assistant", status="completed", content=[content]
    )


@function_tool  # type: ignore[untyped-decorator]
def read_list() -> str:
    """Read the list."""
    return "milk"


async def test_runs_remember_each_other(session: DaybookSession, place: str | Daybook) -> None:
    call = ResponseFunctionToolCall(
        type="function_call", call_id="c1", name="read_list", arguments="{}"
    )
    model = Scripted(call, _said("Milk."), _said("As I said: milk."))
    agent = Agent(name="Lister", model=model, tools=[read_list])
    quiet = RunConfig(tracing_disabled=True)
    await Runner.run(agent, "What is on my list?", session=session, run_config=quiet)
    twin = DaybookSession("s1", place, user_id="alice")
    result = await Runner.run(agent, "Once more?", session=twin, run_config=quiet)
    assert result.final_output == "As I said: milk."
    kinds = [item.get("type", item.get("role")) for item in model.inputs[-1]]
    assert kinds == ["user", "function_call", "function_call_output", "message", "user"]
    assert len(await session.get_items()) == 6
