"""How a contract's tests run: an async test becomes a plain one, in an event loop of its own.

No plugin is needed, and a contract can also be run outside pytest (see `conviction`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Generic, TypeVar

from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.fake_clock import FakeClock

__all__ = ["Contract", "scenario", "together"]


C = TypeVar("C", bound="Contract[Any]")
S = TypeVar("S")
T = TypeVar("T")


class Contract(ABC, Generic[S]):
    """Base of every contract: a subclass says how to open the engine that is tested.

    Attributes:
        persists: A second `open` within one test sees what the first one stored.
        effort: How much the crowds of the concurrency tests do; less for a slow simulator.
        engine: The one that the running test has open.
    """

    persists: ClassVar[bool] = True
    effort: ClassVar[float] = 1.0
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

    @asynccontextmanager
    async def beside(self, clock: Clock) -> AsyncIterator[S]:
        """Yield the store of a second engine on the same data, as another process would open it.

        The same store again if the engine does not share its data.
        """
        if not (self.persists and self.engine.capabilities.several_processes):
            yield self.store_of(self.engine)
            return
        other = await self.open(clock)
        try:
            yield self.store_of(other)
        finally:
            await other.close()

    def scaled(self, count: int) -> int:
        """Return how many of so many things this engine's tests do."""
        return max(2, round(count * self.effort))


async def together(*calls: Coroutine[Any, Any, T]) -> list[T]:
    """Return the answers of calls that run at once; if one fails, the others end with it."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
