"""Reader threads: each owns a read-only connection, so reads never wait for the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from daybook.enginekit.reader_threads import ReaderThreads
from daybook.engines.sqlite.connection import connect_reader, one_moment
from daybook.engines.sqlite.driver_errors import ENGINE, map_errors

__all__ = ["ReaderPool"]

T = TypeVar("T")


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

    async def run_at_one_moment(self, job: Callable[[sqlite3.Connection], T], operation: str) -> T:
        """Run a job of several statements, none of which sees what is written in between.

        Raises:
            StoreError: The driver or system failed; mapped.
        """
        return await self.run(partial(_at_one_moment, job), operation)


def _at_one_moment(job: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    with one_moment(connection):
        return job(connection)
