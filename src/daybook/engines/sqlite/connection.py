"""Connections to one database file, with the settings that its promises rest on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

__all__ = [
    "FIXED_WAL_RESET",
    "Synchronous",
    "configure_writer",
    "connect_reader",
    "connect_writer",
    "one_moment",
]

Synchronous = Literal["full", "normal"]

# The first release without the WAL-reset bug; see write_lock.py.
FIXED_WAL_RESET = (3, 51, 3)

_BUSY_TIMEOUT_MS = 30_000
_STATEMENTS = 256
# Of each connection. What is not in a reader's the system has: a microsecond more, 8 MB less.
_WRITER_CACHE_KIB = 16_384
_READER_CACHE_KIB = 8_192


def connect_writer(path: Path) -> sqlite3.Connection:
    """Return the connection that commits; only ever used by one thread, under the write lock.

    Nothing of the file is changed before `configure_writer`.
    """
    return _connect(path, _WRITER_CACHE_KIB)


def configure_writer(connection: sqlite3.Connection, synchronous: Synchronous) -> None:
    """Set what the promises rest on.

    Checkpoints run on this connection alone, as part of its commits. Deleted rows are overwritten
    (`secure_delete`), so a deleted message does not stay readable in the file.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous.upper()}")
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can only read, and never checkpoints."""
    connection = _connect(path, _READER_CACHE_KIB)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all reads of the block see the file as it is at the first of them."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # an error of the disk may have ended it
            connection.execute("COMMIT")


def _connect(path: Path, cache_kib: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )
    try:
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
