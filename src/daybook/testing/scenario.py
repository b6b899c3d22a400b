"""How a contract's tests run: an async test becomes a plain one, in an event loop of its own.

No plugin is needed, and a contract can also be run outside pytest (see `conviction`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from daybook.protocols.clock import Clock
from daybook.testing.fake_clock import FakeClock

__all__ = ["Contract", "scenario"]


class Closable(Protocol):
    """Anything a contract can open and must close."""

    async def close(self) -> None:
        """Release everything."""
        ...


S = TypeVar("S", bound=Closable)
C = TypeVar("C", bound="Contract[Any]")


class Contract(ABC, Generic[S]):
    """Base of every contract: a subclass says how to open what is tested.

    Attributes:
        persists: A second `open` within one test sees what the first one stored.
    """

    persists: ClassVar[bool] = True

    @abstractmethod
    async def open(self, clock: Clock) -> S:
        """Open the test's store; a store that persists opens the same data each time."""

    def renew(self) -> None:  # noqa: B027 - stores that keep nothing have nothing to do
        """Make the next `open` start with an empty store; a store that persists overrides it."""


def scenario(
    test: Callable[[C, S, FakeClock], Coroutine[Any, Any, None]],
) -> Callable[[C], None]:
    """Turn ``async def test(self, store, clock)`` into a test that opens and closes the store."""

    def run(self: C) -> None:
        async def steps() -> None:
            clock = FakeClock()
            store = await self.open(clock)
            try:
                await test(self, store, clock)
            finally:
                await store.close()

        asyncio.run(steps())

    run.__name__ = test.__name__
    run.__qualname__ = test.__qualname__
    run.__doc__ = test.__doc__
    run.__module__ = test.__module__
    return run
