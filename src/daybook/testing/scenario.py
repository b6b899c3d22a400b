"""How a contract's tests run: an async test becomes a plain one, in an event loop of its own.

No plugin is needed, and a contract can also be run outside pytest (see `conviction`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Generic, TypeVar

from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.fake_clock import FakeClock

__all__ = ["Contract", "scenario"]


C = TypeVar("C", bound="Contract[Any]")
S = TypeVar("S")


class Contract(ABC, Generic[S]):
    """Base of every contract: a subclass says how to open the engine that is tested.

    Attributes:
        persists: A second `open` within one test sees what the first one stored.
        engine: The one that the running test has open.
    """

    persists: ClassVar[bool] = True
    engine: Engine

    @abstractmethod
    async def open(self, clock: Clock) -> Engine:
        """Open the test's engine; one that persists opens the same data each time."""

    @abstractmethod
    def store_of(self, engine: Engine) -> S:
        """Return the store of an engine that this contract is about."""

    def renew(self) -> None:
        """Make the next `open` start with nothing stored; an engine that persists overrides it."""

    async def reopen(self, clock: Clock) -> S:
        """Close the engine and open it again."""
        await self.engine.close()
        self.engine = await self.open(clock)
        return self.store_of(self.engine)


def scenario(
    test: Callable[[C, S, FakeClock], Coroutine[Any, Any, None]],
) -> Callable[[C], None]:
    """Turn ``async def test(self, store, clock)`` into a test that opens and closes the engine."""

    def run(self: C) -> None:
        async def steps() -> None:
            clock = FakeClock()
            self.engine = await self.open(clock)
            try:
                await test(self, self.store_of(self.engine), clock)
            finally:
                await self.engine.close()

        asyncio.run(steps())

    run.__name__ = test.__name__
    run.__qualname__ = test.__qualname__
    run.__doc__ = test.__doc__
    run.__module__ = test.__module__
    return run
