"""One driver client for each event loop that uses an engine.

An async driver's sockets belong to the loop that opened them. An engine is used from any loop
(the blocking facade has one of its own), so each loop gets a client when it first asks.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["PerLoop"]

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Clients by event loop, made on first use and closed together."""

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
        self._clients: WeakKeyDictionary[AbstractEventLoop, asyncio.Future[T]] = WeakKeyDictionary()

    async def get(self) -> T:
        """Return the running loop's client; concurrent first calls share one."""
        loop = asyncio.get_running_loop()
        opened = self._clients.get(loop)
        if opened is None or _failed(opened):
            with self._lock:
                opened = self._clients.get(loop)
                if opened is None or _failed(opened):
                    opened = asyncio.ensure_future(_as_coroutine(self._make))
                    self._clients[loop] = opened
        return await asyncio.shield(opened)

    async def close(self) -> None:
        """Close every client whose loop still runs. Repeatable.

        A client of a loop that has ended is dropped; its sockets close with it.
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
                await asyncio.wrap_future(there)

    async def _close_one(self, opened: asyncio.Future[T]) -> None:
        if not opened.done():
            opened.cancel()
            return
        if not _failed(opened):
            await self._close(opened.result())


def _failed(opened: asyncio.Future[T]) -> bool:
    return opened.done() and (opened.cancelled() or opened.exception() is not None)


async def _as_coroutine(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
