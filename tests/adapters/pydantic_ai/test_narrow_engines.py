"""Engines that write less at once than SQLite: the same results, in more steps."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict
from pydantic_ai.messages import ModelRequest, UserPromptPart

from daybook import AsyncDaybook, Daybook
from daybook.adapters.pydantic_ai import DaybookConversationStore


async def test_a_long_save_is_whole_and_a_refused_one_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Daybook.open("inmemory://", embedder=None) as book:
        narrow = replace(book.capabilities, max_atomic_records=5)
        monkeypatch.setattr(AsyncDaybook, "capabilities", narrow)
        store = DaybookConversationStore(book)
        messages = [ModelRequest(parts=[UserPromptPart(content=str(at))]) for at in range(23)]
        await store.save(Conversation(conversation_id="c", messages=list(messages)))
        found = await store.load("c")
        assert found is not None
        assert found.messages == messages
        held = len(book.records.list(("pydantic-ai", "entries"), limit=1000))
        late = Conversation(conversation_id="c", messages=list(messages))
        with pytest.raises(ConversationConflict):
            await store.save(late)
        assert len(book.records.list(("pydantic-ai", "entries"), limit=1000)) == held == 23
        racing = [Conversation(conversation_id="d", messages=list(messages)) for _ in range(4)]
        results = await asyncio.gather(*map(store.save, racing), return_exceptions=True)
        assert sum(isinstance(one, ConversationConflict) for one in results) == 3
        assert len(book.records.list(("pydantic-ai", "entries"), limit=1000)) == 2 * held
