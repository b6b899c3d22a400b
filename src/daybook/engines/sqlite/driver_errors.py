"""The one place where sqlite3's exceptions become Daybook's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from daybook.errors import (
    CorruptRecordError,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)

__all__ = ["ENGINE", "map_errors", "translate"]

ENGINE = "sqlite"

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "the file is locked by another program; retry, or close that program",
    sqlite3.SQLITE_LOCKED: "a table is locked; retry",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: check that its folder exists and is yours",
    sqlite3.SQLITE_IOERR: "reading or writing the file failed: check the disk",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_PERM: "no permission for the file",
    sqlite3.SQLITE_NOMEM: "out of memory",
    sqlite3.SQLITE_INTERRUPT: "the statement was interrupted; retry",
}
_CORRUPT = {
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore a backup, or recover it with sqlite3",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database",
}


def translate(error: sqlite3.Error, operation: str) -> StoreError:
    """Return the Daybook error of a driver error. Never holds a stored value."""
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE:
        return StoreFullError(
            "no room left on the disk; nothing of this call was stored: free some space and retry",
            engine=ENGINE,
            operation=operation,
        )
    if code in _UNAVAILABLE:
        return StoreUnavailableError(_UNAVAILABLE[code], engine=ENGINE, operation=operation)
    if code in _CORRUPT:
        return CorruptRecordError(_CORRUPT[code], engine=ENGINE, operation=operation)
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return StoreClosedError("the store was closed", engine=ENGINE, operation=operation)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreError(f"the driver reported {name}", engine=ENGINE, operation=operation)


@contextmanager
def map_errors(operation: str) -> Iterator[None]:
    """Turn any sqlite3 error inside the block into a `StoreError`."""
    try:
        yield
    except sqlite3.Error as exc:
        raise translate(exc, operation) from exc
