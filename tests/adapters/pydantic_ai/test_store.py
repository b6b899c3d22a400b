"""What Pydantic AI asks of a conversation store: the same tests for its own in RAM and for ours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    InMemoryConversationStore,
)
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from daybook import Daybook
from daybook.adapters.pydantic_ai import DaybookConversationStore


@pytest.fixture(params=["theirs", "inmemory", "sqlite", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "theirs":
        yield InMemoryConversationStore()
    elif request.param == "inmemory":
        with Daybook.open("inmemory://") as book:
            yield DaybookConversationStore(book)
    else:
        made = DaybookConversationStore(f"{request.param}:///{tmp_path}/book")
        yield made
        made.close()


@pytest.fixture
def ours(place: str | Daybook) -> Iterator[DaybookConversationStore]:
    made = DaybookConversationStore(place)
    yield made
    made.close()


def asked(text: Any) -> ModelRequest:
    return ModelRequest(parts=[UserPromptPart(content=text)])


def answered(text: str) -> ModelResponse:
    return ModelResponse(parts=[TextPart(content=text)], model_name="scripted")


RICH: list[Any] = [
    asked(["Read:", BinaryContent(data=b"\x00\xff" * 9, media_type="application/pdf")]),
    ModelResponse(
        parts=[
            ThinkingPart(content="hm", signature="s" * 9),
            ToolCallPart(tool_name="look", args={"deep": [1, 2.0, None]}, tool_call_id="c1"),
        ],
        usage=RequestUsage(input_tokens=7, output_tokens=2, details={"cached": 1}),
        model_name="scripted",
        provider_details={"a": [1]},
    ),
    ModelRequest(parts=[ToolReturnPart(tool_name="look", content={"x": 1.5}, tool_call_id="c1")]),
    answered("A picture \x00 of nothing."),
]


async def saved(store: Any, name: str, *messages: Any, **kwargs: Any) -> Conversation:
    conversation = Conversation(conversation_id=name, messages=list(messages))
    await store.save(conversation, **kwargs)
    return conversation


async def texts(store: Any, name: str, **kwargs: Any) -> list[Any] | None:
    found = await store.load(name, **kwargs)
    return None if found is None else [one.parts[0].content for one in found.messages]


async def test_what_is_saved_is_loaded(store: Any) -> None:
    assert await store.load("c") is None
    await saved(store, "c", *RICH)
    found = await store.load("c")
    assert found.messages == RICH
    assert [type(part) for one in found.messages for part in one.parts] == [
        type(part) for one in RICH for part in one.parts
    ]
    assert (await store.load("c", limit=2)).messages == RICH[-2:]
    assert (await store.load("c", limit=0)).messages == []


async def test_a_save_adds_only_what_is_new(store: Any) -> None:
    await saved(store, "c", asked("1"), answered("2"))
    found = await store.load("c")
    found.messages.append(asked("3"))
    stored = await store.save(found)
    assert [entry.message.parts[0].content for entry in stored] == ["3"]
    entries = await store.load_entries("c")
    assert [entry.parent_id for entry in entries[1:]] == [entry.id for entry in entries[:-1]]
    assert await store.save(found) == []


async def test_a_long_history_is_whole(store: Any) -> None:
    messages = [asked(str(number)) for number in range(70)]
    await saved(store, "c", *messages)
    assert await texts(store, "c") == [str(number) for number in range(70)]
    assert await texts(store, "c", limit=40) == [str(number) for number in range(30, 70)]


async def test_a_stale_save_is_refused_and_changes_nothing(store: Any) -> None:
    await saved(store, "c", asked("1"))
    one, other = await store.load("c"), await store.load("c")
    one.messages.append(answered("one"))
    other.messages.append(answered("other"))
    await store.save(one)
    with pytest.raises(ConversationConflict):
        await store.save(other)
    assert await texts(store, "c") == ["1", "one"]
    with pytest.raises(ConversationConflict):
        await saved(store, "c", asked("not loaded"))


async def test_of_many_savers_one_succeeds(store: Any) -> None:
    await saved(store, "c", asked("1"))
    loaded = [await store.load("c") for _ in range(6)]
    for number, one in enumerate(loaded):
        one.messages.append(answered(str(number)))
    results = await asyncio.gather(*map(store.save, loaded), return_exceptions=True)
    assert sum(isinstance(one, ConversationConflict) for one in results) == 5
    assert len(await texts(store, "c") or ()) == 2


async def test_a_branch_keeps_what_it_leaves(store: Any) -> None:
    made = await saved(store, "c", asked("1"), answered("2"), asked("3"))
    branched = await store.branch("c", at=1, expected_revision=made.revision)
    branched.messages.append(answered("else"))
    await store.save(branched)
    assert await texts(store, "c") == ["1", "else"]
    record = await store.read_record("c")
    assert len(record.branches) == 1
    await store.branch("c", from_entry=record.branches[0], expected_revision=record.revision)
    assert await texts(store, "c") == ["1", "2", "3"]


async def test_a_rewritten_history_becomes_a_branch(store: Any) -> None:
    made = await saved(store, "c", asked("1"), answered("2"), asked("3"))
    other = Conversation(
        conversation_id="c", messages=[asked("1"), answered("new")], revision=made.revision
    )
    other.messages[0] = made.messages[0]
    await store.save(other)
    assert await texts(store, "c") == ["1", "new"]
    record = await store.read_record("c")
    assert len(record.branches) == 1
    assert len(await store.read_history(record.branches[0])) == 3


async def test_a_fork_lives_on_when_its_source_is_deleted(store: Any) -> None:
    await saved(store, "c", asked("1"), answered("2"), asked("3"))
    fork = await store.fork("c", at=2, new_conversation_id="f")
    source = await store.load_entries("c")
    await store.delete("c")
    assert await store.load("c") is None
    assert await texts(store, "f") == ["1", "2"]
    fork.messages.append(asked("on"))
    await store.save(fork)
    assert await texts(store, "f") == ["1", "2", "on"]
    with pytest.raises(LookupError):
        await store.read_entry(source[2].id)
    last = (await store.load_entries("f"))[-1]
    await store.delete("f")
    for entry in (*source, last):
        with pytest.raises(LookupError):
            await store.read_entry(entry.id)


async def test_deleting_a_fork_keeps_its_sources_entries(store: Any) -> None:
    made = await saved(store, "c", asked("1"), answered("2"), asked("3"))
    await store.branch("c", at=1, expected_revision=made.revision)
    record = await store.read_record("c")
    await store.fork("c", from_entry=record.branches[0], new_conversation_id="f")
    await store.fork("f", at=0, new_conversation_id="g")
    await store.delete("f")
    assert len(await store.read_history(record.branches[0])) == 3
    assert await texts(store, "c") == ["1"]
    assert await texts(store, "g") == []


async def test_what_is_deleted_and_made_again_has_a_new_revision(store: Any) -> None:
    await saved(store, "c", asked("1"))
    old = await store.load("c")
    await store.delete("c")
    await store.delete("c")
    with pytest.raises(ConversationConflict):
        await store.save(old)
    await saved(store, "c", asked("anew"))
    old.messages.append(answered("late"))
    with pytest.raises(ConversationConflict):
        await store.save(old)
    with pytest.raises(ConversationConflict):
        await store.delete_record("c", expected_revision=old.revision)
    assert await texts(store, "c") == ["anew"]


async def test_scopes_are_apart(store: Any) -> None:
    await saved(store, "a", asked("1"), scope="alice")
    await saved(store, "b", asked("2"), scope="bob")
    await saved(store, "n", asked("3"))
    listed = await store.list_conversations(scope="alice")
    assert [one.conversation_id for one in listed] == ["a"]
    assert await store.load("a", scope="bob") is None
    await store.delete("a", scope="bob")
    assert await texts(store, "a", scope="alice") == ["1"]
    with pytest.raises(UserError):
        await store.fork("a", source_scope="bob")
    assert (await store.fork("a", scope="bob")).conversation_id in {
        one.conversation_id for one in await store.list_conversations(scope="bob")
    }


async def test_lists_last_saved_first(store: Any) -> None:
    for name in ("a", "b", "c"):
        await saved(store, name, asked(name))
    again = await store.load("a")
    again.messages.append(answered("x"))
    await store.save(again)
    listed = [one.conversation_id for one in await store.list_conversations()]
    assert listed == ["a", "c", "b"]
    assert [one.conversation_id for one in await store.list_conversations(limit=2)] == ["a", "c"]


async def test_a_head_that_is_not_stored_is_refused(store: Any) -> None:
    record = ConversationRecord(conversation_id="c", head_id="nowhere")
    with pytest.raises(ConversationConflict):
        await store.write_record(record, expected_revision=None)
    assert await store.read_record("c") is None
    entry = ConversationEntry(parent_id=None, message=asked("1"))
    await store.write_record(
        replace(record, head_id=entry.id), new_entries=[entry], expected_revision=None
    )
    assert (await store.read_entry(entry.id)).message == entry.message


async def test_forks_made_while_the_source_is_deleted_are_whole(
    ours: DaybookConversationStore,
) -> None:
    """Forking and deleting at once: each fork is refused, or has its whole history."""
    for turn in range(4):
        source = f"c{turn}"
        await saved(ours, source, *(asked(str(number)) for number in range(20)))
        results = await asyncio.gather(
            *(ours.fork(source, new_conversation_id=f"f{turn}-{at}") for at in range(4)),
            ours.delete(source),
            return_exceptions=True,
        )
        for result in results[:4]:
            if isinstance(result, Conversation):
                assert len(await texts(ours, result.conversation_id) or ()) == 20
            else:
                assert isinstance(result, ConversationConflict | UserError)
        assert await ours.load(source) is None


async def test_nothing_of_a_deleted_conversation_is_left_in_the_book(tmp_path: Path) -> None:
    with Daybook.open(f"sqlite:///{tmp_path}/b.db") as book:
        store = DaybookConversationStore(book)
        await saved(store, "c", asked("a secret about walnuts"))
        found = book.records.search(("pydantic-ai",), query="walnuts")
        assert [hit.record.value["text"] for hit in found] == ["a secret about walnuts"]
        await store.delete("c")
        left = book.records.list(("pydantic-ai",))
        assert [one.value for one in left] == [{"deleted": True}]
        assert book.records.search(("pydantic-ai",), query="walnuts") == []


async def test_half_a_character_is_kept(ours: DaybookConversationStore) -> None:
    await saved(ours, "c", asked("half \ud800"))
    assert await texts(ours, "c") == ["half \ud800"]


WRITER = """
import asyncio, sys
from pydantic_ai.conversation_store import ConversationConflict
from pydantic_ai.messages import ModelRequest, UserPromptPart
from daybook.adapters.pydantic_ai import DaybookConversationStore

async def main(url, name):
    store = DaybookConversationStore(url, embedder=None)
    done = 0
    while done < 8:
        found = await store.load("c")
        found.messages.append(ModelRequest(parts=[UserPromptPart(content=f"{name}-{done}")]))
        try:
            await store.save(found)
        except ConversationConflict:
            continue
        done += 1
    store.close()

asyncio.run(main(*sys.argv[1:]))
"""


def _write_from_two_processes(url: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, url, name]) for name in "ab"]
    assert [writer.wait(100) for writer in writers] == [0, 0]


async def test_two_processes_that_retry_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/two.db"
    store = DaybookConversationStore(url)
    await saved(store, "c", asked("start"))
    await asyncio.to_thread(_write_from_two_processes, url)
    said = await texts(store, "c") or []
    assert sorted(said[1:]) == sorted(f"{name}-{turn}" for name in "ab" for turn in range(8))
    store.close()


async def test_an_agents_runs_remember_each_other(store: Any) -> None:
    def answer(messages: list[Any], info: AgentInfo) -> ModelResponse:
        return answered(f"{len(messages)} messages so far")

    agent = Agent(FunctionModel(answer))
    for turn in range(2):
        found = await store.load("c") or Conversation(conversation_id="c")
        result = await agent.run(f"turn {turn}", conversation=found)
        await store.save(result, scope="alice")
    said = await texts(store, "c")
    assert said == ["turn 0", "1 messages so far", "turn 1", "3 messages so far"]
    assert (await store.read_record("c")).usage.requests == 2
