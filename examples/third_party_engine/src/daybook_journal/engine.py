"""The engine: two stores in memory, made durable by a journal of the calls that changed them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from daybook.errors import ConfigError, StoreClosedError, StoreError, StoreUnavailableError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog, SessionSpan
from daybook.protocols.record_store import RecordStore
from daybook.registry import Engine, EngineUrl
from daybook.registry import open_engine as open_by_url
from daybook_journal.calls import WRITES, decode, encode, named
from daybook_journal.journal import ENGINE, Journal

__all__ = ["JournalEngine", "open_engine"]

_PROMISES = EngineCapabilities(
    engine=ENGINE,
    ack="durable",
    durability="on the disk (fsync) before a call returns",
    order="one thread makes all calls, one after the other",
    several_processes=False,
    max_message_bytes=MAX_MESSAGE_BYTES,
    limits="everything is held in memory; what was deleted stays in the file",
)


class _Moment:
    """The clock of the stores in memory: the moment of the call that is made."""

    value = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self.value


class JournalEngine:
    """A log and records in one file; one thread owns both.

    Attributes:
        log: The message log.
        records: The record store.
        index: None: Daybook pairs it with another engine's.
        capabilities: What it promises.
    """

    index = None
    capabilities = _PROMISES

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._moment = _Moment()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=ENGINE)
        self._closed = self._failed = False
        self._births: dict[int, int] = {}
        self._written = 0
        self.log = cast("MessageLog", _Store(self, "log"))
        self.records = cast("RecordStore", _Store(self, "records"))

    async def start(self) -> None:
        """Make every call of the file again.

        Raises:
            StoreUnavailableError: The file is open elsewhere or cannot be read.
            CorruptRecordError: The file is damaged.
        """
        try:
            await self.in_thread(self._replay)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    async def in_thread(self, job: Callable[..., Any], *args: Any) -> Any:
        """Run a job in the engine's thread.

        A cancelled caller does not wait any more; a job that has begun is finished all the same.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, job, *args)

    def _replay(self) -> None:
        self._journal = Journal(self._path)
        self._loop = asyncio.new_event_loop()
        try:
            # The stores of another engine, opened as everybody opens them.
            self._memory: Engine = self._run(open_by_url("inmemory://", clock=self._moment))
            for body in self._journal.read():
                call, arguments = decode(body)
                self._moment.value = call.now
                self._apply(call.store, call.method, arguments)
        except BaseException:
            self._release()
            raise

    def call(self, store: str, method: str, arguments: dict[str, Any]) -> Any:
        """Make one call in the engine's thread: apply it, write it, then answer."""
        if self._closed:
            raise StoreClosedError("open it again", engine=ENGINE, operation=method)
        if self._failed:
            raise StoreUnavailableError(
                "a write failed before: open it again", engine=ENGINE, operation=method
            )
        self._moment.value = now = self._clock.now()
        if method not in WRITES[store].split():
            return self._reading(store, method, arguments)
        body = encode(now, store, method, arguments)
        answer = self._apply(store, method, arguments)  # what it refuses is not written
        try:
            self._journal.write(body)
        except StoreError:
            self._failed = True  # the memory is ahead of the file
            raise
        return answer

    def _apply(self, store: str, method: str, arguments: dict[str, Any]) -> Any:
        answer = self._run(getattr(getattr(self._memory, store), method)(**arguments))
        self._written += 1
        for name in ("session", "child", "create"):  # whatever may have made a session
            if (made := arguments.get(name)) is not None:
                scope = Scope(arguments["scope"].tenant)
                if span := self._run(self._memory.log.span(scope, made.id)):
                    self._births.setdefault(span.incarnation, self._written)
        return answer

    def _reading(self, store: str, method: str, arguments: dict[str, Any]) -> Any:
        answer = self._run(getattr(getattr(self._memory, store), method)(**arguments))
        if isinstance(answer, SessionSpan):
            # The memory numbers lives anew after each start; their places in the file stay.
            return replace(answer, incarnation=self._births[answer.incarnation])
        return answer

    def _run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(call)

    async def close(self) -> None:
        """Finish what is waiting, close the file. Repeatable."""
        if not self._closed:
            await self.in_thread(self._release)
            self._thread.shutdown(wait=False)

    def _release(self) -> None:
        if not self._closed:
            self._closed = True
            self._journal.close()
            self._loop.close()


class _Store:
    """Either store: each of its methods is a call in the engine's thread."""

    capabilities = _PROMISES

    def __init__(self, engine: JournalEngine, name: str) -> None:
        self._engine, self._name = engine, name

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return a method of the protocol."""

        async def run(*args: Any, **kwargs: Any) -> Any:
            arguments = named(self._name, method, args, kwargs)
            try:
                return await self._engine.in_thread(
                    self._engine.call, self._name, method, arguments
                )
            except RuntimeError:  # the thread has ended
                raise StoreClosedError("open it again", engine=ENGINE, operation=method) from None

        return run

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()


async def open_engine(url: EngineUrl, *, clock: Clock) -> JournalEngine:
    """Open ``journal:///chat.journal`` (relative) or ``journal:////var/chat.journal``.

    Raises:
        ConfigError: There is no path, or there is an option.
        StoreError: The file cannot be opened.
    """
    url.take()
    location = url.location.removeprefix("/")
    if not location:
        raise ConfigError("journal needs a file: journal:///chat.journal")
    engine = JournalEngine(Path(location), clock=clock)
    await engine.start()
    return engine
