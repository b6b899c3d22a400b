"""The same memory on other engines, by URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybook.adapters.ai_infra import session
from daybook.adapters.ai_infra.memory import ConversationMemory, MemoryStore
from daybook.model.identifiers import new_id
from tests.adapters.places import own_place


@pytest.mark.parametrize("fixture", ["file", "redis_url", "mongodb_url"])
async def test_memories_conversations_and_sessions(
    fixture: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBOOK_CACHE", str(tmp_path / "cache"))
    is_file = fixture == "file"
    url = f"file:///{tmp_path}/store" if is_file else own_place(request.getfixturevalue(fixture))
    tenant = f"t-{new_id()}"
    talk = [{"role": "user", "content": "the JWT token had expired"}]
    async with (
        MemoryStore(url=url, tenant=tenant) as store,
        ConversationMemory(url=url, tenant=tenant) as memory,
        session.at(url, tenant=tenant) as storage,
    ):
        store.put(("u", "facts"), "pet", {"value": "a dog called Rex"}, ttl=3600)
        assert [item.key for item, _ in await store.asearch(("u",), "dog")] == ["pet"]
        await memory.aindex_conversation("u", "s", talk)
        assert [one.chunk.session_id for one in memory.search("u", "token")] == ["s"]
        assert storage.append("t", talk) == 1
        assert memory.delete_user_conversations("u") == 1
        assert await memory.asearch("u", "token") == []
