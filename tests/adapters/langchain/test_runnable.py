"""The runnable, beside LangChain's: each measured loss is shown there and absent here."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec, RunnableLambda

from daybook import Daybook
from daybook.adapters.langchain import (
    DaybookChatMessageHistory,
    HistoryWriteError,
    RunnableWithMessageHistory,
)
from daybook.errors import ConfigError, InvalidInputError, StoreUnavailableError
from tests.adapters.langchain import theirs
from tests.adapters.langchain.models import ScriptedModel

CONFIG: Any = {"configurable": {"session_id": "s"}}
KINDS = {"ours": RunnableWithMessageHistory, "theirs": theirs.RunnableWithMessageHistory}
BOTH = pytest.mark.parametrize("kind", ["ours", "theirs"])


class Store:
    """Histories by session: Daybook's for ours, LangChain's in memory for theirs."""

    def __init__(self, kind: str, book: Daybook) -> None:
        self.kind, self.book = kind, book
        self.kept: dict[str, Any] = {}

    def history(self, session_id: str) -> Any:
        if session_id not in self.kept:
            made: Any = theirs.InMemoryChatMessageHistory()
            if self.kind == "ours":
                made = DaybookChatMessageHistory(session_id, self.book)
            self.kept[session_id] = made
        return self.kept[session_id]

    def texts(self, session_id: str = "s") -> list[str]:
        return [message.text for message in self.history(session_id).messages]

    def wrap(self, runnable: Any, **options: Any) -> Any:
        return KINDS[self.kind](runnable, self.history, **options)


@pytest.fixture
def store(kind: str, book: Daybook) -> Store:
    return Store(kind, book)


def echo(said: Any) -> AIMessage:
    messages = said if isinstance(said, list) else said.to_messages()
    return AIMessage(f"re:{messages[-1].text}")


class BrokenHistory:
    """Reads, and fails to write."""

    messages: ClassVar[list[BaseMessage]] = []

    def add_messages(self, messages: list[BaseMessage]) -> None:
        raise StoreUnavailableError("gone", engine="test", operation="append")

    async def aadd_messages(self, messages: list[BaseMessage]) -> None:
        self.add_messages(messages)

    async def aget_messages(self) -> list[BaseMessage]:
        return []


@BOTH
def test_a_turn_goes_in_and_comes_out(kind: str, store: Store) -> None:
    chain = store.wrap(RunnableLambda(echo))
    assert chain.invoke("one", CONFIG).text == "re:one"
    assert asyncio.run(chain.ainvoke([HumanMessage("two")], CONFIG)).text == "re:two"
    assert store.texts() == ["one", "re:one", "two", "re:two"]


@BOTH
def test_keys_of_dicts(kind: str, store: Store) -> None:
    prompt = ChatPromptTemplate([MessagesPlaceholder("past"), ("human", "{q}")])
    model = ScriptedModel()
    chain = store.wrap(
        prompt | model | (lambda message: {"out": message, "more": 1}),
        input_messages_key="q",
        history_messages_key="past",
        output_messages_key="out",
    )
    for text in ("a", "b"):
        chain.invoke({"q": text}, CONFIG)
    assert store.texts() == ["a", "re:a", "b", "re:b"]
    assert [message.text for message in model.seen[-1]] == ["a", "re:a", "b"]


@BOTH
def test_a_failed_write_is_heard_of(kind: str) -> None:
    def broken(session_id: str) -> Any:
        return BrokenHistory()

    chain: Any = KINDS[kind](RunnableLambda(echo), broken)
    if kind == "theirs":
        assert chain.invoke("one", CONFIG).text == "re:one"  # and nobody knows
        return
    with pytest.raises(HistoryWriteError) as caught:
        chain.invoke("one", CONFIG)
    assert caught.value.output.text == "re:one"
    assert isinstance(caught.value.__cause__, StoreUnavailableError)
    with pytest.raises(HistoryWriteError):
        asyncio.run(chain.ainvoke("one", CONFIG))


def test_a_failed_write_may_be_logged_alone(caplog: pytest.LogCaptureFixture) -> None:
    chain = RunnableWithMessageHistory(
        RunnableLambda(echo), lambda session_id: BrokenHistory(), on_write_error="log"
    )
    assert chain.invoke("private words", CONFIG).text == "re:private words"
    assert "StoreUnavailableError" in caplog.text
    assert "private" not in caplog.text
    with pytest.raises(ConfigError):
        RunnableWithMessageHistory(RunnableLambda(echo), str, on_write_error="ignore")  # type: ignore[arg-type] # what is refused


@BOTH
def test_no_question_is_lost_among_turns_at_once(kind: str, store: Store) -> None:
    """Turn A ends while B runs: LangChain's then takes B's question for history."""
    a_is_done, b_runs = threading.Event(), threading.Event()

    def answer(messages: list[BaseMessage]) -> AIMessage:
        if messages[-1].text == "B":
            b_runs.set()
            assert a_is_done.wait(60)
        return AIMessage(f"re:{messages[-1].text}")

    chain = store.wrap(RunnableLambda(answer))
    turn_b = threading.Thread(target=chain.invoke, args=("B", CONFIG))
    turn_b.start()
    assert b_runs.wait(60)
    chain.invoke("A", CONFIG)
    a_is_done.set()
    turn_b.join()
    whole = store.texts() == ["A", "re:A", "B", "re:B"]
    assert whole is (kind == "ours")


@BOTH
def test_a_history_that_shrank_is_not_stored_again(kind: str, store: Store) -> None:
    for number in range(4):
        store.history("s").add_message(HumanMessage(f"old{number}"))

    def shrink(messages: list[BaseMessage]) -> AIMessage:
        store.history("s").clear()
        return AIMessage("re")

    store.wrap(RunnableLambda(shrink)).invoke("new", CONFIG)
    assert (store.texts() == ["new", "re"]) is (kind == "ours")


@BOTH
def test_an_agent_that_returns_all_messages_adds_its_own_alone(kind: str, store: Store) -> None:
    agent = create_agent(ScriptedModel(), [])
    chain = store.wrap(agent, input_messages_key="messages", output_messages_key="messages")
    for text in ("1", "2", "3"):
        chain.invoke({"messages": [HumanMessage(text)]}, CONFIG)
    grown = len(store.texts())
    assert (grown == 6) is (kind == "ours")
    if kind == "ours":
        assert store.texts() == ["1", "re:1", "2", "re:2", "3", "re:3"]
        chunks = list(chain.stream({"messages": [HumanMessage("4")]}, CONFIG))
        assert chunks
        assert store.texts()[6:] == ["4", "re:4"]


@BOTH
def test_a_stream_is_stored_as_a_message(kind: str, store: Store) -> None:
    used = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    answer: Callable[..., AIMessage] = lambda _: AIMessage("two words", usage_metadata=used)  # noqa: E731
    chain = store.wrap(ScriptedModel(answer=answer))
    assert len(list(chain.stream("one", CONFIG))) >= 2
    stored: Any = store.history("s").messages[-1]
    assert stored.text == "two words"
    assert (type(stored) is AIMessage) is (kind == "ours")
    if kind == "ours":
        assert stored.usage_metadata == used
    else:
        assert isinstance(stored, AIMessageChunk)


@BOTH
def test_a_parsed_answer_keeps_id_and_usage(kind: str, store: Store) -> None:
    used = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    answer: Callable[..., AIMessage] = lambda _: AIMessage("yes", id="m1", usage_metadata=used)  # noqa: E731
    chain = store.wrap(ScriptedModel(answer=answer) | StrOutputParser())
    assert chain.invoke("one", CONFIG) == "yes"
    stored: Any = store.history("s").messages[-1]
    assert ((stored.id, stored.usage_metadata) == ("m1", used)) is (kind == "ours")


@BOTH
@pytest.mark.parametrize("way", ["sync", "async"])
def test_what_was_said_before_a_stream_was_left_can_be_kept(
    kind: str, way: str, store: Store
) -> None:
    options = {"save_partial": True} if kind == "ours" else {}
    chain = store.wrap(ScriptedModel(answer=lambda _: AIMessage("one two three")), **options)
    if way == "sync":
        stream = chain.stream("go", CONFIG)
        next(stream)
        next(stream)
        stream.close()
    else:

        async def leave() -> None:
            pieces = chain.astream("go", CONFIG)
            await anext(pieces)
            await anext(pieces)
            await pieces.aclose()

        asyncio.run(leave())
    assert (store.texts() == ["go", "one two"]) is (kind == "ours")
    if kind == "ours":
        assert store.history("s").messages[-1].response_metadata["partial"] is True


@BOTH
def test_an_async_factory_is_awaited(kind: str, book: Daybook) -> None:
    async def factory(session_id: str) -> Any:
        return DaybookChatMessageHistory(session_id, book)

    chain: Any = KINDS[kind](RunnableLambda(echo), factory)

    def forget() -> None:
        with pytest.raises(AttributeError):
            asyncio.run(chain.ainvoke("one", CONFIG))
        gc.collect()  # now, and not in some later test

    if kind == "theirs":
        with pytest.warns(RuntimeWarning, match="never awaited"):
            forget()
        return
    asyncio.run(chain.ainvoke("one", CONFIG))
    chain.invoke("two", CONFIG)
    assert len(book.history.list("s")) == 4


async def test_a_slow_factory_keeps_no_loop_waiting(book: Daybook) -> None:
    loop_turned = threading.Event()

    def connect(session_id: str) -> DaybookChatMessageHistory:
        assert loop_turned.wait(60)  # LangChain's calls this on the loop, where it never turns
        return DaybookChatMessageHistory(session_id, book)

    chain = RunnableWithMessageHistory(RunnableLambda(echo), connect)
    run = asyncio.create_task(chain.ainvoke("one", CONFIG))
    await asyncio.sleep(0)
    loop_turned.set()
    assert (await run).text == "re:one"


@pytest.mark.parametrize("way", ["batch", "abatch"])
def test_inputs_of_one_batch_are_turns_in_order(way: str, book: Daybook) -> None:
    model = ScriptedModel()
    chain = RunnableWithMessageHistory(model, book)
    texts = [str(number) for number in range(6)]
    configs: Any = [{"configurable": {"session_id": "ab"[int(text) % 2]}} for text in texts]
    if way == "batch":
        outputs = chain.batch(texts, configs)
    else:
        outputs = asyncio.run(chain.abatch(texts, configs))
    assert [output.text for output in outputs] == [f"re:{text}" for text in texts]
    said = [message.text for message in book.history.list("a")]
    assert said == ["0", "re:0", "2", "re:2", "4", "re:4"]
    assert max(len(seen) for seen in model.seen) == 5  # each saw the turns before it


def test_one_turn_at_a_time_sees_the_turns_before(book: Daybook) -> None:
    model = ScriptedModel()
    chain = RunnableWithMessageHistory(model, book, one_turn_at_a_time=True)
    threads = [threading.Thread(target=chain.invoke, args=(str(at), CONFIG)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(seen) for seen in model.seen) == [1, 3, 5, 7]


def test_an_error_passes_and_stores_nothing_unless_asked(book: Daybook) -> None:
    def fail(_: Any) -> AIMessage:
        raise RuntimeError("model")

    for partial, count in ((False, 0), (True, 1)):
        chain = RunnableWithMessageHistory(RunnableLambda(fail), book, save_partial=partial)
        with pytest.raises(RuntimeError, match="model"):
            chain.invoke("q", CONFIG)
        assert len(book.history.list("s")) == count


def test_several_fields_name_a_session(book: Daybook) -> None:
    def factory(user_id: str, talk: str) -> DaybookChatMessageHistory:
        return DaybookChatMessageHistory(talk, book, user_id=user_id)

    specs = [ConfigurableFieldSpec(id=name, annotation=str) for name in ("user_id", "talk")]
    chain = RunnableWithMessageHistory(RunnableLambda(echo), factory, history_factory_config=specs)
    chain.invoke("q", {"configurable": {"user_id": "ann", "talk": "t"}})
    assert len(book.history.list("t", user_id="ann")) == 2
    with pytest.raises(InvalidInputError, match="talk"):
        chain.invoke("q", {"configurable": {"user_id": "ann"}})
    assert {spec.id for spec in chain.config_specs} == {"user_id", "talk"}


def test_an_input_that_brings_the_whole_talk_adds_what_is_new(book: Daybook) -> None:
    chain = RunnableWithMessageHistory(RunnableLambda(echo), book)
    first = HumanMessage("one", id="1")
    chain.invoke([first], CONFIG)
    chain.invoke([first, HumanMessage("two", id="2")], CONFIG)
    texts = [message.text for message in book.history.list("s")]
    assert texts == ["one", "re:one", "two", "re:two"]


def test_what_is_no_message_is_refused(book: Daybook) -> None:
    chain = RunnableWithMessageHistory(RunnableLambda(echo), book)
    with pytest.raises(InvalidInputError, match="int"):
        chain.invoke(3, CONFIG)
    with pytest.raises(InvalidInputError, match="session_id"):
        chain.invoke("q")
    unnamed = RunnableWithMessageHistory(RunnableLambda(echo), book, history_messages_key="past")
    with pytest.raises(InvalidInputError, match="input_messages_key"):
        unnamed.invoke("q", CONFIG)
    named = RunnableWithMessageHistory(
        RunnableLambda(lambda given: AIMessage(f"re:{given['q']}")),
        book,
        input_messages_key="q",
        history_messages_key="past",
    )
    assert named.invoke("text", CONFIG).text == "re:text"


async def test_one_turn_at_a_time_on_an_event_loop(book: Daybook) -> None:
    model = ScriptedModel()
    chain = RunnableWithMessageHistory(model, book, one_turn_at_a_time=True)
    await asyncio.gather(*(chain.ainvoke(str(at), CONFIG) for at in range(4)))
    assert sorted(len(seen) for seen in model.seen) == [1, 3, 5, 7]


async def test_a_cancelled_run_keeps_the_question_if_asked(book: Daybook) -> None:
    began = asyncio.Event()

    async def wait(_: Any) -> AIMessage:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    chain = RunnableWithMessageHistory(RunnableLambda(wait), book, save_partial=True)
    run = asyncio.create_task(chain.ainvoke("q", CONFIG))
    await began.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [message.text for message in book.history.list("s")] == ["q"]
