"""Files as older and newer versions of Daybook would leave them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock

from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.engines.sqlite import schema
from daybook.engines.sqlite.engine import SQLiteEngine
from daybook.facets.history import History
from daybook.protocols.clock import SystemClock, new_id
from tools.crash.plan import PLANS, Put
from tools.crash.store import USER, make_message

__all__ = ["make_foreign", "make_newer", "make_version_1"]

_OLD_STEPS = 4


@contextmanager
def _schema_version(version: int) -> Iterator[None]:
    with (
        mock.patch.object(schema, "STEPS", schema.STEPS[:version]),
        mock.patch.object(schema, "VERSION", version),
    ):
        yield


def make_version_1(folder: Path, plan: str) -> int:
    """Write `book.db` with the first steps of a plan by the first schema step alone.

    Returns:
        How many steps of the plan it holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _schema_version(1):
        asyncio.run(_write(folder / "book.db", plan))
    with closing(sqlite3.connect(folder / "book.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)  # noqa: S101
    return _OLD_STEPS


async def _write(path: Path, plan: str) -> None:
    clock = SystemClock()
    engine = SQLiteEngine(path, clock=clock)
    history = History(
        engine.log,
        tenant="default",
        clock=clock,
        id_factory=new_id,
        counter=ApproximateTokenCounter(),
        changed=lambda: None,
    )
    for (operation,) in PLANS[plan][:_OLD_STEPS]:
        assert isinstance(operation, Put)  # noqa: S101 - what `migrate` begins with
        messages = [make_message(one, operation.size) for one in operation.ids]
        await history.append(operation.session, messages, user_id=USER)
    await engine.close()


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
