"""The MongoDB engine keeps every storage contract it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from daybook.engines.mongodb import open_engine
from daybook.protocols.clock import Clock
from daybook.registry import Engine, parse_url
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract


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
        return await open_engine(parse_url(self.scratch.url), clock=clock)


class TestMessageLog(Mongo, MessageLogContract):
    """Sessions and messages."""


class TestRecordStore(Mongo, RecordStoreContract):
    """Records."""


def test_the_scratch_database_is_the_url_s(scratch: Scratch) -> None:
    """Otherwise emptying one and testing another would show nothing."""
    assert parse_uri(scratch.url)["database"] == scratch.name
