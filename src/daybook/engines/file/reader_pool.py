"""Reader threads: reads never wait for a write, and never run on an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from daybook.engines.file.driver_errors import ENGINE, map_errors
from daybook.errors import StoreClosedError

__all__ = ["ReaderPool"]

T = TypeVar("T")
_Task = tuple[Callable[[], Any], str, asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class ReaderPool:
    """Runs read jobs on a few threads."""

    def __init__(self, size: int) -> None:
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"daybook-file-reader-{number}", daemon=True)
            for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, job: Callable[[], T], operation: str) -> T:
        """Run a job on a reader's thread and return its result.

        Raises:
            StoreError: The system failed; mapped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._gate:
            if self._closed:
                raise StoreClosedError("the store was closed", engine=ENGINE, operation=operation)
            self._queue.put((job, operation, loop, future))
        return await future

    def close(self) -> None:
        """Finish queued reads, end the threads. Blocks until done. Repeatable."""
        with self._gate:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            job, operation, loop, future = task
            result: Any = None
            error: BaseException | None = None
            try:
                with map_errors(operation):
                    result = job()
            except BaseException as exc:  # noqa: BLE001 - handed to the caller who asked
                error = exc
            try:
                loop.call_soon_threadsafe(_deliver, future, result, error)
            except RuntimeError:
                if not loop.is_closed():  # a closed loop has nobody left to tell
                    raise


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # the caller was cancelled
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
