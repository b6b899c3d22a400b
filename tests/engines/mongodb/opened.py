"""MongoDB engines for tests: a database of their own, a plain client, and what is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from daybook.engines.mongodb import append, blocks, connection, locked_append, open_engine, trim
from daybook.engines.mongodb.engine import MongoEngine
from daybook.protocols.clock import Clock, SystemClock
from daybook.registry import parse_url

Document = dict[str, Any]
# A machine under load may stand still for seconds; only a test that is about time gives less.
PATIENCE_S = 60.0
_UNREMARKABLE = {"hello", "ismaster", "ping", "endSessions", "killCursors"}


def fresh_url(url: str) -> str:
    """Return the URL of a database that does not exist yet, on the same server."""
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/daybook_test_{uuid4().hex}?{query}"


def database_of(url: str) -> str:
    """Return the name of a URL's database."""
    return url.partition("?")[0].rpartition("/")[2]


@asynccontextmanager
async def opened(
    url: str, *, clock: Clock | None = None, timeout_s: float = PATIENCE_S
) -> AsyncIterator[MongoEngine]:
    """Open an engine for the length of a block."""
    whole = f"{url}{'&' if '?' in url else '?'}timeout_s={timeout_s}"
    engine = await open_engine(parse_url(whole), clock=clock or SystemClock())
    try:
        yield engine
    finally:
        await engine.close()


@contextmanager
def impatient(engine: MongoEngine, timeout_s: float) -> Iterator[None]:
    """Give an engine's calls less time for the length of a block, as its URL might."""
    connections = engine._connections
    patient = connections._address
    connections._address = replace(patient, timeout_s=timeout_s)
    try:
        yield
    finally:
        connections._address = patient


@asynccontextmanager
async def raw(url: str, **options: Any) -> AsyncIterator[AsyncDatabase[Document]]:
    """Open the URL's database with a plain client of the driver."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(url, **options)
    try:
        yield client[database_of(url)]
    finally:
        await client.close()


class Wire(CommandListener):
    """The commands that clients made during a test send."""

    def __init__(self) -> None:
        self.sent: list[Document] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Keep a command as it is sent."""
        if event.command_name not in _UNREMARKABLE:
            self.sent.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Keep nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Keep nothing."""

    def forget(self) -> None:
        """Begin anew."""
        self.sent.clear()


def listen(patch: pytest.MonkeyPatch, *listeners: Any) -> None:
    """Let the engines that a test opens tell these what they do."""
    patch.setattr(
        connection, "AsyncMongoClient", partial(AsyncMongoClient, event_listeners=listeners)
    )


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Let tails be full after two messages and blocks after three."""
    for module in (append, locked_append):
        patch.setattr(module, "TAIL_MESSAGES", 2)
    for one in (blocks, trim):
        patch.setattr(one, "BLOCK_MESSAGES", 3)


def filters_of(command: Mapping[str, Any]) -> list[Document]:
    """Return the conditions of a command, or the documents that it inserts."""
    name = next(iter(command))
    if name == "aggregate":
        return [command["pipeline"][0]["$match"]]
    if name == "insert":
        return list(command["documents"])
    if name in ("update", "delete"):
        return [one["q"] for one in command[f"{name}s"]]
    return [command[field] for field in ("filter", "query") if field in command]
