"""The search index on PostgreSQL keeps its contract: with pgvector, without, and inside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import psycopg
import pytest

from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.search_index_contract import SearchIndexContract
from tests.engines.postgresql_index.prepared import Prepared, as_plain_role, prepared


@pytest.fixture(scope="module")
def with_vector(postgres_url: str) -> Iterator[Prepared]:
    with prepared(postgres_url) as place:
        yield place


@pytest.fixture(scope="module")
def plain(plain_postgres_url: str) -> Iterator[Prepared]:
    with prepared(plain_postgres_url) as place:
        yield place


@pytest.fixture(scope="module")
def plain_role(postgres_url: str) -> Iterator[Prepared]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    with prepared(as_plain_role(postgres_url), admin=postgres_url) as place:
        yield place


class OnPostgreSQL(SearchIndexContract):
    """How the contract opens it: one schema for a module, emptied before each test."""

    options: ClassVar[dict[str, Any]] = {}
    place: Prepared

    def renew(self) -> None:
        self.place.empty()

    async def open(self, clock: Clock) -> Engine:
        return await self.place.open(clock, **self.options)


class TestHeld(OnPostgreSQL):
    """Documents held in memory, where pgvector could do without."""

    @pytest.fixture(autouse=True)
    def _place(self, with_vector: Prepared) -> None:
        self.place = with_vector
        self.place.empty()


class TestPlain(OnPostgreSQL):
    """A server without pgvector."""

    @pytest.fixture(autouse=True)
    def _place(self, plain: Prepared) -> None:
        self.place = plain
        self.place.empty()


class TestInside(OnPostgreSQL):
    """Both legs inside the database, for a role that row-level security holds for."""

    options: ClassVar[dict[str, Any]] = {"index_most_held": 0}

    @pytest.fixture(autouse=True)
    def _place(self, plain_role: Prepared) -> None:
        self.place = plain_role
        self.place.empty()


class TestCrossing(TestInside):
    """Scopes that grow too large to be held while they are in use."""

    options: ClassVar[dict[str, Any]] = {"index_most_held": 2}
