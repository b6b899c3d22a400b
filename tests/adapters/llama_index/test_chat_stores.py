"""What LlamaIndex asks of its chat stores: one set of tests for its own and for ours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.storage.chat_store import SimpleChatStore
from llama_index.core.storage.chat_store.base_db import MessageStatus
from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore

from daybook import Daybook
from daybook.adapters.llama_index import DaybookChatStore, DaybookDBChatStore, DaybookMemoryBlock

ACTIVE, ARCHIVED = MessageStatus.ACTIVE, MessageStatus.ARCHIVED
ENGINES = ["theirs", "inmemory", "sqlite", "file"]


def user(text: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=text)


def users(*texts: str) -> list[ChatMessage]:
    return [user(text) for text in texts]


RICH = [
    ChatMessage(
        role=MessageRole.USER,
        blocks=[
            TextBlock(text="Look \x00:"),
            ImageBlock(image=b"\x00\xff", image_mimetype="image/png"),
        ],
    ),
    ChatMessage(
        role=MessageRole.ASSISTANT,
        blocks=[
            ThinkingBlock(content="hm", additional_information={"signature": "s"}),
            ToolCallBlock(tool_call_id="c1", tool_name="look", tool_kwargs={"x": [1, 2.5]}),
        ],
        additional_kwargs={"usage": {"tokens": 3}},
    ),
    ChatMessage(
        role=MessageRole.TOOL, content="a picture", additional_kwargs={"tool_call_id": "c1"}
    ),
    ChatMessage(role=MessageRole.DEVELOPER, content="half \ud800"),
    ChatMessage(role=MessageRole.CHATBOT, blocks=[]),
]


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "theirs":
        yield SimpleChatStore()
    elif request.param == "inmemory":
        with Daybook.open("inmemory://") as book:
            yield DaybookChatStore(book)
    else:
        made = DaybookChatStore(f"{request.param}:///{tmp_path}/book")
        yield made
        made.close()


@pytest.fixture(params=ENGINES)
async def queue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "theirs":
        made = SQLAlchemyChatStore(
            table_name="t", async_database_uri=f"sqlite+aiosqlite:///{tmp_path}/l.db"
        )
        yield made
        await (await made._initialize())[0].kw["bind"].dispose()
    elif request.param == "inmemory":
        with Daybook.open("inmemory://") as book:
            yield DaybookDBChatStore(book)
    else:
        ours = DaybookDBChatStore(f"{request.param}:///{tmp_path}/book")
        yield ours
        ours.close()


def said(messages: list[ChatMessage] | None) -> list[str | None]:
    return [one.content for one in messages or []]


def test_messages_come_back_equal(store: Any) -> None:
    assert store.get_messages("k") == []
    store.set_messages("k", list(RICH))
    assert store.get_messages("k") == RICH
    store.add_message("k", user("more"))
    assert store.get_messages("k") == [*RICH, user("more")]


def test_a_list_replaces_what_was_there(store: Any) -> None:
    for wanted in ("ab", "abc", "xbc", "xy", "", "q", "qrs", "qs", "qs"):
        store.set_messages("k", users(*wanted))
        assert said(store.get_messages("k")) == list(wanted)
        store.add_message("k", user("!"))
        assert said(store.get_messages("k")) == [*wanted, "!"]


def test_single_messages_can_be_taken_back(store: Any) -> None:
    store.set_messages("k", users(*"abcd"))
    assert store.delete_message("k", 1) == user("b")
    assert store.delete_message("k", 9) is None
    assert store.delete_last_message("k") == user("d")
    assert said(store.get_messages("k")) == ["a", "c"]
    store.add_message("k", user("i"), 1)
    assert said(store.get_messages("k")) == ["a", "i", "c"]
    assert store.delete_message("nothing", 0) is None
    assert store.delete_last_message("nothing") is None


def test_a_key_can_be_removed(store: Any) -> None:
    store.set_messages("k", users(*"ab"))
    store.add_message("other", user("x"))
    store.delete_last_message("k")
    assert sorted(store.get_keys()) == ["k", "other"]
    assert said(store.delete_messages("k")) == ["a"]
    assert store.delete_messages("k") is None
    assert store.get_keys() == ["other"]
    store.add_message("k", user("anew"))
    assert said(store.get_messages("k")) == ["anew"]


async def test_async_methods_do_the_same(store: Any) -> None:
    await store.aset_messages("k", users(*"abc"))
    await store.async_add_message("k", user("d"))
    assert await store.adelete_message("k", 0) == user("a")
    assert await store.adelete_last_message("k") == user("d")
    assert said(await store.aget_messages("k")) == ["b", "c"]
    assert await store.aget_keys() == ["k"]
    assert said(await store.adelete_messages("k")) == ["b", "c"]


def test_a_memory_buffer_works_over_it(store: Any) -> None:
    memory = ChatMemoryBuffer.from_defaults(
        token_limit=1000, chat_store=store, chat_store_key="k", tokenizer_fn=str.split
    )
    memory.put(user("hello"))
    memory.put_messages([ChatMessage(role="assistant", content="hi")])
    assert said(memory.get()) == ["hello", "hi"]
    memory.set(users("only"))
    assert said(memory.get_all()) == ["only"]
    memory.reset()
    assert memory.get_all() == []


def test_writers_from_threads_lose_nothing(tmp_path: Path) -> None:
    stores = [DaybookChatStore(f"sqlite:///{tmp_path}/t.db") for _ in range(4)]

    def write(store: DaybookChatStore, name: int) -> None:
        for number in range(10):
            store.add_message("k", user(f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(one, at)) for at, one in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = said(stores[0].get_messages("k"))
    assert sorted(map(str, found)) == sorted(
        f"{name}-{at}" for name in range(4) for at in range(10)
    )
    for store in stores:
        store.close()


async def test_the_queues_statuses(queue: Any) -> None:
    await queue.add_messages("k", users(*"abcde"))
    assert said(await queue.archive_oldest_messages("k", 2)) == ["a", "b"]
    assert said(await queue.get_messages("k")) == ["c", "d", "e"]
    assert said(await queue.get_messages("k", status=ARCHIVED)) == ["a", "b"]
    assert said(await queue.get_messages("k", status=None)) == list("abcde")
    assert said(await queue.get_messages("k", limit=1, offset=1)) == ["d"]
    assert await queue.count_messages("k") == 3
    assert await queue.count_messages("k", status=None) == 5
    await queue.add_message("k", user("f"), status=ARCHIVED)
    assert said(await queue.get_messages("k", status=ARCHIVED)) == ["a", "b", "f"]
    assert said(await queue.delete_oldest_messages("k", 2)) == ["c", "d"]
    assert said(await queue.delete_oldest_messages("none", 2)) == []
    await queue.delete_messages("k", status=ARCHIVED)
    assert said(await queue.get_messages("k", status=None)) == ["e"]
    await queue.set_messages("k", users(*"xy"))
    assert said(await queue.get_messages("k", status=None)) == ["x", "y"]
    assert await queue.get_keys() == ["k"]
    await queue.delete_messages("k")
    assert await queue.get_messages("k", status=None) == []


async def test_every_archiving_gets_other_messages(tmp_path: Path) -> None:
    queue = DaybookDBChatStore(f"sqlite:///{tmp_path}/q.db")
    await queue.add_messages("k", users(*map(str, range(12))))
    taken = await asyncio.gather(*(queue.archive_oldest_messages("k", 3) for _ in range(4)))
    assert sorted(int(text or -1) for one in taken for text in said(one)) == list(range(12))
    assert await queue.delete_message("k", 0) is None
    queue.close()


async def _interrupted_replacement(queue: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what is there after a replacement whose new messages could not be written."""
    await queue.set_messages("k", users("old"))

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise OSError("the process ended here")

    with monkeypatch.context() as patch:
        patch.setattr(ChatMessage, "model_dump", broken)
        with pytest.raises(OSError, match="ended"):
            await queue.set_messages("k", users("new"))
    return said(await queue.get_messages("k"))


async def test_a_replacement_that_fails_leaves_the_old_list(
    queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = await _interrupted_replacement(queue, monkeypatch)
    # The incumbent deletes first and in a transaction of its own: the failing baseline.
    assert left == ([] if isinstance(queue, SQLAlchemyChatStore) else ["old"])


async def test_a_memory_with_blocks(tmp_path: Path) -> None:
    with Daybook.open(f"sqlite:///{tmp_path}/m.db") as book:
        book.history.append("earlier", [_note("The walnuts are in the cellar.")], user_id="me")
        block = DaybookMemoryBlock(book, accept_short_term_memory=False, priority=1)
        memory = Memory.from_defaults(
            session_id="now",
            chat_store=DaybookDBChatStore(book),
            memory_blocks=[block],
            token_limit=60,
            chat_history_token_ratio=0.5,
            token_flush_size=10,
            tokenizer_fn=str.split,
        )
        for number in range(8):
            await memory.aput(user(f"message {number} of five words"))
        await memory.aput(user("Where are my walnuts?"))
        sent = await memory.aget()
        assert "The walnuts are in the cellar." in str(sent[0].content)
        assert sent[-1].content == "Where are my walnuts?"
        assert len(await memory.aget_all(status=None)) == 9
        assert len(await memory.aget_all(status=ARCHIVED)) > 0
        assert len(book.history.list("now", user_id="me")) == 9


def _note(text: str) -> Any:
    from daybook import Message  # noqa: PLC0415

    return Message.user(text)


async def test_a_block_keeps_what_it_is_given_and_can_shrink(tmp_path: Path) -> None:
    with Daybook.open(f"sqlite:///{tmp_path}/b.db") as book:
        block = DaybookMemoryBlock(book, user_id="alice", limit=2)
        await block.aput(users("The dog is Rex"), session_id="s1")
        await block.aput(users("The cat is Tom"))
        assert [one.id for one in book.sessions.list(user_id="alice").items] == [
            "llama-index",
            "s1",
        ]
        found = await block.aget(users("Which dog?"))
        assert "The dog is Rex" in found
        assert found.split("\n")[0].startswith("user on 2")
        assert await block.aget([]) == ""
        assert await block.atruncate("one\ntwo", 1) == "one"
        assert await block.atruncate("one", 99) is None
