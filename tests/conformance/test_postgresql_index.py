"""The search index on PostgreSQL keeps its contract, also where every scope is a large one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.search_index_contract import SearchIndexContract
from tests.engines.postgresql_index.prepared import Prepared, as_plain_role, prepared


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[Prepared]:
    with prepared(postgres_url) as place:
        yield place


@pytest.fixture(scope="module")
def plain_role(plain_postgres_url: str) -> Iterator[Prepared]:
    with prepared(as_plain_role(plain_postgres_url), admin=plain_postgres_url) as place:
        yield place


class OnPostgreSQL(SearchIndexContract):
    """How the contract opens it: one schema for a module, emptied before each test."""

    options: ClassVar[dict[str, Any]] = {}
    place: Prepared

    def renew(self) -> None:
        self.place.empty()

    async def open(self, clock: Clock) -> Engine:
        return await self.place.open(clock, **self.options)


class TestExact(OnPostgreSQL):
    """As it is opened."""

    @pytest.fixture(autouse=True)
    def _place(self, database: Prepared) -> None:
        self.place = database
        self.place.empty()


class TestLarge(OnPostgreSQL):
    """Every scope is held as codes; an older server, and a role that policies hold for."""

    options: ClassVar[dict[str, Any]] = {"index_most_exact": 0}

    @pytest.fixture(autouse=True)
    def _place(self, plain_role: Prepared) -> None:
        self.place = plain_role
        self.place.empty()


class TestCrossing(TestLarge):
    """Scopes that become large while they are in use."""

    options: ClassVar[dict[str, Any]] = {"index_most_exact": 2}
