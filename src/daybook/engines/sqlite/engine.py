"""The SQLite engine: one file holds the log, the records and the search index."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from daybook.engines.sqlite.connection import FIXED_WAL_RESET, Synchronous
from daybook.engines.sqlite.driver_errors import ENGINE
from daybook.engines.sqlite.message_log import SQLiteMessageLog
from daybook.engines.sqlite.reader_pool import ReaderPool
from daybook.engines.sqlite.record_store import SQLiteRecordStore
from daybook.engines.sqlite.search_index import SQLiteSearchIndex
from daybook.engines.sqlite.writer import Writer
from daybook.errors import ConfigError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES
from daybook.protocols.clock import Clock
from daybook.recall.search.large_columns import MOST_EXACT
from daybook.registry import EngineUrl

__all__ = ["SQLiteEngine", "open_engine"]

_DURABILITY = {
    "full": "an append returns after its fsync: it survives a crash and a power loss",
    "normal": "an append survives a crash of the process; a power loss may undo the latest",
}
_OPTIONS = {
    "synchronous": "full",
    "readers": "2",
    "lock_timeout_s": "30",
    "index_cache_mb": "256",
    "index_most_exact": str(MOST_EXACT),
}


class SQLiteEngine:
    """Everything in one file, for any number of threads, event loops and processes."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        synchronous: Synchronous = "full",
        readers: int = 2,
        lock_timeout_s: float = 30.0,
        index_cache_mb: int = 256,
        index_most_exact: int = MOST_EXACT,
    ) -> None:
        """Open or create the file.

        Args:
            path: The database; its folder must exist.
            clock: Decides what has expired.
            synchronous: ``full`` (durable) or ``normal`` (faster, receipts say ``volatile``).
            readers: Threads that read.
            lock_timeout_s: How long a commit may wait for other processes.
            index_cache_mb: Memory for the search index's columns.
            index_most_exact: Users with more messages are searched by codes of vectors first.

        Raises:
            StoreError: The file cannot be opened, or a newer Daybook wrote it.
            ConfigError: The file belongs to another program.
        """
        self._capabilities = _capabilities(synchronous)
        self._writer = Writer(path, synchronous=synchronous, lock_timeout_s=lock_timeout_s)
        self._readers = ReaderPool(path, readers)
        shared = (self._writer, self._readers, clock, self._capabilities)
        self._log = SQLiteMessageLog(*shared)
        self._records = SQLiteRecordStore(*shared)
        self._index = SQLiteSearchIndex(
            self._writer,
            self._readers,
            self._capabilities,
            cache_bytes=index_cache_mb << 20,
            most_exact=index_most_exact,
        )

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    @property
    def log(self) -> SQLiteMessageLog:
        """The message log."""
        return self._log

    @property
    def records(self) -> SQLiteRecordStore:
        """The record store."""
        return self._records

    @property
    def index(self) -> SQLiteSearchIndex:
        """The search index."""
        return self._index

    async def close(self) -> None:
        """Finish queued work and close the file. Repeatable."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._readers.close()
        self._writer.close()


async def open_engine(url: EngineUrl, *, clock: Clock) -> SQLiteEngine:
    """Open ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``.

    Options: ``synchronous=full|normal``, ``readers``, ``lock_timeout_s``, ``index_cache_mb``,
    ``index_most_exact``.
    """
    options = url.take(**_OPTIONS)
    location = url.location.removeprefix("/")
    if not location or location == ":memory:":
        raise ConfigError(
            "sqlite needs a file: sqlite:///chat.db (relative) or sqlite:////var/chat.db; for "
            "data that lives in the process only use inmemory://"
        )
    synchronous = options["synchronous"]
    if synchronous not in _DURABILITY:
        raise ConfigError("sqlite: synchronous must be full or normal")
    try:
        numbers = {
            "readers": int(options["readers"]),
            "lock_timeout_s": float(options["lock_timeout_s"]),
            "index_cache_mb": int(options["index_cache_mb"]),
            "index_most_exact": int(options["index_most_exact"]),
        }
    except ValueError:
        raise ConfigError(
            "sqlite: readers, lock_timeout_s, index_cache_mb and index_most_exact must be numbers"
        ) from None
    path = Path(location)
    if not path.parent.is_dir():
        raise ConfigError(f"sqlite: the folder of {path.name} does not exist: create it first")
    return await asyncio.to_thread(
        lambda: SQLiteEngine(path, clock=clock, synchronous=synchronous, **numbers)  # type: ignore[arg-type] # checked above
    )


def _capabilities(synchronous: Synchronous) -> EngineCapabilities:
    warnings = []
    if sqlite3.sqlite_version_info < FIXED_WAL_RESET:
        warnings.append(
            f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug (fixed in 3.51.3); Daybook's "
            "write lock guards against it: do not write to this file with other programs"
        )
    return EngineCapabilities(
        engine=ENGINE,
        ack="durable" if synchronous == "full" else "volatile",
        durability=_DURABILITY[synchronous],
        order="a counter in the session's row, advanced in the commit",
        several_processes=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        warnings=tuple(warnings),
    )
