"""Reader threads: each owns a read-only connection, so reads never wait for the writer."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

from daybook.enginekit.reader_threads import ReaderThreads
from daybook.engines.sqlite.connection import connect_reader
from daybook.engines.sqlite.driver_errors import ENGINE, map_errors

__all__ = ["ReaderPool"]


class ReaderPool(ReaderThreads[sqlite3.Connection]):
    """Runs read jobs on a few connections."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(
            size,
            name="daybook-reader",
            engine=ENGINE,
            mapped=map_errors,
            begin=partial(connect_reader, path),
            end=sqlite3.Connection.close,
        )
