"""The daybook behind a memory, for blocking and async callers alike; opened when first used."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from threading import Lock, Thread
from typing import Any, Self, TypeVar

from daybook.adapters.opened import BookOrUrl, OpenedBook, Place
from daybook.blocking import Daybook
from daybook.client import AsyncDaybook

__all__ = ["HoldsBook", "LazyBook", "Work"]

T = TypeVar("T")
Work = Callable[[AsyncDaybook], Coroutine[Any, Any, T]]


class LazyBook:
    """Runs the same work for blocking and for async callers.

    Memories that name the same store share one book; what is in memory alone is each one's own.
    """

    def __init__(self, where: BookOrUrl, options: dict[str, Any]) -> None:
        """Remember a URL or an opened book, and the options of `Daybook.open`."""
        self._private = where == "inmemory://"
        self._place = Place(where, options)
        self._options = options
        self._opening = Lock()
        self._own: Daybook | None = None
        self._opened: OpenedBook | None = None

    def run(self, work: Work[T]) -> T:
        """Do some work on the book's own loop and wait for it.

        Raises:
            ConfigError: The URL or an option is wrong.
            StoreError: The store cannot be opened.
        """
        book = self._opened or self._open()
        return book.run(work(book.awaited))

    async def arun(self, work: Work[T]) -> T:
        """Do some work on the caller's loop."""
        book = self._opened
        if book is None:
            book = await asyncio.to_thread(self._open)
        return await work(book.awaited)

    def close(self) -> None:
        """Let go of the book. Repeatable; the next use opens it again."""
        with self._opening:
            self._opened = None
            own, self._own = self._own, None
        self._place.close()
        if own is not None:
            own.close()

    def _open(self) -> OpenedBook:
        with self._opening:
            if self._opened is None and self._private:
                self._own = Daybook.open("inmemory://", **self._options)
                self._opened = OpenedBook(self._own)
                # Nobody else holds it: a memory that is dropped gives its thread back.
                weakref.finalize(self, _close_beside, self._own).atexit = False
            elif self._opened is None:
                self._opened = self._place.open()
            return self._opened


class HoldsBook:
    """What memories over a `LazyBook` have in common: they are closed, or used in `with`."""

    def __init__(self, book: LazyBook) -> None:
        self._book = book

    def close(self) -> None:
        """Release everything. Repeatable. What was in memory alone is gone.

        Async code calls `aclose`: connections of its event loop are closed on that loop.
        """
        self._book.close()

    async def aclose(self) -> None:
        """Do what `close` does, for async code."""
        await asyncio.to_thread(self._book.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _close_beside(book: Daybook) -> None:
    """Close a book on a thread of its own: a finalizer may run on any, the book's loop too."""
    Thread(target=book.close, name="daybook-close", daemon=True).start()
