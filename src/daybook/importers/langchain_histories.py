"""What LangChain's chat histories have stored, into sessions of the same names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from daybook.errors import InvalidInputError
from daybook.importers.langchain_dynamodb import dynamodb_rows
from daybook.importers.langchain_mongodb import mongodb_rows
from daybook.importers.langchain_redis import redis_rows
from daybook.importers.langchain_rows import StoredRow, read_rows
from daybook.importers.langchain_sql import postgres_rows, sqlite_rows
from daybook.importers.report import ImportReport
from daybook.importers.source import BadRecord, Record
from daybook.importers.source_file import Broken, SourceFile
from daybook.importers.storing import ImportTarget, Storing

__all__ = ["import_histories", "read_history_file", "read_history_table"]

_BATCH = 2000
_KNOWN = "sqlite, postgresql, redis, rediss, mongodb, mongodb+srv and dynamodb"
Rows = Iterator[StoredRow | BadRecord]


async def import_histories(
    book: ImportTarget,
    source: str | Path,
    *,
    user_id: str | None = None,
    table: str | None = None,
) -> ImportReport:
    """Import every session of a store and return what was done. The store is only read.

    Args:
        book: An opened `AsyncDaybook`.
        source: The path of an SQLite file; or a URL as the history took it (``redis://``,
            ``rediss://``, ``sqlite://``, ``postgresql://``, ``mongodb://``), with
            ``dynamodb://REGION/TABLE`` for DynamoDB.
        user_id: Owns every session; None: each session is its own user, as it is for
            `daybook.adapters.langchain`.
        table: The table, collection or key prefix, where it is not the history's default.

    Raises:
        InvalidInputError: The source is none of these, or holds no messages of LangChain's.
        StoreError: A database failed; what was reported as done is stored.
        MissingDependencyError: The store's driver is not installed.

    Atomicity, ordering and repetition are those of `daybook.importers.run.import_file`.
    """
    started = time.perf_counter()
    name, rows = _rows_of(str(source), table)
    records = read_rows(rows, name, user_id)
    storing = Storing(book, name)
    try:
        while batch := await asyncio.to_thread(lambda: list(islice(records, _BATCH))):
            await storing.store(batch)
        await storing.finish()
    finally:
        records.close()
    elapsed_s = time.perf_counter() - started
    return storing.report(format_name="langchain", elapsed_s=elapsed_s)


def read_history_file(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the messages of a `FileChatMessageHistory`; the session is named as the file is."""
    return read_rows(_file_rows(file), file.name, user_id)


def read_history_table(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the messages of an SQLite file of `SQLChatMessageHistory`.

    Raises:
        InvalidInputError: Several of its tables hold messages, and none has the usual name.
    """
    return read_rows(sqlite_rows(file.path), file.name, user_id)


def _file_rows(file: SourceFile) -> Rows:
    for element in file.elements():
        if isinstance(element, Broken):
            yield BadRecord(file.name, element.position, element.reason)
        else:
            yield StoredRow(file.path.name, element.value, element.position)


def _rows_of(source: str, table: str | None) -> tuple[str, Rows]:
    """Return what a source is called in reports, which name no password, and its rows."""
    if "://" not in source:
        return Path(source).name, sqlite_rows(Path(source), table)
    scheme, _, rest = source.partition("://")
    scheme = scheme.partition("+")[0] if not scheme.startswith("mongodb") else scheme
    if scheme == "sqlite":
        path = Path(rest.partition("?")[0].removeprefix("/"))
        return path.name, sqlite_rows(path, table)
    if scheme in ("postgres", "postgresql"):
        return "postgresql", postgres_rows(f"postgresql://{rest}", table)
    if scheme in ("redis", "rediss"):
        return "redis", redis_rows(source, table)
    if scheme in ("mongodb", "mongodb+srv"):
        return "mongodb", mongodb_rows(source, table)
    if scheme == "dynamodb" and table is None:
        return "dynamodb", dynamodb_rows(source)
    raise InvalidInputError(f"LangChain's histories are imported from {_KNOWN}")
