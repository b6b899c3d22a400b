"""LangChain's chat message histories, each on its backend, as they come."""

from __future__ import annotations

import json
import logging
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from benchmarks.sides.history import SyncHistory, UnusableError
from benchmarks.sides.raw_local import dynamodb_client
from benchmarks.sides.weighing import (
    dynamodb_bytes,
    folder_bytes,
    mongodb_bytes,
    postgresql_bytes,
    redis_bytes,
)
from benchmarks.talk import Exchange

__all__ = [
    "LangChainDynamo",
    "LangChainFile",
    "LangChainHistory",
    "LangChainMemory",
    "LangChainMongo",
    "LangChainPostgres",
    "LangChainRedis",
]

_NAME = "langchain"
_MOST_IN_DYNAMODB = 500  # of such messages fit the 400 KB that one item may have


class LangChainHistory(SyncHistory):
    """One history object for each session; loads are all or nothing."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from langchain_community import chat_message_histories  # noqa: PLC0415 - a peer
            from langchain_core import messages  # noqa: PLC0415 - a peer

        logging.getLogger("langchain_community").setLevel(logging.ERROR)
        self.classes = chat_message_histories
        self.core = messages
        self._sessions: dict[str, Any] = {}

    @abstractmethod
    def make(self, session: str) -> Any:
        """Return a session's history object."""

    def of(self, session: str) -> Any:
        """Return a session's history object, the same one each time."""
        if session not in self._sessions:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._sessions[session] = self.make(session)
        return self._sessions[session]

    def messages(self, texts: Sequence[str]) -> list[Any]:
        """Return LangChain's messages, user and assistant in turn."""
        makers = (self.core.HumanMessage, self.core.AIMessage)
        return [makers[at % 2](content=text) for at, text in enumerate(texts)]

    def bodies(self, texts: Sequence[str]) -> list[str]:
        """Return messages as the classes write them, to fill a store without their loops."""
        return [json.dumps(self.core.message_to_dict(one)) for one in self.messages(texts)]

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one call."""
        if texts:
            self.of(session).add_messages(self.messages(texts))

    def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""
        self.of(session).add_messages(self.messages(exchange))

    def load(self, session: str, limit: int | None) -> int:
        """Load all, for there is no other way, and keep the newest."""
        messages = self.of(session).messages
        return len(messages if limit is None else messages[-limit:])

    def close(self) -> None:
        """Close nothing: most of them cannot."""


class LangChainMemory(LangChainHistory):
    """`InMemoryChatMessageHistory`."""

    def make(self, session: str) -> Any:  # noqa: ARG002 - as the others
        """Return a new one: it knows no sessions."""
        from langchain_core.chat_history import InMemoryChatMessageHistory  # noqa: PLC0415

        return InMemoryChatMessageHistory()


class LangChainFile(LangChainHistory):
    """`FileChatMessageHistory`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def make(self, session: str) -> Any:
        """Return the history in a file of its own."""
        return self.classes.FileChatMessageHistory(str(self._folder / f"{session}.json"))

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Write the file as the class would, which would read and write it for every message."""
        if texts:
            path = Path(self.of(session).file_path)
            path.write_text(f"[{', '.join(self.bodies(texts))}]", encoding="utf-8")

    def stored_bytes(self) -> int:
        """Return the length of the files."""
        return folder_bytes(self._folder)


class LangChainRedis(LangChainHistory):
    """`RedisChatMessageHistory` of langchain-community."""

    def __init__(self, url: str) -> None:
        super().__init__()
        import redis  # noqa: PLC0415 - an optional driver

        self._url = url
        self._client = redis.Redis.from_url(url)

    def make(self, session: str) -> Any:
        """Return a history with a connection of its own."""
        return self.classes.RedisChatMessageHistory(session, url=self._url, key_prefix=f"{_NAME}:")

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Push together what the class pushes one by one."""
        if texts:
            self._client.lpush(f"{_NAME}:{session}", *self.bodies(texts))

    def stored_bytes(self) -> int:
        """Return what its keys take."""
        return redis_bytes(self._url, f"{_NAME}:*")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        for history in self._sessions.values():
            history.redis_client.close()


class LangChainPostgres(LangChainHistory):
    """`PostgresChatMessageHistory` of langchain-postgres."""

    def __init__(self, url: str) -> None:
        super().__init__()
        import psycopg  # noqa: PLC0415 - an optional driver
        from langchain_postgres import PostgresChatMessageHistory  # noqa: PLC0415 - a peer

        self._class = PostgresChatMessageHistory
        self._url = url
        self._connection = psycopg.connect(url)
        self._class.create_tables(self._connection, _NAME)

    def make(self, session: str) -> Any:
        """Return a history on the one connection; a session's id must be a UUID."""
        identity = str(uuid5(NAMESPACE_OID, session))
        return self._class(_NAME, identity, sync_connection=self._connection)

    def stored_bytes(self) -> int:
        """Return what the table takes."""
        return postgresql_bytes(self._url, "public", _NAME)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class LangChainMongo(LangChainHistory):
    """`MongoDBChatMessageHistory` of langchain-mongodb."""

    def __init__(self, url: str) -> None:
        super().__init__()
        from langchain_mongodb import MongoDBChatMessageHistory  # noqa: PLC0415 - a peer
        from pymongo import MongoClient  # noqa: PLC0415 - an optional driver

        self._class = MongoDBChatMessageHistory
        self._url = url
        self._client = MongoClient[dict[str, Any]](url)

    def make(self, session: str) -> Any:
        """Return a history on the one client."""
        return self._class(None, session, database_name=_NAME, client=self._client)

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Insert together what the class inserts one by one."""
        if texts:
            self.of(session).collection.insert_many(
                [{"SessionId": session, "History": body} for body in self.bodies(texts)]
            )

    def stored_bytes(self) -> int:
        """Return what the database takes."""
        return mongodb_bytes(self._url, _NAME)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class LangChainDynamo(LangChainHistory):
    """`DynamoDBChatMessageHistory` of langchain-community: one item for a whole session."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._endpoint = url.partition("endpoint=")[2] or None
        self._client = dynamodb_client(url)
        if _NAME not in self._client.list_tables()["TableNames"]:
            self._client.create_table(
                TableName=_NAME,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "SessionId", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "SessionId", "AttributeType": "S"}],
            )

    def make(self, session: str) -> Any:
        """Return a history with a client of its own."""
        return self.classes.DynamoDBChatMessageHistory(_NAME, session, endpoint_url=self._endpoint)

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one call.

        Raises:
            UnusableError: they do not fit; the class logs the refusal and goes on.
        """
        if len(texts) > _MOST_IN_DYNAMODB:
            raise UnusableError("a session may take 400 KB")
        super().fill(session, texts)

    def stored_bytes(self) -> int:
        """Return what the items take."""
        return dynamodb_bytes(self._client, _NAME)

    def close(self) -> None:
        """Close the client."""
        self._client.close()
