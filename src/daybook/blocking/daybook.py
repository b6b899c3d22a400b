"""`Daybook`: opens the blocking twin of `AsyncDaybook` on a loop thread of its own."""

from __future__ import annotations

import atexit
import threading
import weakref
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from daybook.blocking.history import BlockingHistory
from daybook.blocking.recall import BlockingRecall
from daybook.blocking.records import BlockingRecords
from daybook.blocking.sessions import BlockingSessions
from daybook.client import AsyncDaybook, EmbedderChoice, ModelChoice
from daybook.loop_thread import LoopThread
from daybook.model.capabilities import EngineCapabilities
from daybook.model.scope import DEFAULT_TENANT
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.token_counter import TokenCounter

if TYPE_CHECKING:
    from daybook.blocking.context import BlockingContextBuilder
    from daybook.blocking.costs import BlockingCalibrations, BlockingCosts

__all__ = ["Daybook"]


class Daybook:
    """A memory for conversations, for code that is not async; see `AsyncDaybook`.

    One object serves any number of threads. Each call costs one hop to the loop thread, some tens
    of microseconds.

    Attributes:
        sessions: Conversations, their owners, their lives.
        history: What was said, in order.
        recall: Finds what was said, and shows where.
        records: Values under a namespace and a key.
    """

    def __init__(self, book: AsyncDaybook, loop: LoopThread) -> None:
        """Wrap an opened daybook; callers use `open`."""
        self._book = book
        self._loop = loop
        self.sessions = BlockingSessions(book.sessions, loop)
        self.history = BlockingHistory(book.history, loop)
        self.recall = BlockingRecall(book.recall, loop)
        self.records = BlockingRecords(book.records, loop)
        _close_all_at_exit()
        _open_books.add(self)

    @cached_property
    def context(self) -> BlockingContextBuilder:
        """What to send to a model."""
        from daybook.blocking.context import BlockingContextBuilder  # noqa: PLC0415 - see client

        return BlockingContextBuilder(self._book.context, self._loop)

    @cached_property
    def costs(self) -> BlockingCosts:
        """What calls of models cost, and caps on it."""
        from daybook.blocking.costs import BlockingCosts  # noqa: PLC0415 - see client

        return BlockingCosts(self._book.costs, self._loop)

    @cached_property
    def calibrations(self) -> BlockingCalibrations:
        """How far token estimates are from each model's own counts."""
        from daybook.blocking.costs import BlockingCalibrations  # noqa: PLC0415 - see client

        return BlockingCalibrations(self._book.calibrations, self._loop)

    @classmethod
    def open(  # noqa: PLR0913 - as its twin
        cls,
        url: str,
        *,
        index: str | None = None,
        embedder: EmbedderChoice = ...,
        model: ModelChoice = None,
        tenant: str = DEFAULT_TENANT,
        clock: Clock | None = None,
        id_factory: IdFactory | None = None,
        token_counter: TokenCounter | None = None,
        background: bool = True,
    ) -> Daybook:
        """Open a daybook; see `AsyncDaybook.open` for the arguments."""
        opening = AsyncDaybook.open(
            url,
            index=index,
            embedder=embedder,
            model=model,
            tenant=tenant,
            clock=clock,
            id_factory=id_factory,
            token_counter=token_counter,
            background=background,
        )
        loop = LoopThread("daybook-loop")
        try:
            book = loop.run(_resolve(opening))
        except BaseException:
            loop.close()
            raise
        return cls(book, loop)

    @property
    def capabilities(self) -> EngineCapabilities:
        """What the opened engine promises: durability, order, expiry."""
        return self._book.capabilities

    def parts(self) -> tuple[AsyncDaybook, LoopThread]:
        """Return what this wraps and the loop it runs on, for a twin that is built upon it."""
        return self._book, self._loop

    def close(self) -> None:
        """Finish what is in flight and release everything. Repeatable."""
        if self in _open_books:
            _open_books.discard(self)
            self._loop.run(self._book.close())
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _resolve(opening: Any) -> AsyncDaybook:
    book: AsyncDaybook = await opening
    return book


_open_books: weakref.WeakSet[Daybook] = weakref.WeakSet()


def _close_all() -> None:
    for book in list(_open_books):
        book.close()


@cache
def _close_all_at_exit() -> None:
    """Have all books closed while threads can still be started, as some engines' ends need.

    What `atexit` calls comes after the pools of `concurrent.futures` have ended; what they use
    themselves runs in reverse order, so theirs has to be registered first.
    """
    import_module("concurrent.futures.thread")
    getattr(threading, "_register_atexit", atexit.register)(_close_all)
