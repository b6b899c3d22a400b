"""One driver client for each event loop that uses an engine.

An async driver's sockets belong to the loop that opened them. An engine is used from any loop
(the blocking facade has one of its own), so each loop gets a client when it first asks.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["PerLoop"]

T = TypeVar("T")


# How long a client's own loop may take to close it before nobody waits any more.
_HELD_UP_S = 2.0


class _Opened(Generic[T]):
    """A loop's client, and the generator that closes it when the loop ends."""

    def __init__(self, client: asyncio.Future[T], guard: AsyncGenerator[None, None]) -> None:
        self.client = client
        self.guard = guard

    def failed(self) -> bool:
        done = self.client.done()
        return done and (self.client.cancelled() or self.client.exception() is not None)


class PerLoop(Generic[T]):
    """Clients by event loop, made on first use and closed together, or with their loop."""

    def __init__(
        self, make: Callable[[], Awaitable[T]], close: Callable[[T], Awaitable[None]]
    ) -> None:
        """Remember how clients are made and closed.

        Args:
            make: Opens a client for the running loop.
            close: Closes one; called on the client's own loop while that still runs.
        """
        self._make = make
        self._close = close
        self._lock = Lock()
        self._clients: dict[AbstractEventLoop, _Opened[T]] = {}

    async def get(self) -> T:
        """Return the running loop's client; concurrent first calls share one."""
        loop = asyncio.get_running_loop()
        opened = self._clients.get(loop)
        if opened is None or opened.failed():
            opened = await self._open(loop)
        return await asyncio.shield(opened.client)

    async def _open(self, loop: AbstractEventLoop) -> _Opened[T]:
        client = asyncio.ensure_future(_as_coroutine(self._make))
        opened = _Opened(client, self._until_the_loop_ends(loop, client))
        with self._lock:
            self._clients[loop] = opened
        await anext(opened.guard)
        return opened

    async def _until_the_loop_ends(
        self, loop: AbstractEventLoop, client: asyncio.Future[T]
    ) -> AsyncGenerator[None, None]:
        """Close the loop's client when its generators are closed, as `asyncio.run` does at its end.

        Without it the client's sockets would outlive the loop that alone can close them.
        """
        try:
            yield
        finally:
            with self._lock:
                opened = self._clients.get(loop)
                mine = opened is not None and opened.client is client
                if mine:
                    del self._clients[loop]
            if opened is not None and mine:
                await self._close_client(opened)

    async def close(self) -> None:
        """Close every client whose loop still runs. Repeatable.

        A client of a loop that was closed without ending its generators is dropped; its sockets
        close with it. A loop that is held up, perhaps by whoever waits for this very call, closes
        its own as soon as it goes on.
        """
        with self._lock:
            clients = dict(self._clients)
            self._clients.clear()
        here = asyncio.get_running_loop()
        for loop, opened in clients.items():
            if loop is here:
                await self._close_one(opened)
            elif loop.is_running():
                there = asyncio.run_coroutine_threadsafe(self._close_one(opened), loop)
                await _wait_a_while(there, here)

    async def _close_one(self, opened: _Opened[T]) -> None:
        await opened.guard.aclose()
        await self._close_client(opened)

    async def _close_client(self, opened: _Opened[T]) -> None:
        if not opened.client.done():
            opened.client.cancel()
            return
        if not opened.failed():
            await self._close(opened.client.result())


async def _wait_a_while(work: Future[None], here: AbstractEventLoop) -> None:
    """Wait for work on another loop, raising what it raised; not for ever."""
    ended = asyncio.Event()

    def wake(_: Future[None]) -> None:
        with suppress(RuntimeError):  # nobody waits: this loop has been closed
            here.call_soon_threadsafe(ended.set)

    work.add_done_callback(wake)
    try:
        async with asyncio.timeout(_HELD_UP_S):
            await ended.wait()
    except TimeoutError:
        return  # it ends by itself when its loop goes on
    work.result()


async def _as_coroutine(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
