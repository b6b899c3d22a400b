"""A daybook that is opened when it is first used, for blocking and async callers alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from threading import Lock
from typing import Any, TypeVar

from daybook.blocking import Daybook
from daybook.client import AsyncDaybook

__all__ = ["LazyBook"]

T = TypeVar("T")
Work = Callable[[AsyncDaybook], Coroutine[Any, Any, T]]


class LazyBook:
    """Opens a store once and runs the same work for blocking and for async callers."""

    def __init__(self, make: Callable[[], Daybook]) -> None:
        """Take what opens the daybook; it is called once, when it is first needed."""
        self._make = make
        self._opening = Lock()
        self._book: Daybook | None = None

    def open(self) -> Daybook:
        """Return the daybook, opened now if it was not.

        Raises:
            ConfigError: A URL or option is wrong.
            StoreError: The store cannot be opened.
        """
        with self._opening:
            if self._book is None:
                self._book = self._make()
            return self._book

    def run(self, work: Work[T]) -> T:
        """Do some work on the daybook's own loop and wait for it."""
        book, loop = self.open().parts()
        return loop.run(work(book))

    async def arun(self, work: Work[T]) -> T:
        """Do some work on the caller's loop."""
        if self._book is None:
            await asyncio.to_thread(self.open)
        return await self._on(work)

    def close(self) -> None:
        """Close the daybook if it was opened. Repeatable; it opens again when it is used."""
        with self._opening:
            book, self._book = self._book, None
        if book is not None:
            book.close()

    def _on(self, work: Work[T]) -> Awaitable[T]:
        book, _ = self.open().parts()
        return work(book)
