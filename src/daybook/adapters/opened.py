"""One daybook for sync and async callers, shared by all who name the same place.

Frameworks make objects per request and never close them, and call one object from threads and
from event loops. So adapters ask here: one book per URL and options, opened on a loop thread of
its own and kept until the last who closes it, or the end of the process.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from daybook.blocking import Daybook
from daybook.client import AsyncDaybook
from daybook.errors import ConfigError
from daybook.loop_thread import LoopThread
from daybook.registry import parse_url

__all__ = ["BookOrUrl", "OpenedBook", "Place", "aopened", "opened"]

T = TypeVar("T")
BookOrUrl = str | Daybook | AsyncDaybook
_Key = tuple[Any, ...]


class OpenedBook:
    """A book for both kinds of callers.

    Attributes:
        blocking: For code that is not async.
        awaited: For code that is, from any event loop.
    """

    def __init__(self, book: Daybook, shared: _Shared | None = None) -> None:
        """Hold a book; callers use `opened`."""
        self.blocking = book
        self.awaited, self._loop = book.parts()
        self._shared = shared

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine over `awaited` on the book's own loop and wait for its result."""
        return self._loop.run(coroutine)

    def begin(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine over `awaited` on the book's own loop without waiting for it."""
        self._loop.begin(coroutine)

    def close(self) -> None:
        """Say that this holder is done; the last one of a shared book closes it. Repeatable.

        A book that was handed in stays open: it is its maker's to close.
        """
        shared, self._shared = self._shared, None
        if shared is not None:
            _books.release(shared)


class Place:
    """Where a book is, opened when first used: making one does no I/O."""

    def __init__(self, book_or_url: BookOrUrl, options: dict[str, Any] | None = None) -> None:
        """Remember a book, or a URL and the options of `Daybook.open`.

        Raises:
            ConfigError: The URL has no scheme, or options are given beside a book.
        """
        _check(book_or_url, options or {})
        self._where = book_or_url
        self._options = options or {}
        self._opened: OpenedBook | None = None
        self._lock = threading.Lock()

    def open(self) -> OpenedBook:
        """Return the opened book."""
        return self._opened or self._keep(opened(self._where, **self._options))

    async def aopen(self) -> OpenedBook:
        """Return the opened book without keeping the event loop waiting."""
        held = self._opened
        return held if held is not None else await asyncio.to_thread(self.open)

    def _keep(self, found: OpenedBook) -> OpenedBook:
        """Hold a book and return it; if another thread was first, let go of it and return that."""
        with self._lock:
            if self._opened is None:
                self._opened = found
            held = self._opened
        if held is not found:
            found.close()
        return held

    def close(self) -> None:
        """Release the book if it was opened here. Repeatable; the next use opens it again."""
        with self._lock:
            held, self._opened = self._opened, None
        if held is not None:
            held.close()


def opened(book_or_url: BookOrUrl, **options: Any) -> OpenedBook:
    """Return the book of a URL, opened once per process and set of options; or one handed in.

    Args:
        book_or_url: A URL as for `Daybook.open`, or an opened book of either kind.
        options: The options of `Daybook.open`; objects among them are told apart by identity.

    Raises:
        ConfigError: A URL or option is wrong, or options are given beside a book.
        StoreError: The store cannot be opened.

    In a forked child the book is opened anew.
    """
    _check(book_or_url, options)
    if isinstance(book_or_url, Daybook):
        return OpenedBook(book_or_url)
    if isinstance(book_or_url, AsyncDaybook):
        return OpenedBook(_blocking_twin(book_or_url))
    shared = _books.take(book_or_url, options)
    return OpenedBook(shared.book(), shared)


async def aopened(book_or_url: BookOrUrl, **options: Any) -> OpenedBook:
    """Return what `opened` returns; opening happens beside the event loop."""
    return await asyncio.to_thread(lambda: opened(book_or_url, **options))


class _Shared:
    """A book, how many hold it, and what its key rests on."""

    def __init__(self, key: _Key, url: str, options: dict[str, Any]) -> None:
        self.key = key
        self.holders = 0
        self._url = url
        self._options = options  # keeps alive the objects whose ids stand in the key
        self._lock = threading.Lock()
        self._book: Daybook | None = None

    def book(self) -> Daybook:
        try:
            with self._lock:
                if self._book is None:
                    self._book = Daybook.open(self._url, **self._options)
                return self._book
        except BaseException:
            _books.release(self)
            raise

    def close(self) -> None:
        with self._lock:
            if self._book is not None:
                self._book.close()


class _Books:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[_Key, _Shared] = {}

    def take(self, url: str, options: dict[str, Any]) -> _Shared:
        # A relative file is another one after a change of folder.
        key = (
            str(Path.cwd()),
            url,
            *((name, _identity(options[name])) for name in sorted(options)),
        )
        with self._lock:
            shared = self._shared.get(key)
            if shared is None:
                shared = self._shared[key] = _Shared(key, url, options)
            shared.holders += 1
            return shared

    def release(self, shared: _Shared) -> None:
        with self._lock:
            shared.holders -= 1
            last = shared.holders == 0 and self._shared.get(shared.key) is shared
            if last:
                del self._shared[shared.key]
        if last:
            shared.close()

    def forget(self) -> None:
        """Begin anew in a forked child, whose parent's loop threads do not run here."""
        self._lock = threading.Lock()
        self._shared = {}


_books = _Books()
_twins: WeakKeyDictionary[AsyncDaybook, Daybook] = WeakKeyDictionary()
_twins_lock = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_books.forget)


def _identity(value: Any) -> Any:
    return value if value is None or isinstance(value, str | bool) else (type(value), id(value))


def _check(book_or_url: BookOrUrl, options: dict[str, Any]) -> None:
    if isinstance(book_or_url, str):
        parse_url(book_or_url)
    elif not isinstance(book_or_url, Daybook | AsyncDaybook):
        raise ConfigError(f"a URL or an opened Daybook is needed, got {type(book_or_url).__name__}")
    elif options:
        raise ConfigError(
            f"{', '.join(sorted(options))}: give the options where the book is opened"
        )


def _blocking_twin(book: AsyncDaybook) -> Daybook:
    """Return one blocking twin for a book that lives on another loop."""
    with _twins_lock:
        twin = _twins.get(book)
        if twin is None:
            twin = _twins[book] = Daybook(book, LoopThread("daybook-adapter"))
        return twin
