"""Every kind of server that tests use: who can give its address, and how to start one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.servers import dynalite, dynamodb, mongodb, postgres, redis
from tests.servers.launch import start_in
from tests.servers.redis_cluster import RedisCluster, start_cluster


@dataclass(frozen=True)
class Kind:
    """One kind of server.

    Attributes:
        variable: The environment variable that names a server to use instead.
        start: Starts one in a folder and returns it, or raises `ServerMissingError`.
    """

    variable: str
    start: Callable[[Path], redis.RedisServer | RedisCluster | postgres.PostgresServer
                    | mongodb.MongoServer | dynamodb.DynamoDBServer]  # fmt: skip


def _redis(folder: Path) -> redis.RedisServer:
    program = redis.find_program()
    return start_in(folder, lambda place, port: redis.RedisServer(place, port, {}, program))


def _redis_cluster(folder: Path) -> RedisCluster:
    return start_cluster(folder)


def _postgres(folder: Path) -> postgres.PostgresServer:
    return _start_postgres(folder, plain=False)


def _plain_postgres(folder: Path) -> postgres.PostgresServer:
    return _start_postgres(folder, plain=True)


def _start_postgres(folder: Path, *, plain: bool) -> postgres.PostgresServer:
    programs = postgres.find_programs(plain=plain)
    settings = {"fsync": "off"}
    return start_in(
        folder, lambda place, port: postgres.PostgresServer(place, port, settings, programs)
    )


def _mongodb(folder: Path) -> mongodb.MongoServer:
    program = mongodb.find_program()
    return start_in(folder, lambda place, port: mongodb.MongoServer(place, port, {}, program))


def _dynamodb(folder: Path) -> dynamodb.DynamoDBServer:
    dynamodb.find_program()
    return start_in(folder, dynamodb.DynamoDBServer)


def _dynalite(folder: Path) -> dynalite.DynaliteServer:
    dynalite.find_program()
    return start_in(folder, dynalite.DynaliteServer)


KINDS = {
    "redis": Kind("DAYBOOK_TEST_REDIS_URL", _redis),
    "redis_cluster": Kind("DAYBOOK_TEST_REDIS_CLUSTER_URL", _redis_cluster),
    "postgres": Kind("DAYBOOK_TEST_POSTGRES_URL", _postgres),
    "plain_postgres": Kind("DAYBOOK_TEST_PLAIN_POSTGRES_URL", _plain_postgres),
    "mongodb": Kind("DAYBOOK_TEST_MONGODB_URL", _mongodb),
    "dynamodb": Kind("DAYBOOK_TEST_DYNAMODB_URL", _dynamodb),
    "dynalite": Kind("DAYBOOK_TEST_DYNALITE_URL", _dynalite),
}
