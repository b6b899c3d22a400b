"""One at a time for each session, within one event loop.

Writers that wait for the same document would otherwise all try at once, and a server that meets
ten transactions on one document ends nine of them, again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Turns"]


class Turns:
    """Locks by key; one that nobody holds or waits for takes no memory."""

    def __init__(self) -> None:
        self._locks: dict[bytes, asyncio.Lock] = {}
        self._users: dict[bytes, int] = {}

    @asynccontextmanager
    async def take(self, key: bytes) -> AsyncIterator[None]:
        """Wait for one's turn, first come first served."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
