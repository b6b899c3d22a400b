"""LangGraph's own savers write threads; ours are the sessions that are made of them."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from daybook import AsyncDaybook
from daybook.adapters.langchain import to_langchain
from daybook.errors import InvalidInputError
from daybook.importers.langgraph_threads import import_threads
from daybook.importers.run import import_file

RICH: list[BaseMessage] = [
    SystemMessage("Be brief.", id="m0"),
    HumanMessage([{"type": "text", "text": "hi é\x00"}, {"type": "image", "url": "u"}], id="m1"),
    AIMessage(
        "",
        id="m2",
        name="bot",
        tool_calls=[{"name": "f", "args": {"x": [1, {"y": 2.5}]}, "id": "c1", "type": "tool_call"}],
        usage_metadata={
            "input_tokens": 7,
            "output_tokens": 3,
            "total_tokens": 10,
            "input_token_details": {"cache_read": 2},
        },
        response_metadata={"model_name": "m"},
        additional_kwargs={"k": [1]},
    ),
    ToolMessage("ok", id="m3", tool_call_id="c1", artifact={"rows": [1, 2]}, status="error"),
    ChatMessage(content="aside", id="m4", role="narrator"),
    AIMessage("done", id="m5"),
]


class Talk:
    """A graph that says what it is told to say."""

    def __init__(self, saver: Any) -> None:
        self.answers: list[BaseMessage] = []
        graph = StateGraph(MessagesState).add_node("say", self._say).add_edge(START, "say")
        self.graph = graph.compile(checkpointer=saver)

    def _say(self, _: MessagesState) -> dict[str, Any]:
        return {"messages": self.answers}

    def turn(
        self,
        thread: str,
        said: list[BaseMessage],
        answers: list[BaseMessage],
        **configurable: Any,
    ) -> None:
        self.answers = answers
        config = {"configurable": {"thread_id": thread, **configurable}}
        self.graph.invoke({"messages": said}, config)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """A saver, and how the importer names it."""
    if request.param == "memory":
        saver = InMemorySaver()
        yield saver, saver
    elif request.param == "sqlite":
        path = tmp_path / "checkpoints.db"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            saver.setup()
            yield saver, path
    else:
        url, schema = request.getfixturevalue("postgres_url"), f"threads{uuid4().hex}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        own = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
        with PostgresSaver.from_conn_string(own) as saver:
            saver.setup()
            yield saver, own


async def _messages(book: AsyncDaybook, thread: str) -> list[BaseMessage]:
    return [to_langchain(message) for message in await book.history.list(thread)]


async def test_threads_come_whole_and_only_once(place: tuple[Any, Any]) -> None:
    saver, source = place
    talk = Talk(saver)
    talk.turn("t/1", RICH[:2], RICH[2:4], user_id="alice")
    talk.turn("t/1", RICH[4:5], RICH[5:], user_id="alice")
    talk.turn("t2", [HumanMessage("x", id="x")], [AIMessage("y", id="y")])
    async with AsyncDaybook.open("inmemory://") as book:
        report = await import_threads(book, source)
        assert (report.sessions, report.messages, report.bad_count) == (2, 8, 0)
        assert report.users == ("alice", "me")
        assert await _messages(book, "t/1") == RICH
        assert await book.sessions.get("t/1", user_id="alice") is not None
        first = (await book.history.list("t/1"))[0]
        assert first.created_at is not None
        again = await import_threads(book, source)
        assert (again.new_sessions, again.messages, again.duplicates) == (0, 0, 8)
        talk.turn("t2", [HumanMessage("z", id="z")], [AIMessage("w", id="w")])
        more = await import_threads(book, source)
        assert (more.messages, more.duplicates) == (2, 8)
        assert [message.text for message in await book.history.list("t2")] == ["x", "y", "z", "w"]


async def test_what_was_summarised_away_is_there_and_an_abandoned_branch_is_not(
    place: tuple[Any, Any],
) -> None:
    saver, source = place
    talk = Talk(saver)
    talk.turn("t", [HumanMessage("one", id="1")], [AIMessage("two", id="2")])
    before = talk.graph.get_state({"configurable": {"thread_id": "t"}}).config
    talk.turn("t", [HumanMessage("wrong", id="3")], [AIMessage("path", id="4")])
    at = {"checkpoint_id": before["configurable"]["checkpoint_id"], "checkpoint_ns": ""}
    talk.turn("t", [HumanMessage("right", id="5")], [RemoveMessage(id="1")], **at)
    talk.turn("t", [HumanMessage("edited", id="5")], [AIMessage("end", id="6")])
    async with AsyncDaybook.open("inmemory://") as book:
        await import_threads(book, source, user_id="bob")
        texts = [message.text for message in await book.history.list("t", user_id="bob")]
        assert texts == ["one", "two", "edited", "end"]


async def test_nothing_is_unpickled_and_the_rest_is_imported(tmp_path: Path) -> None:
    """A pickle that would leave a mark leaves none; the thread's sound checkpoints come."""
    path, mark = tmp_path / "checkpoints.db", tmp_path / "mark"

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (mark,))

    with SqliteSaver.from_conn_string(str(path)) as saver:
        talk = Talk(saver)
        talk.turn("t", [HumanMessage("one", id="1")], [AIMessage("two", id="2")])
        talk.turn("u", [HumanMessage("three", id="3")], [AIMessage("four", id="4")])
    with closing(sqlite3.connect(path)) as connection, connection:
        newest = "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = 't')"
        change = f"UPDATE checkpoints SET type = ?, checkpoint = ? WHERE checkpoint_id = {newest}"  # noqa: S608
        connection.execute(change, ("pickle", pickle.dumps(Trap())))
    async with AsyncDaybook.open("inmemory://") as book:
        report = await import_file(book, path)
        assert not mark.exists()
        assert (report.format, report.messages, report.bad_count) == ("langgraph", 3, 1)
        assert "pickled" in report.bad_records[0].reason
        for damage in (b"\xc1", b"\x81", b"", b"\x93\x01"):
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(change, ("msgpack", damage))
            assert (await import_file(book, path)).bad_count == 1
        for kind in ("msgpack+aes", "new"):
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(change, (kind, b"x"))
            assert (await import_file(book, path)).bad_count == 1


async def test_what_is_no_saver_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE t (x)")
    async with AsyncDaybook.open("inmemory://") as book:
        for source in (tmp_path / "other.db", tmp_path / "none.db", 7):
            with pytest.raises(InvalidInputError):
                await import_threads(book, source)
        with pytest.raises(InvalidInputError):
            await import_file(book, tmp_path / "other.db")
    assert not (tmp_path / "none.db").exists()
