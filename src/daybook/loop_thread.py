"""An event loop on a thread of its own, for callers that are not async."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, TypeVar

from daybook.errors import StoreClosedError, UnsupportedError

__all__ = ["LoopThread"]

T = TypeVar("T")
_END: Any = object()
_LONGEST_END_S = 10.0


class LoopThread:
    """Runs coroutines for any number of threads and gives them the results."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._process = os.getpid()
        self._closed = False
        # Held while a call is given to the loop, so that none comes after the loop's last turn.
        self._gate = threading.RLock()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for its result.

        An interrupt (Ctrl-C) while waiting cancels the coroutine.

        Raises:
            UnsupportedError: Called on the loop's own thread, or in a forked child.
            StoreClosedError: The loop was closed, before the call or while it ran.
        """
        given = False
        try:
            self._check_caller()
            with self._gate:
                self._check_open()
                given = True
                future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
            return future.result()
        except CancelledError:
            self._check_open()
            raise
        except BaseException as exc:
            if not given:
                coroutine.close()
            elif not isinstance(exc, Exception):
                # By the coroutine: an interrupt may come before its future is in anybody's hands.
                with suppress(RuntimeError):  # the loop has ended, and with it the coroutine
                    self._loop.call_soon_threadsafe(_cancel, coroutine, self._loop)
            raise

    def begin(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine on the loop without waiting; nothing happens if the loop was closed."""
        if os.getpid() != self._process:
            coroutine.close()
            return
        with self._gate:
            if self._closed:
                coroutine.close()
            else:
                asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def iterate(self, items: AsyncGenerator[T]) -> Generator[T, None, None]:
        """Yield what an async generator yields, each step run on the loop.

        Closing this iterator, or an interrupt (Ctrl-C) while it waits, closes the generator and
        waits until that has ended.

        Raises:
            UnsupportedError: Used on the loop's own thread, or in a forked child.
            StoreClosedError: The loop was closed.
        """
        # A step that was cancelled is still ending when the generator is to be closed.
        one_at_a_time = asyncio.Lock()

        async def step() -> T:
            async with one_at_a_time:
                return await anext(items, _END)

        async def close() -> None:
            async with one_at_a_time:
                await items.aclose()

        try:
            while (item := self.run(step())) is not _END:
                yield item
        finally:
            with suppress(StoreClosedError):  # the loop closed its generators when it ended
                self.run(close())

    def close(self) -> None:
        """End the loop and its thread; calls that still run are cancelled. Repeatable."""
        if os.getpid() != self._process:
            self._closed = True
            return
        with self._gate:
            if self._closed:
                return
            self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _check_caller(self) -> None:
        if threading.get_ident() == self._thread.ident:
            raise UnsupportedError(
                "a blocking call from inside Daybook's own event loop would wait for itself: use "
                "AsyncDaybook there"
            )
        if os.getpid() != self._process:
            raise UnsupportedError(
                "this Daybook was opened before the process forked: open a new one in the child"
            )

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError("the daybook was closed", engine="daybook", operation="call")

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        if tasks := asyncio.all_tasks(self._loop):
            for task in tasks:
                task.cancel()
            # Somebody waits for each; one that would not be cancelled keeps nobody for ever.
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=_LONGEST_END_S))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())


def _cancel(coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the task that runs a coroutine; nothing happens if it has ended."""
    for task in asyncio.all_tasks(loop):
        if task.get_coro() is coroutine:
            task.cancel()
