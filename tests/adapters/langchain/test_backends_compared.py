"""What the page's table says of backends: the incumbent does what was measured, ours does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import botocore.session
import psycopg
import pymongo.errors
import pytest
import redis
from langchain_core.messages import AIMessage, HumanMessage
from psycopg.pq import TransactionStatus

from daybook.adapters import langchain as ours
from daybook.adapters.langchain import MongoDBChatMessageHistory
from tests.adapters.langchain import theirs
from tests.servers.dynamodb import REGION

NO_INDEX: dict[str, Any] = {"index": "none"}
WRITERS, TURNS = 8, 5
BOTH = pytest.mark.parametrize("kind", ["ours", "theirs"])


def written_by_many(history: Callable[[], Any]) -> tuple[int, int]:
    """Let writers add turns at once; return how many messages and whole turns there are."""
    start = threading.Barrier(WRITERS)

    def write(writer: int) -> None:
        mine = history()
        start.wait(60)
        for turn in range(TURNS):
            at = f"{writer}-{turn}"
            mine.add_messages([HumanMessage(f"q{at}"), AIMessage(f"a{at}")])

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    texts = [message.text for message in history().messages]
    whole = sum(one[0] == "q" and two == f"a{one[1:]}" for one, two in pairwise(texts))
    return len(texts), whole


@pytest.mark.parametrize("backend", ["sql", "postgres", "mongodb"])
def test_turns_of_many_writers_are_whole(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    name = str(uuid4())
    if backend == "sql":
        make: Any = lambda: ours.SQLChatMessageHistory(  # noqa: E731
            name, connection=f"sqlite:///{tmp_path}/chat.db", **NO_INDEX
        )
    elif backend == "postgres":
        url = request.getfixturevalue("postgres_url")
        make = lambda: ours.PostgresChatMessageHistory(name, url, **NO_INDEX)  # noqa: E731
    else:
        url = request.getfixturevalue("mongodb_url")
        make = lambda: MongoDBChatMessageHistory(url, name, "lc_many", **NO_INDEX)  # noqa: E731
    assert written_by_many(make) == (2 * WRITERS * TURNS, WRITERS * TURNS)


@BOTH
def test_no_turn_is_lost_on_dynamodb(kind: str, dynamodb_url: str) -> None:
    """LangChain's reads the list, adds to it and writes it back over what others wrote."""
    endpoint = dynamodb_url.partition("endpoint=")[2].partition("&")[0]
    if not endpoint:
        pytest.skip("the incumbent's table is made on an emulator only")
    name = f"talks{uuid4().hex}"
    if kind == "ours":
        kept, whole = written_by_many(
            lambda: ours.DynamoDBChatMessageHistory(
                name, "s", endpoint_url=endpoint, region=REGION, **NO_INDEX
            )
        )
        assert (kept, whole) == (2 * WRITERS * TURNS, WRITERS * TURNS)
        return
    client: Any = botocore.session.Session().create_client(
        "dynamodb", region_name=REGION, endpoint_url=endpoint
    )
    with closing(client):
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "SessionId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "SessionId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        making = threading.Lock()  # boto3's default session is not for several threads

        def incumbent() -> Any:
            with making:
                return theirs.community.DynamoDBChatMessageHistory(name, "s", endpoint)

        kept, _ = written_by_many(incumbent)
        client.delete_table(TableName=name)
    assert kept < 2 * WRITERS * TURNS


@BOTH
def test_histories_of_one_server_share_its_connections(kind: str, redis_url: str) -> None:
    source: Any = ours if kind == "ours" else theirs.community
    options = NO_INDEX if kind == "ours" else {}
    # Each in a database of its own: other tests open and close connections at the same time.
    number = {"ours": "8", "theirs": "9"}[kind]
    url = urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))
    with closing(redis.Redis.from_url(redis_url)) as client:
        made = [source.RedisChatMessageHistory(str(uuid4()), url, **options) for _ in range(40)]
        for history in made:
            history.add_message(HumanMessage("x"))
        opened = [one for one in client.client_list() if one["db"] == number]
    assert (0 < len(opened) < 20) is (kind == "ours")
    assert len(made) == 40


class FullCollection:
    """Reads of nothing, and writes that the server refuses."""

    def find(self, *_: Any, **__: Any) -> list[Any]:
        return []

    def insert_one(self, *_: Any) -> None:
        raise pymongo.errors.WriteError("disk full", 14031)


def test_langchain_mongodb_swallows_a_failed_write(mongodb_url: str) -> None:
    """The control of `test_history.test_a_failing_store_is_heard_of`."""
    history = theirs.MongoDBChatMessageHistory(mongodb_url, str(uuid4()), "lc_full")
    with closing(history.client):
        history.collection = FullCollection()
        history.add_message(HumanMessage("lost"))  # and nobody knows
        assert history.messages == []


@BOTH
def test_one_sql_history_is_sync_and_async(kind: str, tmp_path: Path) -> None:
    source: Any = ours if kind == "ours" else theirs.community
    history = source.SQLChatMessageHistory("s", connection=f"sqlite:///{tmp_path}/chat.db")
    history.add_message(HumanMessage("sync"))
    if kind == "theirs":
        with pytest.raises((ValueError, TypeError, AttributeError)):
            asyncio.run(history.aget_messages())
        return
    assert [message.text for message in asyncio.run(history.aget_messages())] == ["sync"]


@BOTH
def test_a_read_leaves_the_callers_connection_idle(kind: str, postgres_url: str) -> None:
    name, table = str(uuid4()), f"idle{uuid4().hex}"
    with psycopg.connect(postgres_url) as connection:
        theirs.PostgresChatMessageHistory.create_tables(connection, table)
        source: Any = ours if kind == "ours" else theirs
        options = NO_INDEX if kind == "ours" else {}
        history = source.PostgresChatMessageHistory(
            table, name, sync_connection=connection, **options
        )
        assert history.messages == []
        idle = connection.info.transaction_status == TransactionStatus.IDLE
    assert idle is (kind == "ours")
