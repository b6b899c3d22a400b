"""Histories with the constructor arguments of LangChain's own, all of them on Daybook.

Change the import, keep the call. What they store is Daybook's own form, beside what the incumbent
has stored there.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.messages import BaseMessage
from pydantic.fields import FieldInfo

from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.adapters.langchain.incumbent_urls import (
    file_url,
    mongodb_url,
    postgres_url,
    redis_url,
    refuse,
    sql_url,
    tenant_of,
)
from daybook.adapters.langchain.messages import from_langchain, readable
from daybook.adapters.langchain.session_history import SessionHistory
from daybook.adapters.opened import BookOrUrl, OpenedBook
from daybook.errors import ConfigError, InvalidInputError
from daybook.model.identifiers import new_id

__all__ = [
    "DynamoDBChatMessageHistory",
    "FileChatMessageHistory",
    "InMemoryChatMessageHistory",
    "MongoDBChatMessageHistory",
    "PostgresChatMessageHistory",
    "RedisChatMessageHistory",
    "SQLChatMessageHistory",
]


class InMemoryChatMessageHistory(DaybookChatMessageHistory):
    """A history that ends with its object.

    A subclass may declare pydantic fields, as those of LangChain's class do: each is an argument.
    """

    _declared: ClassVar[dict[str, FieldInfo]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = {name: one for name, one in vars(cls).items() if isinstance(one, FieldInfo)}
        cls._declared = {**cls._declared, **own}

    def __init__(
        self,
        messages: Iterable[BaseMessage] = (),
        *,
        session_id: str | None = None,
        url: BookOrUrl = "inmemory://",
        **options: Any,
    ) -> None:
        """Begin with some messages; the other arguments are `DaybookChatMessageHistory`'s."""
        for name, field in self._declared.items():
            if name not in options and field.is_required():
                raise InvalidInputError(f"{name} is missing")
            default = field.get_default(call_default_factory=True)
            setattr(self, name, options.pop(name, default))
        super().__init__(session_id or new_id(), url, **options)
        if session_id is None:
            opened = self._place.open()
            ending = weakref.finalize(self, _forget, opened, self._history)
            ending.atexit = False
        DaybookChatMessageHistory.add_messages(self, list(messages))

    @property
    def messages(self) -> list[BaseMessage]:
        """The messages, in order; a list of the caller's own. Set it to replace them all."""
        opened = self._place.open()
        entries = opened.run(self._history.load(opened.awaited, self._limit))
        return [readable(entry.message) for entry in entries]

    @messages.setter
    def messages(self, messages: Sequence[BaseMessage]) -> None:
        for message in messages:
            from_langchain(message)  # before anything is removed
        # A subclass's own methods may set this.
        DaybookChatMessageHistory.clear(self)
        DaybookChatMessageHistory.add_messages(self, messages)


class FileChatMessageHistory(DaybookChatMessageHistory):
    """A history in the folder ``<file_path>.daybook``."""

    def __init__(
        self,
        file_path: str | Path,
        *,
        encoding: str | None = None,
        ensure_ascii: bool = True,
        **options: Any,
    ) -> None:
        """Name the file; `encoding` and `ensure_ascii` have no meaning here and are ignored."""
        _ = encoding, ensure_ascii
        super().__init__(Path(file_path).name, file_url(file_path), **options)
        self.file_path = Path(file_path)


class SQLChatMessageHistory(DaybookChatMessageHistory):
    """A history in SQLite or PostgreSQL, by SQLAlchemy's connection string or engine.

    On SQLite it is in a file of its own beside the named one: ``<file>.daybook``.
    """

    def __init__(
        self,
        session_id: str,
        table_name: str = "message_store",
        session_id_field_name: str = "session_id",
        custom_message_converter: Any = None,
        connection: Any = None,
        engine_args: dict[str, Any] | None = None,
        async_mode: bool | None = None,
        *,
        connection_string: str | None = None,
        **options: Any,
    ) -> None:
        """Name session and database; one object serves sync and async whatever `async_mode`.

        Raises:
            ConfigError: There is no engine for the database, or none is named.
            UnsupportedError: A `custom_message_converter` is given.
        """
        _ = session_id_field_name, engine_args, async_mode
        refuse(custom_message_converter=custom_message_converter)
        if "://" in table_name:  # where older versions had the connection string
            table_name, connection_string = "message_store", table_name
        place = connection_string if connection_string is not None else connection
        if place is None:
            raise ConfigError("give connection: a connection string or an engine")
        named = tenant_of(table_name, "message_store")
        super().__init__(session_id, sql_url(place), **named, **options)


class RedisChatMessageHistory(DaybookChatMessageHistory):
    """A history in any Redis or Valkey; no module is needed.

    Takes the arguments of langchain-community's class and of langchain-redis's.
    """

    def __init__(
        self,
        session_id: str,
        url: str | None = None,
        key_prefix: str = "message_store:",
        ttl: float | timedelta | None = None,
        index_name: str | None = None,
        redis_client: Any = None,
        *,
        redis_url: str | None = None,
        overwrite_index: bool = False,
        **options: Any,
    ) -> None:
        """Name session and server; `ttl` is of the session, in seconds after its last message."""
        _ = index_name, overwrite_index
        place = _redis_url(redis_url or url, redis_client)
        named = tenant_of(key_prefix, "message_store:", "chat:")
        super().__init__(session_id, place, ttl=ttl, **named, **options)


class PostgresChatMessageHistory(DaybookChatMessageHistory):
    """A history in PostgreSQL.

    Takes the arguments of langchain-community's class, ``(session_id, connection_string,
    table_name)``, and of langchain-postgres's, ``(table_name, session_id, *, sync_connection=,
    async_connection=)``, whose connection only says where the database is.
    """

    def __init__(
        self,
        *names: str,
        sync_connection: Any = None,
        async_connection: Any = None,
        **options: Any,
    ) -> None:
        """Name session and database.

        Raises:
            ConfigError: No database is named.
        """
        connection = sync_connection or async_connection
        order = ("session_id", "connection_string", "table_name")
        if connection is not None:
            order = ("table_name", "session_id", "connection_string")
        given: dict[str, Any] = dict(zip(order, names, strict=False))
        for name in order:
            if name in options:
                given[name] = options.pop(name)
        place = connection if connection is not None else given.get("connection_string")
        if place is None or "session_id" not in given:
            raise ConfigError("give session_id, and connection_string or a connection")
        named = tenant_of(given.get("table_name", "message_store"), "message_store")
        super().__init__(given["session_id"], postgres_url(place), **named, **options)

    @staticmethod
    def create_tables(connection: Any, table_name: str, /) -> None:
        """Do nothing: tables are made at the first use."""

    @staticmethod
    async def acreate_tables(connection: Any, table_name: str, /) -> None:
        """Do nothing: tables are made at the first use."""


class MongoDBChatMessageHistory(DaybookChatMessageHistory):
    """A history in MongoDB."""

    def __init__(  # noqa: PLR0913 - the incumbent's
        self,
        connection_string: str | None,
        session_id: str,
        database_name: str = "chat_history",
        collection_name: str = "message_store",
        *,
        session_id_key: str = "SessionId",
        history_key: str = "History",
        create_index: bool = True,
        history_size: int | None = None,
        index_kwargs: dict[str, Any] | None = None,
        client: Any = None,
        **options: Any,
    ) -> None:
        """Name session and database; keys and index are Daybook's own, whatever is given."""
        _ = session_id_key, history_key, create_index, index_kwargs
        place = mongodb_url(connection_string, database_name, client)
        named = tenant_of(collection_name, "message_store")
        super().__init__(session_id, place, history_size=history_size, **named, **options)


class DynamoDBChatMessageHistory(DaybookChatMessageHistory):
    """A history in DynamoDB, in the table ``<table_name>-book``, made where it is missing."""

    def __init__(  # noqa: PLR0913, PLR0917 - the incumbent's
        self,
        table_name: str,
        session_id: str,
        endpoint_url: str | None = None,
        primary_key_name: str = "SessionId",
        key: dict[str, str] | None = None,
        boto3_session: Any = None,
        kms_key_id: str | None = None,
        ttl: float | timedelta | None = None,
        ttl_key_name: str = "expireAt",
        history_size: int | None = None,
        history_messages_key: str | None = "History",
        *,
        coerce_float_to_decimal: bool = False,
        region: str | None = None,
        **options: Any,
    ) -> None:
        """Name session and table.

        Args:
            table_name: Begins the name of Daybook's table.
            session_id: The session.
            endpoint_url: Another server than AWS's.
            primary_key_name: Ignored, as all names of the incumbent's table.
            key: Refused: a session is named by its id alone.
            boto3_session: Gives its region and profile.
            kms_key_id: Refused: choose the table's encryption in AWS.
            ttl: Seconds after the session's last message.
            ttl_key_name: Ignored.
            history_size: `messages` returns so many of the newest.
            history_messages_key: Ignored.
            coerce_float_to_decimal: Ignored: numbers come back as they were.
            region: The region; None for the session's, else ``us-east-1`` as botocore has it.
            options: Of `DaybookChatMessageHistory`.
        """
        _ = primary_key_name, ttl_key_name, history_messages_key, coerce_float_to_decimal
        refuse(key=key, kms_key_id=kms_key_id)
        chosen = region or getattr(boto3_session, "region_name", None) or "us-east-1"
        profile = getattr(boto3_session, "profile_name", None)
        place = f"dynamodb://{chosen}/{table_name}"
        queries = [f"endpoint={endpoint_url}"] if endpoint_url else []
        queries += [f"profile={profile}"] if profile and profile != "default" else []
        place += f"?{'&'.join(queries)}" if queries else ""
        super().__init__(session_id, place, ttl=ttl, history_size=history_size, **options)


def _forget(opened: OpenedBook, history: SessionHistory) -> None:
    opened.begin(history.delete(opened.awaited))


_redis_url = redis_url  # an argument of the incumbent's has the function's name
