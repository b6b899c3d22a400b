"""Time as an event loop lives it: while its machine stands still, none of it passes.

How long a call may take can only be judged by such a clock where other programs share the machine:
a call that hangs hangs while the loop beats, and a machine that stalls stops both.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

__all__ = ["Pulse"]

_BEAT_S = 0.01


class Pulse:
    """Beats for the length of an ``async with`` block."""

    def __init__(self) -> None:
        self._beats = 0
        self._beating: asyncio.Task[None] | None = None

    def seconds(self) -> float:
        """Return how long the loop has lived in the block; never more than a wall clock shows."""
        return self._beats * _BEAT_S

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_S)
            self._beats += 1

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._beat(), name="pulse")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
