"""Both facades keep their contract on every engine that lives on a server or in a folder.

An engine without an index of its own is paired with an SQLite file.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from daybook.testing.facade_contract import FacadeContract


class Paired(FacadeContract):
    """An engine that another one's index follows."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def index(self) -> str | None:
        return f"sqlite:///{self.folder}/index.db"


class TestFile(Paired):
    """A folder."""

    def url(self) -> str:
        return f"file:///{self.folder}/book"


class TestFileAsync(TestFile):
    """A folder, through `AsyncDaybook`."""

    blocking = False


class TestRedis(Paired):
    """A Redis server."""

    @pytest.fixture(autouse=True)
    def _server(self, redis_url: str) -> None:
        self.address = f"{redis_url}?prefix=test-{uuid4().hex}"

    def url(self) -> str:
        return self.address


class TestRedisAsync(TestRedis):
    """A Redis server, through `AsyncDaybook`."""

    blocking = False


class TestRedisCluster(TestRedis):
    """A Redis Cluster of three masters."""

    @pytest.fixture(autouse=True)
    def _server(self, redis_cluster_url: str) -> None:
        self.address = f"{redis_cluster_url}&prefix=test-{uuid4().hex}"


class TestMongoDB(Paired):
    """A MongoDB replica set."""

    @pytest.fixture(autouse=True)
    def _server(self, mongodb_url: str) -> None:
        head, _, options = mongodb_url.partition("?")
        self.address = f"{head.rpartition('/')[0]}/facade_{uuid4().hex}?{options}"

    def url(self) -> str:
        return self.address


class TestMongoDBAsync(TestMongoDB):
    """A MongoDB replica set, through `AsyncDaybook`."""

    blocking = False


class TestDynamoDB(Paired):
    """The DynamoDB API."""

    largest_metadata = 100_000

    @pytest.fixture(autouse=True)
    def _server(self, dynamodb_url: str) -> None:
        head, _, options = dynamodb_url.partition("?")
        self.address = f"{head}/facade-{uuid4().hex[:8]}?{options}"

    def url(self) -> str:
        return self.address


class TestDynamoDBAsync(TestDynamoDB):
    """The DynamoDB API, through `AsyncDaybook`."""

    blocking = False


class TestPostgreSQL(FacadeContract):
    """PostgreSQL with pgvector: history, records and index in one."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres_url: str) -> None:
        self.address = f"{postgres_url}?schema=facade_{uuid4().hex}"

    def url(self) -> str:
        return self.address


class TestPostgreSQLAsync(TestPostgreSQL):
    """PostgreSQL with pgvector, through `AsyncDaybook`."""

    blocking = False


class TestPlainPostgreSQL(TestPostgreSQL):
    """PostgreSQL without pgvector."""

    @pytest.fixture(autouse=True)
    def _server(self, plain_postgres_url: str) -> None:
        self.address = f"{plain_postgres_url}?schema=facade_{uuid4().hex}"
