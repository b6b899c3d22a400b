"""What every keeper of conversations is asked to do, and how long it takes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from benchmarks.harness import AsyncSide
from benchmarks.talk import Exchange

__all__ = ["AsyncHistory", "History", "SyncHistory", "UnusableError"]


class UnusableError(Exception):
    """A library is installed and cannot be used here; the text says why, for the table."""


class History(ABC):
    """Keeps conversations; times each operation where it is awaited, without the harness."""

    @abstractmethod
    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append many messages in bulk, user and assistant in turn; not timed."""

    @abstractmethod
    def time_appends(
        self, session: str, exchanges: Sequence[Exchange], budget_s: float
    ) -> list[float]:
        """Append one exchange after the other until time is up; return the seconds of each."""

    @abstractmethod
    def time_loads(self, session: str, limit: int | None, repeats: int) -> list[float]:
        """Load a session's newest messages (or all), decoded; return the seconds of each load."""

    @abstractmethod
    def count(self, session: str) -> int:
        """Return how many messages a session holds."""

    def stored_bytes(self) -> int | None:
        """Return what all sessions take in the store, by the store's own measure; None: unknown."""
        return None

    def settle(self) -> None:  # noqa: B027 - most sides have nothing to do
        """Finish what goes on in the background, so that it does not disturb the next side."""

    @abstractmethod
    def close(self) -> None:
        """Release everything."""


class SyncHistory(History):
    """A keeper with blocking calls."""

    @abstractmethod
    def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""

    @abstractmethod
    def load(self, session: str, limit: int | None) -> int:
        """Load and decode; return how many messages."""

    def time_appends(
        self, session: str, exchanges: Sequence[Exchange], budget_s: float
    ) -> list[float]:
        """Append one exchange after the other until time is up; return the seconds of each."""
        clock, taken = time.perf_counter, []
        deadline = clock() + budget_s
        for exchange in exchanges:
            start = clock()
            self.append(session, exchange)
            end = clock()
            taken.append(end - start)
            if end > deadline:
                break
        return taken

    def time_loads(self, session: str, limit: int | None, repeats: int) -> list[float]:
        """Load a session's newest messages (or all), decoded; return the seconds of each load."""
        clock, taken = time.perf_counter, []
        for _ in range(repeats):
            start = clock()
            self.load(session, limit)
            taken.append(clock() - start)
        return taken

    def count(self, session: str) -> int:
        """Return how many messages a session holds."""
        return self.load(session, None)


class AsyncHistory(History):
    """A keeper with awaited calls, on an event loop of its own."""

    def __init__(self) -> None:
        self.loop = AsyncSide()

    @abstractmethod
    async def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""

    @abstractmethod
    async def load(self, session: str, limit: int | None) -> int:
        """Load and decode; return how many messages."""

    def time_appends(
        self, session: str, exchanges: Sequence[Exchange], budget_s: float
    ) -> list[float]:
        """Append one exchange after the other until time is up; return the seconds of each."""
        return self.loop.wait(self._time_appends(session, exchanges, budget_s))

    def time_loads(self, session: str, limit: int | None, repeats: int) -> list[float]:
        """Load a session's newest messages (or all), decoded; return the seconds of each load."""
        return self.loop.wait(self._time_loads(session, limit, repeats))

    def count(self, session: str) -> int:
        """Return how many messages a session holds."""
        return self.loop.wait(self.load(session, None))

    async def _time_appends(
        self, session: str, exchanges: Sequence[Exchange], budget_s: float
    ) -> list[float]:
        clock, taken = time.perf_counter, []
        deadline = clock() + budget_s
        for exchange in exchanges:
            start = clock()
            await self.append(session, exchange)
            end = clock()
            taken.append(end - start)
            if end > deadline:
                break
        return taken

    async def _time_loads(self, session: str, limit: int | None, repeats: int) -> list[float]:
        clock, taken = time.perf_counter, []
        for _ in range(repeats):
            start = clock()
            await self.load(session, limit)
            taken.append(clock() - start)
        return taken
