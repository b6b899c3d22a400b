"""The floors: what the driver alone can do, with JSON made and read by the standard library."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sides.history import AsyncHistory, SyncHistory
from benchmarks.sides.weighing import sqlite_bytes
from benchmarks.talk import Exchange

__all__ = ["RawAiosqlite", "RawSqlite", "body_of", "connect_raw"]

_TABLE = (
    "CREATE TABLE IF NOT EXISTS messages (session TEXT NOT NULL, seq INTEGER NOT NULL, "
    "body TEXT NOT NULL, PRIMARY KEY (session, seq)) WITHOUT ROWID"
)
_APPEND = (
    "INSERT INTO messages SELECT ?1, coalesce(max(seq), 0) + 1, ?2 FROM messages WHERE session = ?1"
)
_NEWEST = "SELECT body FROM messages WHERE session = ? ORDER BY seq DESC LIMIT ?"
_ROLES = ("user", "assistant")


def connect_raw(path: Path, synchronous: str) -> sqlite3.Connection:
    """Return a connection to a database in WAL mode with the floor's one table."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(_TABLE)
    return connection


def body_of(at: int, text: str) -> dict[str, str]:
    """Return a message as the floors keep it: user and assistant in turn."""
    return {"role": _ROLES[at % 2], "content": text}


def rows_of(session: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Return texts as rows to append, user and assistant in turn."""
    return [(session, json.dumps(body_of(at, text))) for at, text in enumerate(texts)]


class RawSqlite(SyncHistory):
    """`sqlite3` and one table."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.connection = connect_raw(path, synchronous)
        self._path = path

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one transaction."""
        with self.connection:
            self.connection.executemany(_APPEND, rows_of(session, texts))

    def append(self, session: str, exchange: Exchange) -> None:
        """Append two rows and commit."""
        self.connection.executemany(_APPEND, rows_of(session, exchange))
        self.connection.commit()

    def append_together(self, session: str, exchanges: Sequence[Exchange]) -> None:
        """Append many exchanges in one commit."""
        for exchange in exchanges:
            self.connection.executemany(_APPEND, rows_of(session, exchange))
        self.connection.commit()

    def load(self, session: str, limit: int | None) -> int:
        """Read and decode."""
        bounds = (session, -1 if limit is None else limit)
        rows = self.connection.execute(_NEWEST, bounds).fetchall()
        messages: list[Any] = [json.loads(body) for (body,) in rows]
        messages.reverse()
        return len(messages)

    def stored_bytes(self) -> int:
        """Return the pages in use."""
        return sqlite_bytes(self._path)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class RawAiosqlite(AsyncHistory):
    """`aiosqlite` and the same table: the driver most async programs use."""

    def __init__(self, path: Path, synchronous: str) -> None:
        super().__init__()
        connect_raw(path, synchronous).close()
        self._path = path
        # One connection: callers that write at the same time would end each other's transactions.
        self._turn = asyncio.Lock()
        self._connection: Any = self.loop.wait(self._open(path, synchronous))

    async def _open(self, path: Path, synchronous: str) -> Any:
        import aiosqlite  # noqa: PLC0415 - an optional peer

        connection = await aiosqlite.connect(path)
        await connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one transaction."""
        self.loop.wait(self._write(rows_of(session, texts)))

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append two rows and commit."""
        await self._write(rows_of(session, exchange))

    async def _write(self, rows: list[tuple[str, str]]) -> None:
        async with self._turn:
            await self._connection.executemany(_APPEND, rows)
            await self._connection.commit()

    async def load(self, session: str, limit: int | None) -> int:
        """Read and decode."""
        bounds = (session, -1 if limit is None else limit)
        rows = await self._connection.execute_fetchall(_NEWEST, bounds)
        messages: list[Any] = [json.loads(body) for (body,) in rows]
        messages.reverse()
        return len(messages)

    def stored_bytes(self) -> int:
        """Return the pages in use."""
        return sqlite_bytes(self._path)

    def close(self) -> None:
        """Close the connection and the loop."""
        self.loop.wait(self._connection.close())
        self.loop.close()
