"""Reader threads: reads never wait for a write, and never run on an event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from daybook.enginekit.pending_answer import PendingAnswer, deliver_all
from daybook.errors import StoreClosedError

__all__ = ["ReaderThreads"]

R = TypeVar("R")
T = TypeVar("T")


class _Read(PendingAnswer):
    __slots__ = ("job",)

    def __init__(self, operation: str, job: Callable[[Any], Any]) -> None:
        super().__init__(operation)
        self.job = job


class ReaderThreads(Generic[R]):
    """Runs read jobs on a few threads, each with a means of its own, for example a connection."""

    def __init__(
        self,
        size: int,
        *,
        name: str,
        engine: str,
        mapped: Callable[[str], AbstractContextManager[None]],
        begin: Callable[[], R],
        end: Callable[[R], None],
    ) -> None:
        """Start the threads.

        Args:
            size: How many.
            name: Of each, before its number.
            engine: For errors.
            mapped: Turns a driver's errors into ours, given the operation.
            begin: Makes a thread's means before its first job.
            end: Gives them up after its last.
        """
        self._engine = engine
        self._mapped = mapped
        self._begin = begin
        self._end = end
        self._queue: SimpleQueue[_Read | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, job: Callable[[R], T], operation: str) -> T:
        """Run `job` with a reader's means and return its result.

        Raises:
            StoreError: The driver or system failed; mapped.
        """
        read = _Read(operation, job)
        with self._gate:
            if self._closed:
                raise StoreClosedError(
                    "the store was closed", engine=self._engine, operation=operation
                )
            self._queue.put(read)
        result: T = await read.future
        return result

    def close(self) -> None:
        """Finish queued reads and end the threads. Blocks until done. Repeatable."""
        with self._gate:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        means: list[R] = []
        while (read := self._queue.get()) is not None:
            try:
                with self._mapped(read.operation):
                    if not means:
                        means.append(self._begin())
                    read.result = read.job(means[0])
            except BaseException as exc:  # noqa: BLE001 - handed to the caller who asked
                read.error = exc
            deliver_all([read])
        for one in means:
            self._end(one)
