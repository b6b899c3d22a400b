"""The MongoDB engine keeps every storage contract it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from daybook.engines.mongodb import append, blocks, locked_append, open_engine, trim
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog
from daybook.registry import Engine, parse_url
from daybook.testing.log_append_contract import LogAppendContract
from daybook.testing.log_concurrency_contract import LogConcurrencyContract
from daybook.testing.log_fork_contract import LogForkContract
from daybook.testing.log_state_machine import run_log_machine
from daybook.testing.log_view_contract import LogViewContract
from daybook.testing.log_window_contract import LogWindowContract
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from tests.effort import sample


class Scratch:
    """A database of our own; emptying it is quicker than making another."""

    def __init__(self, address: str) -> None:
        head, _, query = address.partition("?")
        self.name = f"daybook_test_{uuid4().hex}"
        self.url = f"{head.rpartition('/')[0]}/{self.name}?{query}"
        self._client: MongoClient[dict[str, Any]] = MongoClient(address)

    def empty(self) -> None:
        """Remove every document; indexes and the schema's version stay."""
        database = self._client[self.name]
        for name in database.list_collection_names():
            if name != "meta":
                database[name].delete_many({})

    def drop(self) -> None:
        """Remove the database."""
        self._client.drop_database(self.name)
        self._client.close()


@pytest.fixture(scope="module")
def scratch(mongodb_url: str) -> Iterator[Scratch]:
    """One database for all tests of this module."""
    made = Scratch(mongodb_url)
    yield made
    made.drop()


class Mongo:
    """How the contracts open it: the module's database, emptied before each test."""

    persists = True
    effort: ClassVar[float] = sample(3, long=10) / 10  # each change waits for the journal
    scratch: Scratch

    @pytest.fixture(autouse=True)
    def _database(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.renew()

    def renew(self) -> None:
        """Go on with nothing stored."""
        self.scratch.empty()

    async def open(self, clock: Clock) -> Engine:
        """Open the module's database."""
        # A machine under load may stand still for seconds.
        return await open_engine(parse_url(f"{self.scratch.url}&timeout_s=60"), clock=clock)


class TestMessageLog(Mongo, MessageLogContract):
    """Sessions and messages."""

    # A step takes some twenty looks at the server.
    machine_examples: ClassVar[int] = sample(2, long=25)
    machine_steps: ClassVar[int] = 15


class TestMessageLogInSmallBlocks(
    Mongo,
    LogAppendContract,
    LogWindowContract,
    LogForkContract,
    LogViewContract,
    LogConcurrencyContract,
):
    """Messages where a tail is full after two, so that blocks, and parts of them, matter.

    Otherwise few of the contract's sessions would be long enough to have any.
    """

    def store_of(self, engine: Engine) -> MessageLog:
        """Return the log."""
        return engine.log

    def test_random_histories_agree_with_the_model(self) -> None:
        """Most of the random histories are compared here, where more can go wrong."""
        run_log_machine(self, examples=sample(4, long=25), steps=15)

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (append, locked_append):
            monkeypatch.setattr(module, "TAIL_MESSAGES", 2)
        for module in (blocks, trim):
            monkeypatch.setattr(module, "BLOCK_MESSAGES", 3)


class TestRecordStore(Mongo, RecordStoreContract):
    """Records."""

    machine_examples: ClassVar[int] = sample(4, long=25)
    machine_steps: ClassVar[int] = 15


def test_the_scratch_database_is_the_url_s(scratch: Scratch) -> None:
    """Otherwise emptying one and testing another would show nothing."""
    assert parse_uri(scratch.url)["database"] == scratch.name
