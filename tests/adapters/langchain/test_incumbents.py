"""Each history takes its incumbent's constructor arguments, and works on its real server."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
import sqlalchemy
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import Field

from daybook.adapters.langchain import (
    DynamoDBChatMessageHistory,
    FileChatMessageHistory,
    InMemoryChatMessageHistory,
    MongoDBChatMessageHistory,
    PostgresChatMessageHistory,
    RedisChatMessageHistory,
    SQLChatMessageHistory,
    incumbent_urls,
)
from daybook.errors import ConfigError, InvalidInputError, UnsupportedError
from tests.adapters.langchain import theirs

CALL = {"name": "f", "args": {"a": 1}, "id": "c1", "type": "tool_call"}
USED = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
TURN = [HumanMessage("q\0", id="1"), AIMessage("a", id="2", tool_calls=[CALL], usage_metadata=USED)]
PAIRS = [
    (FileChatMessageHistory, theirs.community.FileChatMessageHistory),
    (SQLChatMessageHistory, theirs.community.SQLChatMessageHistory),
    (RedisChatMessageHistory, theirs.community.RedisChatMessageHistory),
    (DynamoDBChatMessageHistory, theirs.community.DynamoDBChatMessageHistory),
    (MongoDBChatMessageHistory, theirs.MongoDBChatMessageHistory),
]
NO_INDEX: dict[str, Any] = {"index": "none"}


@pytest.mark.parametrize(
    ("ours", "incumbent"), PAIRS, ids=["file", "sql", "redis", "dynamodb", "mongodb"]
)
def test_the_arguments_are_the_incumbents(ours: Any, incumbent: Any) -> None:
    """The same names, in the same order where they may be given by position, the same defaults."""
    mine, its = (list(inspect.signature(one).parameters.values()) for one in (ours, incumbent))
    known = {one.name: one for one in mine}
    positional = [one.name for one in its if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert [one.name for one in mine][: len(positional)] == positional
    for one in its:
        assert one.name in known
        if ours is not RedisChatMessageHistory or one.name != "url":
            assert known[one.name].default == one.default, one.name


def test_the_arguments_of_langchain_redis_are_taken() -> None:
    its = [*inspect.signature(theirs.RedisChatMessageHistory).parameters][:6]
    mine = inspect.signature(RedisChatMessageHistory).parameters
    assert its == ["session_id", "redis_url", "key_prefix", "ttl", "index_name", "redis_client"]
    assert [*mine][:6] == ["session_id", "url", "key_prefix", "ttl", "index_name", "redis_client"]
    assert "redis_url" in mine


def check(make: Callable[[], Any]) -> None:
    """Write through one object, read through another, sync and async."""
    make().add_messages(TURN)
    asyncio.run(make().aadd_messages([HumanMessage("more", id="3")]))
    assert make().messages == [*TURN, HumanMessage("more", id="3")]
    make().clear()
    assert asyncio.run(make().aget_messages()) == []


def test_in_memory() -> None:
    history = InMemoryChatMessageHistory(messages=TURN)
    check(lambda: InMemoryChatMessageHistory(session_id=f"{history.session_id}-other"))
    assert history.messages == TURN
    assert InMemoryChatMessageHistory().messages == []


def test_file(tmp_path: Path) -> None:
    check(lambda: FileChatMessageHistory(str(tmp_path / "a b.json"), encoding="utf-8", **NO_INDEX))
    assert (tmp_path / "a b.json.daybook").is_dir()


def test_sql(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    incumbent = theirs.community.SQLChatMessageHistory("s", connection=url)
    incumbent.add_user_message("from before")
    check(lambda: SQLChatMessageHistory("s", connection=url))
    check(lambda: SQLChatMessageHistory("s", url))
    check(lambda: SQLChatMessageHistory("s", connection=sqlalchemy.create_engine(url)))
    SQLChatMessageHistory("s", "other_table", connection=url).add_messages(TURN)
    assert SQLChatMessageHistory("s", connection=url).messages == []
    assert [message.text for message in incumbent.messages] == ["from before"]
    with pytest.raises(UnsupportedError, match="custom_message_converter"):
        SQLChatMessageHistory("s", connection=url, custom_message_converter=object())


@pytest.mark.parametrize("kind", ["ours", "langchain-redis", "community"])
def test_redis(kind: str, redis_url: str) -> None:
    """langchain-redis needs modules that a plain Redis or a Valkey does not have."""
    name = str(uuid4())
    if kind == "langchain-redis":
        with pytest.raises(Exception, match=r"(?i)unknown command .FT.INFO"):
            theirs.RedisChatMessageHistory(name, redis_url)
        return
    if kind == "community":
        incumbent = theirs.community.RedisChatMessageHistory(name, redis_url, ttl=60)
        incumbent.add_messages([HumanMessage("fine")])
        assert incumbent.messages == [HumanMessage("fine")]
        return
    client = redis.Redis.from_url(redis_url)
    check(lambda: RedisChatMessageHistory(name, redis_url, ttl=60, **NO_INDEX))
    check(lambda: RedisChatMessageHistory(name, redis_url=redis_url, **NO_INDEX))
    check(lambda: RedisChatMessageHistory(name, redis_client=client, **NO_INDEX))
    client.close()
    RedisChatMessageHistory(name, redis_url, "mine:", **NO_INDEX).add_messages(TURN)
    assert RedisChatMessageHistory(name, redis_url, **NO_INDEX).messages == []


@pytest.mark.parametrize("kind", ["ours", "community"])
def test_turns_of_many_writers_stay_whole_on_redis(kind: str, redis_url: str) -> None:
    """langchain-community sends each message of a turn on its own: others' come between."""
    name, writers, turns = str(uuid4()), 8, 20
    start = threading.Barrier(writers)

    def history() -> Any:
        if kind == "ours":
            return RedisChatMessageHistory(name, redis_url, **NO_INDEX)
        return theirs.community.RedisChatMessageHistory(name, redis_url)

    def write(writer: int) -> None:
        mine = history()
        start.wait(60)
        for turn in range(turns):
            at = f"{writer}-{turn}"
            mine.add_messages([HumanMessage(f"q{at}"), AIMessage(f"a{at}")])

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    texts = [message.text for message in history().messages]
    whole = sum(one[0] == "q" and two == f"a{one[1:]}" for one, two in pairwise(texts))
    assert len(texts) == 2 * writers * turns
    assert (whole == writers * turns) is (kind == "ours")


@pytest.mark.parametrize("kind", ["ours", "langchain-postgres"])
def test_postgres(kind: str, postgres_url: str) -> None:
    """langchain-postgres refuses NUL, and names of sessions that are no UUIDs."""
    name = str(uuid4())
    with psycopg.connect(postgres_url) as connection:
        if kind == "langchain-postgres":
            theirs.PostgresChatMessageHistory.create_tables(connection, "theirs")
            with pytest.raises(ValueError, match="UUID"):
                theirs.PostgresChatMessageHistory("theirs", "any", sync_connection=connection)
            its: Any = theirs.PostgresChatMessageHistory
            incumbent = its("theirs", name, sync_connection=connection)
            with pytest.raises(psycopg.Error):
                incumbent.add_messages(TURN)
            with pytest.raises(psycopg.errors.InFailedSqlTransaction):
                incumbent.get_messages()  # and then the connection is of no use
            return
        check(lambda: PostgresChatMessageHistory("any", postgres_url))
        PostgresChatMessageHistory.create_tables(connection, "mine")
        check(lambda: PostgresChatMessageHistory("mine", name, sync_connection=connection))


def test_mongodb(mongodb_url: str) -> None:
    name = str(uuid4())
    check(lambda: MongoDBChatMessageHistory(mongodb_url, name, "lc_test", **NO_INDEX))
    history = MongoDBChatMessageHistory(mongodb_url, name, "lc_test", history_size=1, **NO_INDEX)
    history.add_messages([HumanMessage("1"), HumanMessage("2")])
    assert [message.text for message in history.messages] == ["2"]


def test_a_declared_field_without_a_default_is_an_argument_that_must_be_given() -> None:
    class Tagged(InMemoryChatMessageHistory):
        tag: str = Field()

    assert Tagged(tag="x").tag == "x"
    with pytest.raises(InvalidInputError, match="tag"):
        Tagged()


URLS = [
    (incumbent_urls.sql_url("sqlite+aiosqlite:///a.db?x=1"), "sqlite:///a.db.daybook"),
    (incumbent_urls.sql_url("sqlite://"), "inmemory://"),
    (incumbent_urls.sql_url("sqlite:///:memory:"), "inmemory://"),
    (incumbent_urls.sql_url("postgresql+psycopg2://u:p@h/d"), "postgresql://u:p@h/d"),
    (incumbent_urls.redis_url(None, None), "redis://localhost:6379/0"),
    (
        incumbent_urls.mongodb_url("mongodb://u:p@a,b/x?replicaSet=r", "chat", None),
        "mongodb://u:p@a,b/chat?replicaSet=r",
    ),
    (incumbent_urls.mongodb_url("mongodb://a:1/", "chat", None), "mongodb://a:1/chat"),
]


def test_settings_become_urls() -> None:
    assert [made for made, _ in URLS] == [wanted for _, wanted in URLS]
    with pytest.raises(ConfigError, match="mysql"):
        incumbent_urls.sql_url("mysql+pymysql://h/d")
    with pytest.raises(ConfigError, match="connection_string"):
        incumbent_urls.mongodb_url(None, "chat", None)


def test_what_has_no_meaning_here_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="kms_key_id"):
        DynamoDBChatMessageHistory("table", "s", kms_key_id="k")
