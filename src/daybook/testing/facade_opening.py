"""A book on any engine, blocking or async, opened so that a test is written once for both."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from daybook.blocking import Daybook
from daybook.client import AsyncDaybook
from daybook.testing.fake_clock import FakeClock

__all__ = ["AsyncOnLoop", "FacadeOpening"]


class AsyncOnLoop:
    """An `AsyncDaybook` whose methods run to their end on a loop of their own."""

    def __init__(self, url: str, **options: Any) -> None:
        self._runner = asyncio.Runner()
        try:
            self._book = self._runner.run(_opened(url, options))
        except BaseException:
            self._runner.close()
            raise

    def __getattr__(self, name: str) -> Any:
        """Return a facet, or a plain attribute."""
        return _Facet(getattr(self._book, name), self._runner)

    def close(self) -> None:
        """Close the book."""
        self._runner.run(self._book.close())

    def end(self) -> None:
        """End the loop too, and whatever is left on it: nothing of it meets another test."""
        try:
            self.close()
        finally:
            self._runner.close()


class _Facet:
    def __init__(self, facet: Any, runner: asyncio.Runner) -> None:
        self._facet = facet
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._facet, name)
        return lambda *args, **named: self._runner.run(method(*args, **named))


async def _opened(url: str, options: dict[str, Any]) -> AsyncDaybook:
    return await AsyncDaybook.open(url, **options)


class FacadeOpening(ABC):
    """How a book on the test's engine is opened.

    Attributes:
        persists: A second `open` of one URL sees what the first stored.
        shares: Two opened books may share their data; False for an engine of a single owner.
        blocking: Through `Daybook`; False for `AsyncDaybook`.
        largest_metadata: Bytes of a session's metadata that the engine stores, if it declares a
            limit; more must be refused.
        random_examples: Random messages, facts and values that are stored and compared.
    """

    persists: ClassVar[bool] = True
    shares: ClassVar[bool] = True
    blocking: ClassVar[bool] = True
    largest_metadata: ClassVar[int | None] = None
    random_examples: ClassVar[int] = 40

    @abstractmethod
    def url(self) -> str:
        """Return the URL of the test's engine."""

    def index(self) -> str | None:
        """Return the URL of the index to pair the engine with; None for its own."""
        return None

    @contextmanager
    def opened(self, **options: Any) -> Iterator[Any]:
        """Open a book on the test's engine, with a clock that stands still unless given one."""
        options = {
            "embedder": "hash",
            "clock": FakeClock(),
            "index": self.index(),
            **options,
        }
        book: Any = (
            Daybook.open(self.url(), **options)
            if self.blocking
            else AsyncOnLoop(self.url(), **options)
        )
        try:
            yield book
        finally:
            book.close() if self.blocking else book.end()
