"""The adapters of the agent frameworks on the engines that are servers: one pass through each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from llama_index.core.base.llms.types import ChatMessage
from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import ModelRequest, UserPromptPart

from daybook import Daybook
from daybook.adapters.anthropic_memory import AsyncDaybookMemoryTool
from daybook.adapters.google_adk import DaybookSessionService
from daybook.adapters.llama_index import DaybookDBChatStore
from daybook.adapters.openai_agents import DaybookSession
from daybook.adapters.pydantic_ai import DaybookConversationStore
from tests.adapters.places import patient


@pytest.fixture(params=["redis_url", "postgres_url", "mongodb_url", "dynamodb_url"])
def book(request: pytest.FixtureRequest) -> Iterator[Daybook]:
    url = patient(request.getfixturevalue(request.param))
    with Daybook.open(url, tenant=f"t{uuid4().hex}", index="none") as opened:
        yield opened


async def test_each_adapter_does_its_work(book: Daybook) -> None:
    items: list[Any] = [
        {"role": "user", "content": f"half \ud800 and \x00 {at}"} for at in range(6)
    ]
    session = DaybookSession("s1", book, user_id="alice")
    await session.add_items(items)
    popped = await asyncio.gather(*(session.pop_item() for _ in range(3)))
    assert sorted(map(str, popped)) == sorted(map(str, items[3:]))
    assert await session.get_items() == items[:3]

    queue = DaybookDBChatStore(book, user_id="alice")
    await queue.set_messages("q", [ChatMessage(content=text) for text in "abc"])
    await queue.set_messages("q", [ChatMessage(content=text) for text in "axyz"])
    await queue.archive_oldest_messages("q", 2)
    assert [one.content for one in await queue.get_messages("q")] == ["y", "z"]


async def test_each_adapter_of_records_does_its_work(book: Daybook) -> None:
    memory = AsyncDaybookMemoryTool(book, user_id="alice")
    path = "/memories/a/b.md"
    await memory.call({"command": "create", "path": path, "file_text": "one\n"})
    edits = [
        {"command": "insert", "path": path, "insert_line": 1, "insert_text": f"line {at}"}
        for at in range(4)
    ]
    await asyncio.gather(*map(memory.call, edits))
    await memory.call({"command": "rename", "old_path": "/memories/a", "new_path": "/memories/c"})
    seen = str(await memory.call({"command": "view", "path": "/memories/c/b.md"}))
    assert all(f"line {at}" in seen for at in range(4))

    store = DaybookConversationStore(book)
    messages = [ModelRequest(parts=[UserPromptPart(content=str(at))]) for at in range(20)]
    await store.save(Conversation(conversation_id="c", messages=list(messages)))
    await store.fork("c", at=3, new_conversation_id="f")
    await store.delete("c")
    fork = await store.load("f")
    assert fork is not None
    assert fork.messages == messages[:3]

    who: dict[str, Any] = {"app_name": "app", "user_id": "alice", "session_id": "s"}
    service = DaybookSessionService(book)
    held = await service.create_session(**who, state={"app:p": 1})
    delta = {"a": 1, "user:u": 2, "app:q": 3}
    await service.append_event(held, Event(author="user", actions=EventActions(state_delta=delta)))
    found = await service.get_session(**who)
    assert found is not None
    assert (found.state, len(found.events)) == ({"app:p": 1, **delta}, 1)
