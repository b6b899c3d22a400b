"""A subclass that changes a history's sync method changes its async twin: LangChain's rule.

LangChain's base class runs the sync method on a thread where there is no async one of a class's
own; ours is async by itself, so it looks whether a subclass means something else by the sync one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

__all__ = ["NONE", "of_subclass"]

NONE = object()
"""What `of_subclass` returns where a subclass has changed nothing."""

_OURS = "daybook."
_underway: ContextVar[tuple[tuple[int, str], ...]] = ContextVar("_underway", default=())


async def of_subclass(history: object, name: str, twin: str, call: Callable[[], Any]) -> Any:
    """Return what a subclass's sync method returns, run on a thread; `NONE` if there is none.

    Args:
        history: The object.
        name: The sync method or property.
        twin: Its async twin.
        call: Calls the sync one.

    A sync method that itself asks the async twin is not asked again.
    """
    key = (id(history), name)
    if key in _underway.get() or not _is_changed(type(history), name, twin):
        return NONE
    token = _underway.set((*_underway.get(), key))
    try:
        return await asyncio.to_thread(call)
    finally:
        _underway.reset(token)


def _is_changed(kind: type, name: str, twin: str) -> bool:
    """Tell whether a class that is not ours defines the sync one, and none below it the twin."""
    for one in kind.__mro__:
        if one.__module__.startswith(_OURS) or twin in vars(one):
            return False
        if name in vars(one):
            return True
    return False
