"""An end to every wait for a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from daybook.errors import StoreTimeoutError

__all__ = ["deadline"]


@asynccontextmanager
async def deadline(seconds: float, *, engine: str, operation: str) -> AsyncIterator[None]:
    """Let what is inside run for so long at most.

    Raises:
        StoreTimeoutError: The time is over; what was running was cancelled. Whether the server
            did it, nobody knows: the same call may be repeated.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StoreTimeoutError(
            f"no answer within {seconds:g} s: it may or may not have been done; repeat the call",
            engine=engine,
            operation=operation,
        ) from None
