"""Finish what must not be left half when a task is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["completed", "ended"]

T = TypeVar("T")


async def completed(work: Coroutine[Any, Any, T]) -> T:
    """Run something short to its end even if the caller is cancelled meanwhile.

    Raises:
        CancelledError: The caller was cancelled; the work is done by then, or has failed.
    """
    task = asyncio.ensure_future(work)
    await ended(task)
    return task.result()


async def ended(task: asyncio.Task[Any]) -> None:
    """Wait until a task has ended, however often the caller is cancelled meanwhile.

    Raises:
        CancelledError: The caller was cancelled.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancelled = exc
    if not task.cancelled():
        task.exception()  # seen, whether the caller asks for it or not
    if cancelled is not None:
        raise cancelled
