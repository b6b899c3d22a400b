"""Keepers of long-term records, each with the same few calls; embeddings come from one table."""

from __future__ import annotations

import json
import sqlite3
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sides.daybooks import url_of
from benchmarks.sides.history import UnusableError
from daybook import Daybook
from daybook.facets.records import RecordWrite

__all__ = ["AiInfraStore", "DaybookRecords", "LangGraphStore", "RawRecords", "RecordStore"]

Value = dict[str, Any]
Embed = Callable[[Sequence[str]], list[list[float]]]
Item = tuple[str, str, Value]


class RecordStore(ABC):
    """Keeps values under an owner and a key."""

    @abstractmethod
    def put(self, owner: str, key: str, value: Value) -> None:
        """Write one value, durably."""

    @abstractmethod
    def put_many(self, items: Sequence[Item]) -> None:
        """Write many values as fast as the library allows."""

    @abstractmethod
    def get(self, owner: str, key: str) -> Value | None:
        """Read one value."""

    @abstractmethod
    def list(self, owner: str, limit: int) -> int:
        """Read an owner's values; return how many."""

    def search(self, owner: str, query: str) -> int | None:
        """Return how many of an owner's ten best values were found; None if it cannot search."""
        del owner, query
        return None

    @abstractmethod
    def close(self) -> None:
        """Release everything."""


class RawRecords(RecordStore):
    """`sqlite3`, WAL, FULL, one table."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE records (owner TEXT, key TEXT, value TEXT, PRIMARY KEY (owner, key)) "
            "WITHOUT ROWID"
        )

    def put(self, owner: str, key: str, value: Value) -> None:
        """Write one row and commit."""
        self.put_many([(owner, key, value)])

    def put_many(self, items: Sequence[Item]) -> None:
        """Write rows and commit once."""
        rows = [(owner, key, json.dumps(value)) for owner, key, value in items]
        self._connection.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", rows)
        self._connection.commit()

    def get(self, owner: str, key: str) -> Value | None:
        """Read one row."""
        query = "SELECT value FROM records WHERE owner = ? AND key = ?"
        found = self._connection.execute(query, (owner, key)).fetchone()
        return json.loads(found[0]) if found else None

    def list(self, owner: str, limit: int) -> int:
        """Read rows."""
        query = "SELECT value FROM records WHERE owner = ? LIMIT ?"
        return len([json.loads(row[0]) for row in self._connection.execute(query, (owner, limit))])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class DaybookRecords(RecordStore):
    """`Daybook.records`, searchable as it comes."""

    def __init__(self, path: Path) -> None:
        self._book = Daybook.open(url_of(path))

    def put(self, owner: str, key: str, value: Value) -> None:
        """Write one record."""
        self._book.records.put((owner, "facts"), key, value)

    def put_many(self, items: Sequence[Item]) -> None:
        """Write records in one call."""
        self._book.records.put_many(
            [
                RecordWrite(namespace=(owner, "facts"), key=key, value=value)
                for owner, key, value in items
            ]
        )

    def get(self, owner: str, key: str) -> Value | None:
        """Read one record."""
        found = self._book.records.get((owner, "facts"), key)
        return found.value if found else None

    def list(self, owner: str, limit: int) -> int:
        """Read an owner's records."""
        return len(self._book.records.list((owner, "facts"), limit=limit))

    def search(self, owner: str, query: str) -> int | None:
        """Search an owner's records by words and meaning, with a filter."""
        return len(self._book.records.search((owner,), query=query, filter={"kind": "fact"}))

    def close(self) -> None:
        """Close the daybook."""
        self._book.close()


class LangGraphStore(RecordStore):
    """`SqliteStore` with sqlite-vec, or without an index."""

    def __init__(self, path: Path, embed: Embed | None, width: int) -> None:
        from langgraph.store.base import PutOp  # noqa: PLC0415 - an optional peer
        from langgraph.store.sqlite import SqliteStore  # noqa: PLC0415 - an optional peer

        self._make_op = PutOp
        self._searches = embed is not None
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        index: Any = {"dims": width, "embed": embed, "fields": ["text"]} if embed else None
        if index and not hasattr(connection, "enable_load_extension"):
            raise UnusableError("this Python's sqlite3 loads no extensions, so no sqlite-vec")
        self._store: Any = SqliteStore(connection, index=index)
        self._store.setup()
        self._connection = connection

    def put(self, owner: str, key: str, value: Value) -> None:
        """Write one item."""
        self._store.put((owner, "facts"), key, value)

    def put_many(self, items: Sequence[Item]) -> None:
        """Write items in one batch."""
        make = self._make_op
        self._store.batch([make((owner, "facts"), key, value) for owner, key, value in items])

    def get(self, owner: str, key: str) -> Value | None:
        """Read one item."""
        found = self._store.get((owner, "facts"), key)
        return found.value if found else None

    def list(self, owner: str, limit: int) -> int:
        """Read an owner's items."""
        return len(self._store.search((owner, "facts"), limit=limit))

    def search(self, owner: str, query: str) -> int | None:
        """Search an owner's items by meaning, with a filter."""
        if not self._searches:
            return None
        found = self._store.search((owner,), query=query, filter={"kind": "fact"}, limit=10)
        return len(found)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class AiInfraStore(RecordStore):
    """`MemoryStore.sqlite`, without or with the same embeddings."""

    def __init__(self, path: Path, embed: Embed | None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ai_infra.llm.memory import MemoryStore  # noqa: PLC0415 - an optional peer

        self._store: Any = MemoryStore.sqlite(str(path))
        self._searches = embed is not None
        if embed is not None:  # its own providers are remote or need torch
            self._store._embeddings = _OneByOne(embed)  # noqa: SLF001 - no other door

    def put(self, owner: str, key: str, value: Value) -> None:
        """Write one item."""
        self._store.put((owner, "facts"), key, value)

    def put_many(self, items: Sequence[Item]) -> None:
        """Write item by item, for there is no other way."""
        for owner, key, value in items:
            self._store.put((owner, "facts"), key, value)

    def get(self, owner: str, key: str) -> Value | None:
        """Read one item."""
        found = self._store.get((owner, "facts"), key)
        return found.value if found else None

    def list(self, owner: str, limit: int) -> int:
        """Read an owner's items."""
        return len(self._store.list((owner, "facts"), limit=limit))

    def search(self, owner: str, query: str) -> int | None:
        """Search an owner's items by meaning, with a filter."""
        if not self._searches:
            return None
        return len(self._store.search((owner, "facts"), query, filter={"kind": "fact"}))

    def close(self) -> None:
        """Do nothing: it opens the file anew for every call."""


class _OneByOne:
    """Embeds one text, as ai-infra's stores ask for it."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def embed(self, text: str) -> list[float]:
        """Return a text's vector."""
        return self._embed([text])[0]
