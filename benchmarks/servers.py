"""The servers and folders that a comparison of engines runs on, set up as durably as they are used.

`tests.servers` starts what is installed; an address in ``DAYBOOK_TEST_*_URL`` is used instead.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import dynamodb, mongodb, postgres, redis, redis_cluster
from tests.servers.launch import ServerFailedError, ServerMissingError

__all__ = ["SETTINGS", "Places", "places"]

# What each engine's store does before it acknowledges, for the tables.
SETTINGS = {
    "sqlite": "WAL, synchronous=FULL: an fsync a commit",
    "file": "an fsync an append",
    "redis": "Valkey, appendonly yes, appendfsync everysec",
    "redis cluster": "three Valkey masters, appendonly yes, appendfsync everysec",
    "postgresql": "synchronous_commit on, fsync on",
    "mongodb": "replica set of one, w: majority, j: true",
    "dynamodb": "moto's server, a simulator in memory: its times say little about DynamoDB",
    "inmemory": "none",
}
_VARIABLES = {
    "redis": "DAYBOOK_TEST_REDIS_URL",
    "redis cluster": "DAYBOOK_TEST_REDIS_CLUSTER_URL",
    "postgresql": "DAYBOOK_TEST_POSTGRES_URL",
    "mongodb": "DAYBOOK_TEST_MONGODB_URL",
    "dynamodb": "DAYBOOK_TEST_DYNAMODB_URL",
}


@dataclass(frozen=True)
class Places:
    """Where each engine's data go; child processes get a copy.

    Attributes:
        folder: For files, on the disk that is measured.
        urls: Engine name to the server's address, as Daybook writes it.
        missing: Engine name to the reason why it cannot be measured here.
        run: Tells this run's sessions from those of another on the same servers.
    """

    folder: Path
    urls: Mapping[str, str]
    missing: Mapping[str, str]
    run: str

    def of(self, engine: str) -> str:
        """Return a server's address."""
        return self.urls[engine]


@contextmanager
def places(folder: Path, engines: tuple[str, ...]) -> Iterator[Places]:
    """Start the servers of some engines for the length of a block."""
    # The emulator takes any; both sides look where AWS's own tools look.
    for name, value in {**dynamodb.CREDENTIALS, "AWS_DEFAULT_REGION": dynamodb.REGION}.items():
        os.environ.setdefault(name, value)
    urls: dict[str, str] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        for engine in engines:
            if engine not in _STARTERS:
                continue
            try:
                given = os.environ.get(_VARIABLES[engine])
                urls[engine] = given or stack.enter_context(_STARTERS[engine]())
            except (ServerMissingError, ServerFailedError) as reason:
                missing[engine] = str(reason)
        yield Places(folder, urls, missing, secrets.token_hex(4))


@contextmanager
def _redis() -> Iterator[str]:
    with redis.redis_server(appendonly=True, appendfsync="everysec") as server:
        yield server.url


@contextmanager
def _redis_cluster() -> Iterator[str]:
    with redis_cluster.redis_cluster() as cluster:
        for node in cluster.nodes:
            redis.ask(node.port, "CONFIG", "SET", "appendonly", "yes")
        yield cluster.url


@contextmanager
def _postgresql() -> Iterator[str]:
    with postgres.postgres_server(fsync=True, synchronous_commit="on") as server:
        yield server.url


@contextmanager
def _mongodb() -> Iterator[str]:
    with mongodb.mongodb_server() as server:
        yield server.url


@contextmanager
def _dynamodb() -> Iterator[str]:
    with dynamodb.dynamodb_server() as server:
        yield server.url


_STARTERS: dict[str, Callable[[], Any]] = {
    "redis": _redis,
    "redis cluster": _redis_cluster,
    "postgresql": _postgresql,
    "mongodb": _mongodb,
    "dynamodb": _dynamodb,
}
