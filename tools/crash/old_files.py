"""Files as older and newer versions of Daybook would leave them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from daybook.engines.sqlite import schema
from tools.crash.plan import PLANS, Put
from tools.crash.store import USER, make_message, open_book

__all__ = ["make_foreign", "make_newer", "make_version_1"]

_OLD_STEPS = 4
_TABLES = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name != 'sqlite_sequence'"


def make_version_1(folder: Path, plan: str) -> int:
    """Write `book.db` with the first steps of a plan in the tables of the first schema step.

    Returns:
        How many steps of the plan it holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_write(folder / "today.db", plan))
    with closing(sqlite3.connect(folder / "book.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in schema.STEPS[0]:
            connection.execute(statement)
        connection.execute("ATTACH ? AS today", (str(folder / "today.db"),))
        for (table,) in connection.execute(_TABLES).fetchall():
            names = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
            connection.execute(
                f"INSERT INTO {table} ({names}) SELECT {names} FROM today.{table}"  # noqa: S608
            )
        connection.execute("DETACH today")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
    for file in folder.glob("today.db*"):
        file.unlink()
    return _OLD_STEPS


async def _write(path: Path, plan: str) -> None:
    async with open_book(path) as book:
        for (operation,) in PLANS[plan][:_OLD_STEPS]:
            assert isinstance(operation, Put)  # noqa: S101 - what `migrate` begins with
            messages = [make_message(one, operation.size) for one in operation.ids]
            await book.history.append(operation.session, messages, user_id=USER)


def make_newer(path: Path) -> None:
    """Write a file of a schema version that does not exist yet."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("CREATE TABLE sessions (future TEXT)")
        connection.execute("INSERT INTO sessions VALUES ('kept')")
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")


def make_foreign(path: Path) -> None:
    """Write another program's SQLite file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.execute("INSERT INTO bookmarks VALUES ('kept')")
