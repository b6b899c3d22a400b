"""Runs a caller's function on a worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(function: Callable[..., T], /, *arguments: Any, **named: Any) -> T:
    """Return what a function returns, as `asyncio.to_thread` does.

    Raises:
        RuntimeError: It raised `StopIteration`, which no future can carry: whoever awaits one
            would wait for ever.
    """
    return await asyncio.to_thread(_called, function, arguments, named)


def _called(function: Callable[..., T], arguments: tuple[Any, ...], named: dict[str, Any]) -> T:
    try:
        return function(*arguments, **named)
    except StopIteration as exc:
        raise RuntimeError("the function raised StopIteration") from exc
