"""A book on every engine that lives on a server or in a folder, through both facades.

`AsyncDaybook` keeps the whole contract. `Daybook`, which says the same in blocking calls, goes once
through all that a book does, and keeps the whole contract in `make torture`, and every day on
SQLite and in memory. An engine without an index of its own is paired with an SQLite file.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pytest

from daybook.testing.facade_contract import FacadeContract
from daybook.testing.facade_opening import FacadeOpening
from daybook.testing.facade_use_contract import FacadeUseContract
from tests.effort import sample

# A machine under load may stand still for seconds.
_PATIENCE = "timeout_s=60"


class Paired(FacadeOpening):
    """An engine that another one's index follows."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def index(self) -> str | None:
        return f"sqlite:///{self.folder}/index.db"


class File(Paired):
    """A folder."""

    def url(self) -> str:
        return f"file:///{self.folder}/book"


class TestFile(File, FacadeContract):
    """A folder, through `AsyncDaybook`."""

    blocking = False


class TestFileBlocking(File, FacadeUseContract):
    """A folder, through `Daybook`."""


@pytest.mark.torture
class TestFileBlockingWhole(File, FacadeContract):
    """A folder, all of the contract through `Daybook`."""


class Redis(Paired):
    """A Redis server."""

    @pytest.fixture(autouse=True)
    def _server(self, redis_url: str) -> None:
        self.address = f"{redis_url}?prefix=test-{uuid4().hex}&{_PATIENCE}"

    def url(self) -> str:
        return self.address


class RedisCluster(Redis):
    """A Redis Cluster of three masters."""

    @pytest.fixture(autouse=True)
    def _server(self, redis_cluster_url: str) -> None:
        self.address = f"{redis_cluster_url}&prefix=test-{uuid4().hex}&{_PATIENCE}"


class TestRedis(Redis, FacadeContract):
    """A Redis server, through `AsyncDaybook`."""

    blocking = False


class TestRedisBlocking(Redis, FacadeUseContract):
    """A Redis server, through `Daybook`."""


@pytest.mark.torture
class TestRedisBlockingWhole(Redis, FacadeContract):
    """A Redis server, all of the contract through `Daybook`."""


class TestRedisCluster(RedisCluster, FacadeContract):
    """A Redis Cluster, through `AsyncDaybook`."""

    blocking = False


@pytest.mark.torture
class TestRedisClusterBlockingWhole(RedisCluster, FacadeContract):
    """A Redis Cluster, all of the contract through `Daybook`."""


class MongoDB(Paired):
    """A MongoDB replica set."""

    @pytest.fixture(autouse=True)
    def _server(self, mongodb_url: str) -> None:
        head, _, options = mongodb_url.partition("?")
        self.address = f"{head.rpartition('/')[0]}/facade_{uuid4().hex}?{options}&{_PATIENCE}"

    def url(self) -> str:
        return self.address


class TestMongoDB(MongoDB, FacadeContract):
    """A MongoDB replica set, through `AsyncDaybook`."""

    blocking = False


class TestMongoDBBlocking(MongoDB, FacadeUseContract):
    """A MongoDB replica set, through `Daybook`."""


@pytest.mark.torture
class TestMongoDBBlockingWhole(MongoDB, FacadeContract):
    """A MongoDB replica set, all of the contract through `Daybook`."""


class DynamoDB(Paired):
    """The DynamoDB API."""

    largest_metadata: ClassVar[int | None] = 100_000
    random_examples: ClassVar[int] = sample(10, long=40)  # an emulator of one thread

    @pytest.fixture(autouse=True)
    def _server(self, dynamodb_url: str, few_shards: None) -> None:
        head, _, options = dynamodb_url.partition("?")
        self.address = f"{head}/facade-{uuid4().hex[:8]}?{options}&{_PATIENCE}"

    def url(self) -> str:
        return self.address


class TestDynamoDB(DynamoDB, FacadeContract):
    """The DynamoDB API, through `AsyncDaybook`."""

    blocking = False


class TestDynamoDBBlocking(DynamoDB, FacadeUseContract):
    """The DynamoDB API, through `Daybook`."""


@pytest.mark.torture
class TestDynamoDBBlockingWhole(DynamoDB, FacadeContract):
    """The DynamoDB API, all of the contract through `Daybook`."""
