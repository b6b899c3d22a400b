"""A database of each test's own, and a server of this folder's own, to be broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from daybook.testing.fake_clock import FakeClock
from tests.engines.mongodb.opened import Wire, database_of, fresh_url, listen
from tests.servers.launch import ServerMissingError
from tests.servers.mongodb import MongoServer, mongodb_server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def url(mongodb_url: str) -> Iterator[str]:
    """The URL of a database that is dropped after the test."""
    made = fresh_url(mongodb_url)
    yield made
    with MongoClient[dict[str, object]](mongodb_url) as client:
        client.drop_database(database_of(made))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """What the engines that the test opens send."""
    made = Wire()
    listen(monkeypatch, made)
    return made


@pytest.fixture(scope="package")
def server() -> Iterator[MongoServer]:
    """A server whose fail points no other test meets."""
    try:
        with mongodb_server() as running:
            yield running
    except ServerMissingError as missing:
        pytest.skip(str(missing))
