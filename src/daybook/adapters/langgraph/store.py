"""`DaybookStore`: LangGraph's `BaseStore` over the records of a daybook."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, Self

from langgraph.store.base import BaseStore, IndexConfig, Op, Result, TTLConfig

from daybook.adapters.langgraph.embeddings import embedder_of, embeddings_of, fields_of
from daybook.adapters.langgraph.operations import Batch
from daybook.adapters.opened import BookOrUrl, OpenedBook, Place

__all__ = ["AsyncDaybookStore", "DaybookStore"]

_SWEEP_EVERY_MIN = 5.0


class _Store(BaseStore):  # type: ignore[misc] # the framework is not installed where types are checked
    """What both stores share.

    Attributes:
        supports_ttl: Always.
        ttl_config: As given; ``ttl`` is in minutes here, as everywhere in LangGraph.
        index_config: As given.
        embeddings: What ``index`` names to make vectors; None for Daybook's embedder.
    """

    supports_ttl = True

    def __init__(
        self,
        book_or_url: BookOrUrl,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        **options: Any,
    ) -> None:
        """Name the store; it is opened when it is first used.

        Args:
            book_or_url: ``sqlite:///store.db``, ``postgresql://…``, ``redis://…``, ``mongodb://…``,
                ``dynamodb://…``, ``file:///folder``, ``inmemory://``, or an opened `Daybook` or
                `AsyncDaybook`.
            index: LangGraph's ``{"dims", "embed", "fields"}``, each optional: Daybook's own
                embedder and index are used without it, and values are searched whole.
            ttl: LangGraph's ``{"default_ttl", "refresh_on_read", "sweep_interval_minutes"}``.
                What has expired is never returned, whatever ``omit_expired`` says.
            options: Those of `Daybook.open`: ``tenant``, ``embedder``, ``index_url`` (what
                `Daybook.open` calls ``index``: another index, or ``"none"``) …

        Raises:
            ConfigError: A URL or option is wrong.
        """
        self.index_config = index
        self.ttl_config = ttl
        if "index_url" in options:
            options["index"] = options.pop("index_url")
        self.embeddings = embeddings_of(index)
        if self.embeddings is not None:
            options["embedder"] = embedder_of(index, self.embeddings)
        self._searched = fields_of(index)
        self._indexed = options.get("index") != "none"
        self._place = Place(book_or_url, options)

    @classmethod
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        **options: Any,
    ) -> Self:
        """Return a store, for ``with`` or ``async with``.

        Takes what LangGraph's stores take: a PostgreSQL URL, the path of an SQLite file,
        ``:memory:``; and every URL that Daybook opens.
        """
        url = conn_string
        if conn_string == ":memory:":
            url = "inmemory://"
        elif "://" not in conn_string:
            url = f"sqlite:///{conn_string}"
        return cls(url, index=index, ttl=ttl, **options)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations: reads first, then writes; see `Batch.run`."""
        opened = self._place.open()
        return opened.run(self._batch(opened).run(ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations from any event loop; see `Batch.run`."""
        opened = await self._place.aopen()
        return await self._batch(opened).run(ops)

    def close(self) -> None:
        """Release the book, if it was opened here. Repeatable."""
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def _batch(self, opened: OpenedBook) -> Batch:
        book = opened.awaited
        at_once = book.capabilities.max_atomic_records
        return Batch(book.records, searched=self._searched, indexed=self._indexed, at_once=at_once)

    def _interval_s(self, minutes: float | None) -> float:
        given = minutes or (self.ttl_config or {}).get("sweep_interval_minutes")
        return 60 * float(given or _SWEEP_EVERY_MIN)


class DaybookStore(_Store):
    """Long-term memory of agents: a `BaseStore` for sync and async callers, on every engine."""

    _sweeping: tuple[threading.Event, Future[None]] | None = None

    def setup(self) -> None:
        """Open the store now; it would be opened at its first use."""
        self._place.open()

    def sweep_ttl(self) -> int:
        """Give back the room of expired items; return how many. They are unreadable before."""
        opened = self._place.open()
        return opened.run(opened.awaited.records.expire())

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Sweep now and then on a thread; the future ends when the sweeper does."""
        if self._sweeping is not None:
            return self._sweeping[1]
        stop: threading.Event = threading.Event()
        ended: Future[None] = Future()
        self._sweeping = (stop, ended)
        interval_s = self._interval_s(sweep_interval_minutes)

        def work() -> None:
            try:
                while not stop.wait(interval_s):
                    self.sweep_ttl()
            except Exception as exc:  # noqa: BLE001 - whoever holds the future gets it
                ended.set_exception(exc)
            else:
                ended.set_result(None)

        threading.Thread(target=work, name="daybook-ttl-sweeper", daemon=True).start()
        return ended

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the sweeper; tell whether it has ended within `timeout` seconds."""
        if self._sweeping is None:
            return True
        stop, ended = self._sweeping
        stop.set()
        try:
            ended.exception(timeout)
        except TimeoutError:
            return False
        self._sweeping = None
        return True

    def close(self) -> None:
        """End the sweeper and release the book, if it was opened here. Repeatable."""
        self.stop_ttl_sweeper()
        super().close()


class AsyncDaybookStore(_Store):
    """`DaybookStore` with `setup` and the sweeper as coroutines."""

    _task: asyncio.Task[None] | None = None

    async def setup(self) -> None:
        """Open the store now; it would be opened at its first use."""
        await self._place.aopen()

    async def sweep_ttl(self) -> int:
        """Give back the room of expired items; return how many. They are unreadable before."""
        return await (await self._place.aopen()).awaited.records.expire()

    async def start_ttl_sweeper(
        self, sweep_interval_minutes: float | None = None
    ) -> asyncio.Task[None]:
        """Sweep now and then in a task of the running event loop."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._sweep(self._interval_s(sweep_interval_minutes)))
        return self._task

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - LangGraph's
        """End the sweeper; tell whether it has ended within `timeout` seconds."""
        if self._task is None:
            return True
        self._task.cancel()
        _, waiting = await asyncio.wait([self._task], timeout=timeout)
        if not waiting:
            self._task = None
        return not waiting

    async def __aexit__(self, *_: object) -> None:
        await self.stop_ttl_sweeper()
        await super().__aexit__()

    async def _sweep(self, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await self.sweep_ttl()
