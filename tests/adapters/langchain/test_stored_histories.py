"""LangChain's own histories write, on their real servers; the importer reads what they wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import botocore.session
import psycopg
import pymongo
import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from daybook import AsyncDaybook
from daybook.adapters.langchain import SQLChatMessageHistory, to_langchain
from daybook.errors import InvalidInputError, StoreUnavailableError
from daybook.importers.langchain_histories import import_histories
from daybook.importers.langchain_redis import rows_of_client
from daybook.importers.langchain_rows import read_rows
from daybook.importers.run import import_file
from daybook.importers.source import BadRecord, ImportedMessage
from tests.adapters.langchain import theirs
from tests.servers.dynamodb import REGION

RICH: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage([{"type": "text", "text": "hi é"}, {"type": "image", "url": "u"}], name="Ann"),
    AIMessage(
        "",
        id="run-2",
        tool_calls=[{"name": "f", "args": {"x": [1, {"y": 2}]}, "id": "c1", "type": "tool_call"}],
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
    AIMessage(
        "",
        invalid_tool_calls=[
            {"name": "f", "args": "{", "id": "c2", "error": None, "type": "invalid_tool_call"}
        ],
    ),
    ChatMessage(content="aside", role="narrator"),
    FunctionMessage(content="42", name="add"),
    HumanMessage("again"),
    HumanMessage("again"),
    AIMessage("done"),
]
Make = Callable[[str], Any]


class Place:
    """Where an incumbent keeps histories, and how the importer is told of it."""

    def __init__(self, make: Make, source: str | Path, table: str | None = None) -> None:
        self.make, self.source, self.table = make, source, table


def _sqlite(request: pytest.FixtureRequest, stack: ExitStack) -> Place:
    _ = stack
    url = f"sqlite:///{request.getfixturevalue('tmp_path')}/chat.db"
    return Place(lambda name: theirs.community.SQLChatMessageHistory(name, connection=url), url)


def _postgres_url(request: pytest.FixtureRequest) -> str:
    url, schema = request.getfixturevalue("postgres_url"), f"histories{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"


def _sql_on_postgres(request: pytest.FixtureRequest, stack: ExitStack) -> Place:
    url = _postgres_url(request).replace("postgresql://", "postgresql+psycopg://")

    def make(name: str) -> Any:
        made = theirs.community.SQLChatMessageHistory(name, "talks", connection=url)
        stack.callback(made.engine.dispose)
        return made

    return Place(make, url, "talks")


def _postgres(request: pytest.FixtureRequest, stack: ExitStack) -> Place:
    url = _postgres_url(request)
    connection = stack.enter_context(psycopg.connect(url))
    its: Any = theirs.PostgresChatMessageHistory
    its.create_tables(connection, "chat_history")
    return Place(lambda name: its("chat_history", name, sync_connection=connection), url)


def _redis(request: pytest.FixtureRequest, stack: ExitStack) -> Place:
    _ = stack
    url, prefix = request.getfixturevalue("redis_url"), f"their*{uuid4()}:"
    its = theirs.community.RedisChatMessageHistory
    return Place(lambda name: its(name, url, key_prefix=prefix), url, prefix)


def _mongodb(request: pytest.FixtureRequest, stack: ExitStack) -> Place:
    url, name = request.getfixturevalue("mongodb_url"), f"talks{uuid4().hex}"
    client: Any = stack.enter_context(pymongo.MongoClient(url))
    database = client.get_default_database("chat_history").name
    its = theirs.MongoDBChatMessageHistory
    return Place(lambda one: its(None, one, database, name, client=client), url, name)


class _Table:
    """A table as an incumbent needs it."""

    def __init__(
        self, request: pytest.FixtureRequest, stack: ExitStack, *, sort_key: str | None = None
    ) -> None:
        url = request.getfixturevalue("dynamodb_url")
        self.endpoint = url.partition("endpoint=")[2].partition("&")[0]
        if not self.endpoint:
            pytest.skip("the incumbent's table is made on an emulator only")
        self.name = f"talks{uuid4().hex}"
        self.source = f"dynamodb://{REGION}/{self.name}?endpoint={self.endpoint}"
        self.client: Any = botocore.session.Session().create_client(
            "dynamodb", region_name=REGION, endpoint_url=self.endpoint
        )
        stack.callback(self.client.close)
        keys = ["SessionId", *([sort_key] if sort_key else [])]
        self.client.create_table(
            TableName=self.name,
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        stack.callback(self.client.delete_table, TableName=self.name)


def _dynamodb(request: pytest.FixtureRequest, stack: ExitStack) -> Place:
    table = _Table(request, stack)
    its = theirs.community.DynamoDBChatMessageHistory
    return Place(lambda one: its(table.name, one, table.endpoint), table.source)


PLACES = {
    "sqlite": _sqlite,
    "sql-postgres": _sql_on_postgres,
    "langchain-postgres": _postgres,
    "redis": _redis,
    "mongodb": _mongodb,
    "dynamodb": _dynamodb,
}


@pytest.fixture(params=list(PLACES))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with ExitStack() as stack:
        yield PLACES[request.param](request, stack)


async def _messages(book: AsyncDaybook, session: str) -> list[BaseMessage]:
    return [to_langchain(message) for message in await book.history.list(session)]


async def test_histories_come_whole_and_only_once(place: Place) -> None:
    one, two = str(uuid4()), str(uuid4())
    place.make(one).add_messages(RICH)
    place.make(two).add_messages([HumanMessage("x"), AIMessage("y", id="y")])
    async with AsyncDaybook.open("inmemory://", embedder=None) as book:
        report = await import_histories(book, place.source, table=place.table)
        assert (report.format, report.sessions, report.messages) == ("langchain", 2, 12)
        assert (report.bad_count, report.users) == (0, tuple(sorted((one, two))))
        assert await _messages(book, one) == place.make(one).messages == RICH
        again = await import_histories(book, place.source, table=place.table)
        assert (again.new_sessions, again.messages, again.duplicates) == (0, 0, 12)
        place.make(two).add_messages([HumanMessage("x"), AIMessage("z")])
        more = await import_histories(book, place.source, table=place.table)
        assert (more.messages, more.duplicates) == (2, 12)
        assert [message.text for message in await _messages(book, two)] == ["x", "y", "x", "z"]


async def test_one_owner_may_be_named(place: Place) -> None:
    name = str(uuid4())
    place.make(name).add_messages([HumanMessage("x")])
    async with AsyncDaybook.open("inmemory://", embedder=None) as book:
        await import_histories(book, place.source, table=place.table, user_id="alice")
        assert len(await book.history.list(name, user_id="alice")) == 1


async def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    incumbent = theirs.community.FileChatMessageHistory(str(path))
    for message in [*RICH, AIMessageChunk(content="half")]:
        incumbent.add_message(message)
    async with AsyncDaybook.open("inmemory://", embedder=None) as book:
        report = await import_file(book, path)
        assert (report.format, report.messages, report.bad_count) == ("langchain", 11, 0)
        assert await _messages(book, "talk.json") == [*RICH, AIMessage("half")]
        assert (await import_file(book, path)).duplicates == 11


async def test_documents_of_langchain_redis() -> None:
    """It needs a server with modules; here are the documents that it makes for one."""
    its: Any = object.__new__(theirs.RedisChatMessageHistory)
    its.session_id, its.key_prefix = "s:1", "chat:"
    entries = [its._build_message_entry(message) for message in RICH]
    held = {key.encode(): json.dumps(data).encode() for data, key in entries}

    class Client:
        def scan_iter(self, match: str, count: int) -> list[bytes]:
            return list(held) if match == "chat:*" and count else []

        def type(self, key: bytes) -> bytes:
            return b"ReJSON-RL" if key in held else b"none"

        def execute_command(self, _: str, key: bytes) -> bytes:
            return held[key]

    records = [*read_rows(rows_of_client(Client()), "redis", None)]
    found = [one for one in records if isinstance(one, ImportedMessage)]
    made = [to_langchain(one.message) for one in found]
    assert {one.session.session_id for one in found} == {"s:1"}
    # It leaves out the role of a chat message, which is reported, and the name of a function.
    assert [str(one) for one in records if isinstance(one, BadRecord)] == [
        f"redis:{entries[5][1]}: the message is of an unknown type"
    ]
    wanted = [(message.type, message.content) for message in RICH]
    wanted[5:7] = [("tool", "42")]
    assert [(message.type, message.content) for message in made] == wanted


async def test_items_of_dynamodb(request: pytest.FixtureRequest) -> None:
    """Two keys name a session; floats come as they were; what is no message is reported."""
    with ExitStack() as stack:
        table = _Table(request, stack, sort_key="User")
        key = {"SessionId": "s", "User": "u"}
        its = theirs.community.DynamoDBChatMessageHistory(
            table.name, "s", table.endpoint, key=key, coerce_float_to_decimal=True
        )
        said = AIMessage("x", id="x", additional_kwargs={"score": 0.5, "count": 3})
        its.add_messages([said])
        message = {"type": {"S": "human"}, "data": {"M": {"content": {"B": b"secret"}}}}
        for user, stored in (("v", {"S": "none"}), ("w", {"L": [{"M": message}]})):
            item = {"SessionId": {"S": "s"}, "User": {"S": user}, "History": stored}
            table.client.put_item(TableName=table.name, Item=item)
        async with AsyncDaybook.open("inmemory://", embedder=None) as book:
            report = await import_histories(book, table.source)
            assert (report.users, report.messages) == (("s/u",), 1)
            assert await _messages(book, "s/u") == [said]
            reasons = sorted(one.reason for one in report.bad_records)
            assert reasons == [
                "History is no list",
                "the message holds something that is no JSON",
            ]


async def test_our_class_goes_on_where_the_incumbent_stopped(tmp_path: Path) -> None:
    theirs.community.SQLChatMessageHistory(
        "s", connection=f"sqlite:///{tmp_path}/chat.db"
    ).add_messages(RICH)
    async with AsyncDaybook.open(f"sqlite:///{tmp_path}/chat.db.daybook", embedder=None) as book:
        await import_histories(book, tmp_path / "chat.db")
    ours = SQLChatMessageHistory("s", connection=f"sqlite:///{tmp_path}/chat.db", embedder=None)
    ours.add_messages([HumanMessage("more", id="more")])
    assert ours.messages == [*RICH, HumanMessage("more", id="more")]
    ours.close()


async def test_damage_in_one_row_is_reported(redis_url: str, postgres_url: str) -> None:
    import redis  # noqa: PLC0415

    prefix = f"{uuid4()}:"
    theirs.community.RedisChatMessageHistory("s", redis_url, prefix).add_messages([RICH[0]])
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(f"{prefix}s", b"\x80\x04pickled", b"{}")
    async with AsyncDaybook.open("inmemory://", embedder=None) as book:
        report = await import_histories(book, redis_url, table=prefix)
        assert (report.messages, report.bad_count) == (1, 2)
        assert report.bad_records[0].position == f"{prefix}s[1]"
        with pytest.raises(InvalidInputError, match="no such table"):
            await import_histories(book, postgres_url, table=f"none{uuid4().hex}")


@pytest.mark.parametrize(
    "source",
    [
        "redis://:secret@127.0.0.1:1/0",
        "postgresql://u:secret@127.0.0.1:1/d",
        "mongodb://u:secret@127.0.0.1:1/d?serverSelectionTimeoutMS=1",
    ],
)
async def test_a_server_that_is_away_is_named_without_its_secrets(source: str) -> None:
    async with AsyncDaybook.open("inmemory://", embedder=None) as book:
        with pytest.raises(StoreUnavailableError) as raised:
            await import_histories(book, source)
    assert "secret" not in str(raised.value)
