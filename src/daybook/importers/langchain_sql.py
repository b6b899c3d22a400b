"""Tables of LangChain's SQL histories: SQLite files and PostgreSQL.

`SQLChatMessageHistory`, and the PostgreSQL histories of langchain-community and langchain-postgres,
all have the columns ``id``, ``session_id`` and ``message``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.langchain_rows import StoredRow, driver, store_calls
from daybook.importers.source_times import parse_time

__all__ = ["holds_messages", "postgres_rows", "sqlite_rows"]

_COLUMNS = {"id", "session_id", "message"}
_USUAL = "message_store"
_AT_ONCE = 2000


def holds_messages(path: Path) -> bool:
    """Tell whether an SQLite file has a table of messages, and none of LangGraph's checkpoints."""
    try:
        with closing(_open(path)) as connection:
            tables = _sqlite_tables(connection)
    except sqlite3.Error:
        return False
    return "checkpoints" not in tables and any(map(_is_ours, tables.values()))


def sqlite_rows(path: Path, table: str | None = None) -> Iterator[StoredRow]:
    """Yield the rows of a table in an SQLite file, which is not changed.

    Raises:
        InvalidInputError: There is no such file or table, or it is damaged.
    """
    try:
        with closing(_open(path)) as connection:
            chosen = _choose(_sqlite_tables(connection), table)
            connection.text_factory = bytes
            quoted = chosen.replace('"', '""')
            query = f'SELECT id, session_id, message FROM "{quoted}" ORDER BY id'  # noqa: S608 - quoted
            for row_id, session, message in connection.execute(query):
                key = f"{chosen}/{_plain(row_id)}"
                yield StoredRow(session, message, key, key)
    except sqlite3.Error as exc:
        raise InvalidInputError(f"{path.name}: cannot be read ({type(exc).__name__})") from None


def postgres_rows(url: str, table: str | None = None) -> Iterator[StoredRow]:
    """Yield the rows of a table in PostgreSQL, as they stand at one moment.

    Args:
        url: As psycopg takes it.
        table: Its name, with its schema if that is not on the search path; None for
            ``message_store``, or the only one that has the columns.

    Raises:
        InvalidInputError: There is no such table.
        StoreUnavailableError: The database cannot be read.
        MissingDependencyError: psycopg is not installed.
    """
    psycopg = driver("psycopg", "postgresql")
    sql = driver("psycopg.sql", "postgresql")
    with store_calls("postgresql", psycopg.Error), psycopg.connect(url) as connection:
        schema, _, name = (table or "").rpartition(".")
        tables = _postgres_tables(connection, schema)
        chosen = _choose(tables, name or None)
        timed = sql.SQL("created_at" if "created_at" in tables[chosen] else "NULL")
        place = sql.Identifier(schema, chosen) if schema else sql.Identifier(chosen)
        query = sql.SQL("SELECT id, session_id::text, message::text, {} FROM {} ORDER BY id")
        with connection.cursor(name="daybook_import") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(query.format(timed, place))
            for row_id, session, message, stored_at in cursor:
                key = f"{chosen}/{row_id}"
                yield StoredRow(session, message, key, key, parse_time(stored_at))


def _postgres_tables(connection: Any, schema: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE CASE WHEN %(schema)s = '' THEN table_schema = ANY (current_schemas(false)) "
        "ELSE table_schema = %(schema)s END",
        {"schema": schema},
    ):
        found.setdefault(table, set()).add(column)
    return found


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _sqlite_tables(connection: sqlite3.Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c "
        "WHERE m.type = 'table'"
    ):
        found.setdefault(table, set()).add(column)
    return found


def _choose(tables: Mapping[str, set[str]], wanted: str | None) -> str:
    """Return the table to read: the one that was named, the usual one, or the only one."""
    ours = sorted(name for name, columns in tables.items() if _is_ours(columns))
    if wanted is not None:
        if wanted in ours:
            return wanted
        raise InvalidInputError("there is no such table with LangChain's messages")
    if _USUAL in ours:
        return _USUAL
    if len(ours) == 1:
        return ours[0]
    if ours:
        raise InvalidInputError(f"several tables hold messages, name one: {', '.join(ours)}")
    raise InvalidInputError("the database holds no table of LangChain's messages")


def _is_ours(columns: set[str]) -> bool:
    return columns >= _COLUMNS


def _plain(row_id: Any) -> str:
    return row_id.decode("utf-8", "replace") if isinstance(row_id, bytes) else str(row_id)
