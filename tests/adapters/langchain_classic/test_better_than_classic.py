"""What langchain_classic's memories lose over storage that lasts, each shown on both sides."""

from __future__ import annotations

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import HumanMessage
from langchain_core.vectorstores import InMemoryVectorStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_classic import memory as theirs
    from langchain_community.chat_message_histories import FileChatMessageHistory

from daybook.adapters import langchain_classic as ours
from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.adapters.langchain_classic.model_calls import tokens_of
from tests.adapters.langchain_classic.scripted import Scripted

pytestmark = pytest.mark.filterwarnings("ignore")

TURNS = [(f"question number {at}", f"answer number {at}") for at in range(3)]
LIMIT = 40  # letters: one turn fits, two do not


def save(memory: Any) -> Any:
    for said, answered in TURNS:
        memory.save_context({"input": said}, {"output": answered})
    return memory


async def asave(memory: Any) -> Any:
    for said, answered in TURNS:
        await memory.asave_context({"input": said}, {"output": answered})
    return memory


def in_file(tmp_path: Path) -> FileChatMessageHistory:
    return FileChatMessageHistory(str(tmp_path / "chat.json"))


def letters(memory: Any) -> int:
    return sum(len(message.text) for message in memory.buffer_as_messages)


class TestTokenBuffer:
    def test_theirs_prunes_nothing_that_lasts(self, tmp_path: Path) -> None:
        memory = save(
            theirs.ConversationTokenBufferMemory(
                llm=Scripted(), max_token_limit=LIMIT, chat_memory=in_file(tmp_path)
            )
        )
        assert letters(memory) > LIMIT

    def test_theirs_prunes_nothing_when_awaited(self) -> None:
        memory = theirs.ConversationTokenBufferMemory(llm=Scripted(), max_token_limit=LIMIT)
        assert letters(asyncio.run(asave(memory))) > LIMIT

    @pytest.mark.parametrize("awaited", [False, True])
    def test_ours_prunes_the_view_and_keeps_what_was_said(
        self, history: DaybookChatMessageHistory, awaited: bool
    ) -> None:
        memory = ours.ConversationTokenBufferMemory(
            llm=Scripted(), max_token_limit=LIMIT, chat_memory=history
        )
        _ = asyncio.run(asave(memory)) if awaited else save(memory)
        assert letters(memory) <= LIMIT
        assert memory.buffer == "Human: question number 2\nAI: answer number 2"
        assert len(history.messages) == 6
        again = ours.ConversationTokenBufferMemory(
            llm=Scripted(), max_token_limit=LIMIT, chat_memory=history
        )
        assert again.buffer == memory.buffer


class TestSummary:
    def test_theirs_is_lost_on_restart_and_when_awaited(self, tmp_path: Path) -> None:
        made = save(theirs.ConversationSummaryMemory(llm=Scripted(), chat_memory=in_file(tmp_path)))
        assert made.buffer == "summary 3"
        again = theirs.ConversationSummaryMemory(llm=Scripted(), chat_memory=in_file(tmp_path))
        assert again.buffer == ""
        awaited = theirs.ConversationSummaryMemory(llm=Scripted())
        assert asyncio.run(asave(awaited)).buffer == ""

    @pytest.mark.parametrize("awaited", [False, True])
    def test_ours_is_kept(self, url: str, awaited: bool) -> None:
        memory = ours.ConversationSummaryMemory(llm=Scripted(), session_id="s1", url=url)
        _ = asyncio.run(asave(memory)) if awaited else save(memory)
        again = ours.ConversationSummaryMemory(llm=Scripted(), session_id="s1", url=url)
        assert memory.buffer == again.buffer == "summary 3"
        assert asyncio.run(again.abuffer()) == "summary 3"

    def test_a_turn_whose_summary_failed_is_in_the_next_one(
        self, history: DaybookChatMessageHistory
    ) -> None:
        class Fails(Scripted):
            def _call(self, *_: Any, **__: Any) -> str:
                raise ConnectionError

        broken = ours.ConversationSummaryMemory(llm=Fails(), chat_memory=history)
        with pytest.raises(ConnectionError):
            broken.save_context({"input": "first"}, {"output": "one"})
        llm = Scripted()
        memory = ours.ConversationSummaryMemory(llm=llm, chat_memory=history)
        memory.save_context({"input": "second"}, {"output": "two"})
        assert "Human: first\nAI: one\nHuman: second\nAI: two" in llm.asked[0]

    def test_from_messages_goes_on_where_a_summary_ends(
        self, history: DaybookChatMessageHistory
    ) -> None:
        history.add_messages([HumanMessage(f"m{at}") for at in range(5)])
        first, second = Scripted(), Scripted()
        made = ours.ConversationSummaryMemory.from_messages(first, history)
        assert (len(first.asked), made.buffer) == (3, "summary 3")
        again = ours.ConversationSummaryMemory.from_messages(second, history)
        assert (second.asked, again.buffer) == ([], "summary 3")


class TestSummaryBuffer:
    def test_theirs_summarises_everything_again_with_every_turn(self, tmp_path: Path) -> None:
        llm = Scripted()
        memory = theirs.ConversationSummaryBufferMemory(
            llm=llm, max_token_limit=LIMIT, chat_memory=in_file(tmp_path), return_messages=True
        )
        save(memory)
        assert "question number 0" in llm.asked[-1]
        assert sum("question number 0" in prompt for prompt in llm.asked) > 1
        assert len(memory.buffer) == 7  # nothing was pruned

    @pytest.mark.parametrize("awaited", [False, True])
    def test_ours_summarises_each_message_once(
        self, history: DaybookChatMessageHistory, awaited: bool
    ) -> None:
        llm = Scripted()
        memory = ours.ConversationSummaryBufferMemory(
            llm=llm, max_token_limit=LIMIT, chat_memory=history, return_messages=True
        )
        _ = asyncio.run(asave(memory)) if awaited else save(memory)
        for said, _ in TURNS[:2]:
            assert sum(said in prompt for prompt in llm.asked) == 1
        assert [one.text for one in memory.buffer] == ["summary 2", *TURNS[2]]
        assert memory.moving_summary_buffer == "summary 2"
        assert len(history.messages) == 6
        memory.prune()
        asyncio.run(memory.aprune())
        assert len(llm.asked) == 2

    def test_two_writers_lose_no_message(self, url: str) -> None:
        prompts: list[str] = []

        class Echo(Scripted):
            def _call(self, prompt: str, *_: Any, **__: Any) -> str:
                prompts.append(prompt)
                return prompt  # so that what was folded in stays visible

        def turn(at: int) -> None:
            memory = ours.ConversationSummaryBufferMemory(
                llm=Echo(), max_token_limit=LIMIT, session_id="s1", url=url
            )
            memory.save_context({"input": f"<q{at}>"}, {"output": "answer " * 4})

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(turn, range(12)))
        memory = ours.ConversationSummaryBufferMemory(
            llm=Echo(), max_token_limit=LIMIT, session_id="s1", url=url
        )
        text = memory.buffer
        assert [text.count(f"<q{at}>") for at in range(12)] == [1] * 12


class TestEntities:
    def test_theirs_learns_nothing_without_a_load_and_forgets_on_restart(self) -> None:
        memory = theirs.ConversationEntityMemory(llm=Scripted(names="Ann"))
        memory.save_context({"input": "Ann is in Oslo"}, {"output": "ok"})
        assert not memory.entity_store.exists("Ann")

    @pytest.mark.parametrize("awaited", [False, True])
    def test_ours_keeps_what_is_known(self, url: str, awaited: bool) -> None:
        def made() -> Any:
            llm = Scripted(names="Ann,, Ann")
            return ours.ConversationEntityMemory(llm=llm, session_id="s1", url=url)

        memory = made()
        turn = {"input": "Ann is in Oslo"}, {"output": "ok"}
        _ = asyncio.run(memory.asave_context(*turn)) if awaited else memory.save_context(*turn)
        assert made().load_memory_variables({"input": "Ann?"})["entities"] == {"Ann": "summary 2"}
        assert memory.entity_store.exists("Ann")
        memory.clear()
        assert not memory.entity_store.exists("Ann")

    def test_another_store_of_entities_serves(self) -> None:
        store = theirs.InMemoryEntityStore()
        memory = ours.ConversationEntityMemory(llm=Scripted(names="Ann"), entity_store=store)
        memory.save_context({"input": "Ann is in Oslo"}, {"output": "ok"})
        assert store.get("Ann") == "summary 2"

    def test_entities_of_a_user_are_shared_by_sessions(self, url: str) -> None:
        one, other = (
            ours.DaybookEntityStore(DaybookChatMessageHistory(session, url), owner="u")
            for session in ("s1", "s2")
        )
        one.set("Ann", "is in Oslo")
        assert other.get("Ann") == "is in Oslo"
        other.delete("Ann")
        assert one.get("Ann", "nothing") == "nothing"


class TestVectorStore:
    def test_theirs_forgets_nothing(self) -> None:
        memory = theirs.VectorStoreRetrieverMemory(retriever=_store().as_retriever())
        memory.save_context({"input": "tea"}, {"output": "ok"})
        memory.clear()
        assert memory.load_memory_variables({"input": "tea"})["history"]

    @pytest.mark.parametrize("awaited", [False, True])
    def test_ours_forgets_in_their_store_too(self, awaited: bool) -> None:
        memory = ours.VectorStoreRetrieverMemory(
            retriever=_store().as_retriever(), exclude_input_keys=["secret"], input_key="input"
        )
        turn = {"input": "tea", "secret": "x"}, {"output": "ok"}
        if awaited:
            asyncio.run(memory.asave_context(*turn))
            assert asyncio.run(memory.aload_memory_variables(turn[0])) == {
                "history": "input: tea\noutput: ok"
            }
            asyncio.run(memory.aclear())
        else:
            memory.save_context(*turn)
            assert memory.load_memory_variables(turn[0]) == {"history": "input: tea\noutput: ok"}
            memory.clear()
        assert memory.load_memory_variables(turn[0]) == {"history": ""}

    @pytest.mark.parametrize("awaited", [False, True])
    def test_ours_needs_no_vector_store(self, url: str, awaited: bool) -> None:
        def made() -> Any:
            return ours.VectorStoreRetrieverMemory(user_id="u", url=url, k=1, return_docs=True)

        memory = made()
        for said in ("my dog is called Rex", "I bake sourdough bread"):
            turn = {"input": said}, {"output": "ok"}
            _ = asyncio.run(memory.asave_context(*turn)) if awaited else memory.save_context(*turn)
        asked = {"input": "what is the dog's name?"}
        (found,) = made().load_memory_variables(asked)["history"]
        assert found.page_content == "input: my dog is called Rex\noutput: ok"
        _ = asyncio.run(memory.aclear()) if awaited else memory.clear()
        assert asyncio.run(made().aload_memory_variables(asked))["history"] == []


def _store() -> InMemoryVectorStore:
    return InMemoryVectorStore(DeterministicFakeEmbedding(size=8))


def test_window_reads_only_what_it_shows(history: DaybookChatMessageHistory) -> None:
    memory = ours.ConversationBufferWindowMemory(k=1, chat_memory=history)
    save(memory)
    assert memory.buffer == "Human: question number 2\nAI: answer number 2"
    assert len(history.messages) == 6
    memory.k = 0
    assert memory.buffer == ""


def test_a_history_of_another_library_serves(tmp_path: Path) -> None:
    memory = ours.ConversationSummaryBufferMemory(
        llm=Scripted(), max_token_limit=LIMIT, chat_memory=in_file(tmp_path)
    )
    save(memory)
    assert memory.buffer.startswith("System: summary 2\nHuman: question number 2")
    memory.clear()
    assert memory.buffer == ""


def test_conversations_without_a_name_are_apart() -> None:
    one, other = ours.ConversationBufferMemory(), ours.ConversationBufferMemory()
    one.save_context({"input": "hi"}, {"output": "hello"})
    assert other.buffer == ""


def test_a_model_that_counts_nothing_is_estimated_without_a_network() -> None:
    llm = FakeListLLM(responses=["the summary"])
    said = [HumanMessage("one two three"), HumanMessage("four")]
    assert 5 < tokens_of(llm, said) < 20
    counted = FakeListLLM(responses=[""], custom_get_token_ids=lambda text: [0] * len(text))
    assert tokens_of(counted, said) == len("Human: one two three" + "Human: four")
    assert tokens_of(llm, []) == 0
