"""An end to every wait for a server."""

from __future__ import annotations

import asyncio
from types import TracebackType

from daybook.errors import StoreTimeoutError

__all__ = ["deadline"]


class deadline:  # noqa: N801 - used like a function
    """Let what is inside ``async with deadline(…)`` run for so long at most.

    Raises:
        StoreTimeoutError: The time is over; what was running was cancelled. Whether the server
            did it, nobody knows: the same call may be repeated.
    """

    # A class and no generator: it stands around every call, and this takes half the time.
    __slots__ = ("_engine", "_operation", "_seconds", "_timeout")

    def __init__(self, seconds: float, *, engine: str, operation: str) -> None:
        self._seconds = seconds
        self._engine = engine
        self._operation = operation
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        late = isinstance(error, TimeoutError)
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            late = True
        if late:
            raise StoreTimeoutError(
                f"no answer within {self._seconds:g} s: it may or may not have been done; repeat "
                "the call",
                engine=self._engine,
                operation=self._operation,
            ) from None
