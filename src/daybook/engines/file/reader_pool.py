"""Reader threads: reads never wait for a write, and never run on an event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from daybook.enginekit.reader_threads import ReaderThreads
from daybook.engines.file.driver_errors import ENGINE, map_errors

__all__ = ["ReaderPool"]

T = TypeVar("T")


class ReaderPool:
    """Runs read jobs, which open what they read, on a few threads."""

    def __init__(self, size: int) -> None:
        self._threads = ReaderThreads[None](
            size,
            name="daybook-file-reader",
            engine=ENGINE,
            mapped=map_errors,
            begin=lambda: None,
            end=lambda _: None,
        )

    async def run(self, job: Callable[[], T], operation: str) -> T:
        """Run a job on a reader's thread and return its result.

        Raises:
            StoreError: The system failed; mapped.
        """
        return await self._threads.run(lambda _: job(), operation)

    def close(self) -> None:
        """Finish queued reads, end the threads. Blocks until done. Repeatable."""
        self._threads.close()
