"""Clients per event loop, their collections, and the promises of each call: a deadline, our errors.

Write concern, read concern and read preference stand here and are no option: a write returns when
a majority of the servers has it in its journal, a read shows only what such a majority has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import bson
from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import split_options
from pymongo.write_concern import WriteConcern

from daybook.enginekit.deadline import deadline
from daybook.enginekit.per_loop import PerLoop
from daybook.engines.mongodb.address import Address
from daybook.engines.mongodb.driver_errors import ENGINE, bad_url, closed, map_errors
from daybook.engines.mongodb.schema import BLOCKS, RECORDS, SESSIONS, VERSIONS
from daybook.engines.mongodb.turns import Turns
from daybook.errors import StoreTimeoutError

__all__ = ["MAJORITY", "SNAPSHOT", "Collection", "Connections", "Document", "Handles"]

T = TypeVar("T")
Document = dict[str, Any]
Collection = AsyncCollection[Document]

MAJORITY = WriteConcern(w="majority", j=True)
SNAPSHOT = ReadConcern("snapshot")
_COMMITTED = ReadConcern("majority")
# Calls of one loop that run at once; each takes a connection or two. The driver's own queues are
# never used: a caller that is cancelled in one of them can leave it locked (pymongo 4.20).
_SLOTS = 64
_NO_OPTION = "appname=daybook"
_OPTIONS = bson.CodecOptions[Document](tz_aware=True)


@dataclass(frozen=True, slots=True)
class Handles:
    """One event loop's client and its collections."""

    client: AsyncMongoClient[Document]
    database: AsyncDatabase[Document]
    sessions: Collection
    blocks: Collection
    records: Collection
    versions: Collection
    turns: Turns
    slots: asyncio.Semaphore

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[AsyncClientSession]:
        """Give a session whose reads all see one moment, not before what this call wrote."""
        async with self.client.start_session(snapshot=True) as session:
            yield session


class Connections:
    """What all stores of an opened engine share."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._closed = False
        self._running: set[asyncio.Task[Any]] = set()
        self._clients: PerLoop[Handles] = PerLoop(self._open, _close)

    async def run(
        self, operation: str, body: Callable[[Handles], Awaitable[T]], *, alone: bytes | None = None
    ) -> T:
        """Run one call of a store with the running loop's handles and return its result.

        A caller that is cancelled leaves at once, and what it asked for runs on to its own end:
        no connection is cut in the middle of a reply, no transaction is left open.

        Args:
            operation: What it is called in errors.
            body: The call.
            alone: Calls of one loop with the same key run one after the other, in order.

        Raises:
            StoreTimeoutError: The call took longer than the engine's `timeout_s`; it was cancelled.
            StoreClosedError: The engine was closed.
            DaybookError: What the driver raised, translated.
        """
        if self._closed:
            raise closed(operation)
        timeout_s = self._address.timeout_s
        task = asyncio.ensure_future(self._work(operation, body, alone))
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            async with deadline(timeout_s, engine=ENGINE, operation=operation):
                return await asyncio.shield(task)
        except StoreTimeoutError:
            task.cancel()
            raise
        except asyncio.CancelledError:
            task.get_loop().call_later(timeout_s, task.cancel)
            raise

    async def _work(
        self, operation: str, body: Callable[[Handles], Awaitable[T]], alone: bytes | None
    ) -> T:
        with map_errors(operation):
            handles = await self._clients.get()
            if alone is None:
                async with handles.slots:
                    return await body(handles)
            async with handles.turns.take(alone), handles.slots:
                return await body(handles)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # so that nothing is logged about a call whose caller has left

    async def close(self) -> None:
        """Finish what this loop has in flight, then close every loop's client. Repeatable."""
        self._closed = True
        here = asyncio.get_running_loop()
        running = [task for task in tuple(self._running) if task.get_loop() is here]
        if running:
            await asyncio.wait(running)
        await self._clients.close()

    async def _open(self) -> Handles:
        client = _client(self._address)
        database = client.get_database(
            self._address.database,
            codec_options=_OPTIONS,
            read_preference=ReadPreference.PRIMARY,
            write_concern=MAJORITY,
            read_concern=_COMMITTED,
        )
        names = (SESSIONS, BLOCKS, RECORDS, VERSIONS)
        sessions, blocks, records, versions = (database[name] for name in names)
        return Handles(
            client,
            database,
            sessions,
            blocks,
            records,
            versions,
            Turns(),
            asyncio.Semaphore(_SLOTS),
        )


def _client(address: Address) -> AsyncMongoClient[Document]:
    """Return a client, which connects when it is used.

    Raises:
        ConfigError: The driver does not know what the URL says.
    """
    milliseconds = max(1, int(address.timeout_s * 1000))
    try:
        # Of a URL that it reads itself, the driver ignores what it does not know, with a warning.
        split_options(address.url.partition("?")[2] or _NO_OPTION, warn=False)
        return AsyncMongoClient(
            address.url,
            appname="daybook",
            retryWrites=True,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=milliseconds,
            maxPoolSize=0,
            maxConnecting=_SLOTS,
        )
    except ValueError:
        raise bad_url() from None


async def _close(handles: Handles) -> None:
    await handles.client.close()
