"""Calls that are cancelled at a random moment of their lives."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any, Literal, TypeVar

__all__ = ["CUT", "Cut", "Scissors"]

T = TypeVar("T")
Cut = Literal["cut"]
CUT: Cut = "cut"


class Scissors:
    """Cancels some calls: before they start, after some steps, or some of their usual time in."""

    def __init__(self, seed: int, *, share: float = 0.4) -> None:
        """Choose the same calls for the same seed.

        Args:
            seed: Any number.
            share: How many of the calls are cancelled.
        """
        self._chance = Random(seed)  # noqa: S311 - a reproducible test, no secret
        self._share = share
        self._usual_s = 0.0

    async def run(self, call: Coroutine[Any, Any, T]) -> T | Cut:
        """Return what a call answers, or `CUT` if it was cancelled first."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        task = asyncio.ensure_future(call)
        try:
            if self._chance.random() >= self._share:
                answer = await task
                self._usual_s = max(self._usual_s, loop.time() - began)
                return answer
            await self._wait(task)
            task.cancel()
            return await task
        except asyncio.CancelledError:
            if not task.cancelled():  # it is us who were cancelled
                raise
            return CUT
        finally:
            task.cancel()

    async def _wait(self, task: asyncio.Task[Any]) -> None:
        if self._chance.random() < 0.5:
            for _ in range(self._chance.randrange(6)):
                await asyncio.sleep(0)
        else:
            await asyncio.wait({task}, timeout=self._chance.random() * self._usual_s)
