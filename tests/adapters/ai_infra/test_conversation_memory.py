from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from daybook import Daybook, Message
from daybook.adapters.ai_infra.conversation_chunks import Chunking
from daybook.adapters.ai_infra.memory import ConversationMemory
from daybook.errors import InvalidInputError

TOPICS = ("the JWT token expired", "the sourdough did not rise", "the kite lost its tail")


def talk(turns: int, topic: str = TOPICS[0]) -> list[dict[str, Any]]:
    said = [(f"question {at}: {topic}", f"answer {at}") for at in range(turns)]
    return [
        {"role": role, "content": text}
        for pair in said
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]


@pytest.fixture
def memory() -> Iterator[ConversationMemory]:
    with ConversationMemory(chunk_size=4, chunk_overlap=1) as made:
        yield made


def test_ten_messages_are_one_chunk_of_ten() -> None:
    with ConversationMemory() as memory:
        assert len(memory.index_conversation("u", "s", talk(5))) == 1
        assert len(memory.index_conversation("u", "s", talk(6))) == 2


@given(st.integers(1, 60), st.integers(1, 12), st.data())
def test_chunks_cover_everything_and_none_is_overlap_alone(
    messages: int, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    chunking = Chunking(size, overlap)
    spans = [chunking.span(at, messages) for at in range(chunking.count(messages))]
    assert spans[0][0] == 0
    assert spans[-1][1] == messages
    for (_, end), (start, later) in pairwise(spans):
        assert end - start == overlap
        assert later > end
    for place in range(messages):
        start, end = chunking.span(chunking.index_of(place, messages), messages)
        assert start <= place < end


def test_search_finds_the_chunk_and_its_session(memory: ConversationMemory) -> None:
    for at, topic in enumerate(TOPICS):
        memory.index_conversation("u", f"s{at}", talk(2, topic), metadata={"topic": topic})
    (best, *_) = memory.search(user_id="u", query="why did the bread not rise?", limit=3)
    assert best.chunk.session_id == "s1"
    assert best.chunk.metadata == {"topic": TOPICS[1]}
    assert best.context.startswith(f"[Topic: {TOPICS[1]}]\n\nHuman: question 0: ")
    assert best.chunk.text in best.context
    assert 0 < best.score < 1
    assert best.chunk.score == best.score


def test_results_are_distinct_chunks_and_a_limit_counts_within_a_session(
    memory: ConversationMemory,
) -> None:
    for at in range(6):
        memory.index_conversation("u", f"s{at}", talk(8))
    found = memory.search("u", "the expired token", limit=3, session_id="s5")
    assert [one.chunk.session_id for one in found] == ["s5"] * 3
    assert len({one.chunk.chunk_id for one in found}) == 3
    assert len(memory.search("u", "the expired token", limit=12)) == 12


def test_min_score_and_users_part_results(memory: ConversationMemory) -> None:
    memory.index_conversation("u", "s", talk(2))
    memory.index_conversation("other", "s", talk(2, TOPICS[1]))
    assert memory.search("u", "token", min_score=1.0) == []
    assert {one.chunk.user_id for one in memory.search("u", "sourdough token")} == {"u"}
    assert memory.search("nobody", "token") == []


def test_indexing_again_adds_what_is_new(memory: ConversationMemory) -> None:
    first = memory.index_conversation("u", "s", talk(3), metadata={"date": "today"})
    assert memory.index_conversation("u", "s", talk(3)) == first
    longer = memory.index_conversation("u", "s", talk(5))
    assert longer[: len(first)] == first
    assert memory.index_conversation("u", "s", talk(5)[-2:]) == longer  # its newest part
    assert memory.index_conversation("u", "s", talk(2)) == longer  # an older copy
    more = [*talk(5)[-2:], {"role": "user", "content": "and then?"}]
    memory.index_conversation("u", "s", more)
    found = memory.search("u", "and then?", limit=50)
    said = {message.text for one in found for message in one.chunk.messages}
    assert len(said) == 11
    assert found[0].chunk.metadata == {"date": "today"}


def test_turns_handed_in_one_by_one_are_all_kept(memory: ConversationMemory) -> None:
    for at in range(3):
        turn = [{"role": "user", "content": f"turn {at}"}, {"role": "ai", "content": "ok"}]
        memory.index_conversation("u", "s", turn)
        memory.index_conversation("u", "s", turn)  # tried again
    found = memory.search("u", "turn", limit=9)
    said = [message.text for one in found for message in one.chunk.messages]
    assert {"turn 0", "turn 1", "turn 2"} <= set(said)
    assert len(memory.index_conversation("u", "s", [{"role": "user", "content": "end"}])) == 2


def test_an_edited_conversation_replaces_what_was_stored(memory: ConversationMemory) -> None:
    memory.index_conversation("u", "s", talk(3))
    edited = [*talk(3)[:-1], {"role": "assistant", "content": "no: the kite lost its tail"}]
    memory.index_conversation("u", "s", edited)
    found = memory.search("u", "answer", limit=20)
    said = [message.text for one in found for message in one.chunk.messages]
    assert "no: the kite lost its tail" in said
    assert "answer 2" not in said


def test_langchain_messages_come_back_whole(memory: ConversationMemory) -> None:
    call = {"id": "c1", "name": "look", "args": {"at": "sky"}, "type": "tool_call"}
    given = [
        SystemMessage("not kept"),
        HumanMessage([{"type": "text", "text": "which colour is the sky?"}]),
        AIMessage("", id="lc_run--1", tool_calls=[call]),
        ToolMessage("blue", tool_call_id="c1", artifact={"rgb": [0, 0, 255]}),
    ]
    memory.index_conversation("u", "s", given)
    (found,) = memory.search("u", "the sky's colour")
    assert found.chunk.messages == given[1:]
    assert all(isinstance(message, BaseMessage) for message in found.chunk.messages)
    assert found.chunk.text.splitlines() == [
        "Human: which colour is the sky?",
        'Assistant: (calls look with {"at":"sky"})',
        "Tool: blue",
    ]


def test_summaries_are_of_their_chunk_and_made_once(memory: ConversationMemory) -> None:
    asked: list[str] = []

    def model(messages: tuple[Message, ...]) -> str:
        asked.append(messages[-1].text)
        return f"Summary {len(asked)}"

    with ConversationMemory(
        chunk_size=4, chunk_overlap=1, include_summary=True, llm=model
    ) as summing:
        summing.index_conversation("u", "s", talk(2))
        summing.index_conversation("u", "s", talk(2))
        assert len(asked) == 1
        summing.index_conversation("u", "s", talk(3))
        assert len(asked) == 2  # the second chunk is new, the first as it was
        (found,) = summing.search("u", "question 0", limit=1)
        assert found.chunk.summary == "Summary 1"
        assert "Summary: Summary 1" in found.context
        assert summing.delete_conversation("u", "s") == 2


def test_deletion_counts_chunks_and_leaves_other_conversations() -> None:
    with (
        Daybook.open("inmemory://") as book,
        ConversationMemory(url=book, chunk_size=4, chunk_overlap=0) as memory,
    ):
        chat = book.sessions.create(user_id="u")
        book.history.append(chat.id, Message.user("the kite lost its tail"))
        memory.index_conversation("u", "s1", talk(4))
        memory.index_conversation("u", "s2", talk(2))
        found = memory.search("u", "kite", limit=1)  # of a session that other code keeps
        assert found[0].chunk.session_id == chat.id
        assert memory.delete_conversation("u", "s1") == 2
        assert memory.delete_conversation("u", "s1") == 0
        assert memory.delete_user_conversations("u") == 1
        assert book.sessions.get(chat.id) is not None


async def test_async_twins(memory: ConversationMemory) -> None:
    ids = await memory.aindex_conversation(user_id="u", session_id="s", messages=talk(2))
    found = await memory.asearch(user_id="u", query="token")
    assert [one.chunk.chunk_id for one in found] == ids
    assert found == memory.search("u", "token")
    assert await memory.adelete_conversation("u", "s") == 1
    assert await memory.adelete_user_conversations("u") == 0


def test_a_file_is_found_again(tmp_path: Path) -> None:
    path = str(tmp_path / "conversations.db")
    with ConversationMemory(backend="sqlite", path=path) as memory:
        memory.index_conversation("u", "s", talk(2))
    with ConversationMemory.sqlite(path) as again:
        assert [one.chunk.session_id for one in again.search("u", "token")] == ["s"]


def test_wrong_arguments_are_refused(memory: ConversationMemory) -> None:
    with pytest.raises(InvalidInputError):
        ConversationMemory(chunk_size=2, chunk_overlap=2)
    with pytest.raises(InvalidInputError):
        memory.index_conversation("u", "s", "text")
    with pytest.raises(InvalidInputError):
        memory.index_conversation("u", "s", [...])
    assert memory.index_conversation("u", "s", [SystemMessage("only this")]) == []


def test_what_is_kept_beside_conversations_is_no_memory_of_the_users() -> None:
    with (
        Daybook.open("inmemory://") as book,
        ConversationMemory(url=book, include_summary=True, llm=lambda _: "S") as memory,
    ):
        memory.index_conversation("u", "s", talk(1))
        assert memory.search("u", "token")[0].chunk.summary == "S"
        assert book.records.list(("u",)) == []
        assert memory.delete_conversation("u", "s") == 1
        assert book.records.list() == []
