"""The threads that talk to DynamoDB: every call runs on one of them and has an end.

botocore is synchronous; a thread of its own for each request in flight makes it serve any number of
event loops, and a caller that is cancelled leaves its request to a connection nobody else uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from daybook.enginekit.deadline import deadline
from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.driver_errors import ENGINE
from daybook.errors import StoreClosedError

__all__ = ["THREADS", "Worker"]

T = TypeVar("T")

THREADS = 16


class Worker:
    """Runs jobs on threads; two pools, so that a job waiting for requests never holds them up."""

    def __init__(self, client: Any, table: str, *, timeout_s: float) -> None:
        """Take over a client.

        Args:
            client: botocore's client; it is closed with this object.
            table: The table's name.
            timeout_s: How long one call may take.
        """
        self._client = client
        self._table = table
        self._timeout_s = timeout_s
        self._jobs = ThreadPoolExecutor(THREADS, thread_name_prefix="daybook-dynamodb")
        self._requests = ThreadPoolExecutor(THREADS, thread_name_prefix="daybook-dynamodb-io")
        self._closed = False
        self._lock = Lock()

    async def run(self, job: Callable[[Calls], T], operation: str) -> T:
        """Run a job and return its answer.

        Raises:
            StoreClosedError: The engine is closed.
            StoreTimeoutError: The job did not end in time.
            StoreError: DynamoDB refused, or could not be reached.
        """
        calls = self.calls(operation)
        return await self.wait(self.submit(lambda: job(calls), operation), operation)

    async def wait(self, future: Future[T], operation: str) -> T:
        """Wait for a future of another thread until the deadline."""
        async with deadline(self._timeout_s, engine=ENGINE, operation=operation):
            return await asyncio.wrap_future(future)

    def submit(self, job: Callable[[], T], operation: str) -> Future[T]:
        """Start a job.

        Raises:
            StoreClosedError: The engine is closed.
        """
        with self._lock:
            if self._closed:
                raise StoreClosedError(
                    "the engine is closed: open it again", engine=ENGINE, operation=operation
                )
            return self._jobs.submit(job)

    def calls(self, operation: str) -> Calls:
        """Return the requests of one call, whose time starts now."""
        return Calls(self._client, self._table, self._requests, operation, self._timeout_s)

    def close(self) -> None:
        """Finish what is in flight and close the connections. Repeatable."""
        with self._lock:
            self._closed = True
        self._jobs.shutdown()
        self._requests.shutdown()
        self._client.close()
