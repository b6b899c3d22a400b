"""Every engine beside its raw driver and the LangChain class of the same backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.servers import Places
from benchmarks.sides.daybook_engines import EngineDaybook
from benchmarks.sides.floors import RawAiosqlite, RawSqlite
from benchmarks.sides.history import History
from benchmarks.sides.langchain_histories import (
    LangChainDynamo,
    LangChainFile,
    LangChainMemory,
    LangChainMongo,
    LangChainPostgres,
    LangChainRedis,
)
from benchmarks.sides.langchain_sql import LangChainSql
from benchmarks.sides.raw_local import (
    AwaitedRawFile,
    RawDynamo,
    RawFile,
    RawMemory,
    dynamodb_client,
)
from benchmarks.sides.raw_servers import RawMongo, RawPostgres, RawRedis, RawRedisCluster
from benchmarks.sides.weighing import (
    dynamodb_bytes,
    folder_bytes,
    mongodb_bytes,
    postgresql_bytes,
    redis_bytes,
    redis_cluster_bytes,
    sqlite_bytes,
)

__all__ = ["ENGINES", "Engine", "Side"]

Maker = Callable[[Places], History]
_SIMULATED = 1_000  # messages that a simulator gets in seconds


@dataclass(frozen=True)
class Side:
    """One row of a table.

    Attributes:
        name: What the row says.
        make: Opens it.
    """

    name: str
    make: Maker


@dataclass(frozen=True)
class Engine:
    """An engine and what it is compared with.

    Attributes:
        daybook: Daybook on it.
        floor: The raw driver of the same flavour; the targets are ratios to it.
        others: Further floors and peers.
        most: Target for an append's ratio to the floor; None for none.
        shared: Whether several processes can write to it.
        simulated: Whether its server is a simulator, slow and of little worth for times: it gets
            fewer rounds and shorter sessions.
    """

    daybook: Side
    floor: Side
    others: tuple[Side, ...] = ()
    most: float | None = None
    shared: bool = True
    simulated: bool = False

    def at_most(self, messages: int) -> int:
        """Return how long a session may get here."""
        return min(messages, _SIMULATED) if self.simulated else messages

    @property
    def sides(self) -> tuple[Side, ...]:
        """All rows, the floor first."""
        return (self.floor, self.daybook, *self.others)


def _sqlite(places: Places) -> EngineDaybook:
    path = (places.folder / "daybook.db").absolute()
    return EngineDaybook(f"sqlite:///{path}?synchronous=full", lambda: sqlite_bytes(path))


def _file(places: Places) -> EngineDaybook:
    folder = (places.folder / "daybook-files").absolute()
    return EngineDaybook(f"file:///{folder}", lambda: folder_bytes(folder))


def _redis(places: Places) -> EngineDaybook:
    url = places.of("redis")
    return EngineDaybook(url, lambda: redis_bytes(url, "daybook*"))


def _redis_cluster(places: Places) -> EngineDaybook:
    url = places.of("redis cluster")
    plain = url.partition("?")[0]
    return EngineDaybook(url, lambda: redis_cluster_bytes(plain, "daybook*"))


def _postgresql(places: Places) -> EngineDaybook:
    url = places.of("postgresql")
    return EngineDaybook(url, lambda: postgresql_bytes(url, "daybook"))


def _mongodb(places: Places) -> EngineDaybook:
    url = places.of("mongodb")
    database = url.partition("?")[0].rpartition("/")[2]
    return EngineDaybook(url, lambda: mongodb_bytes(url, database))


def _dynamodb(places: Places) -> EngineDaybook:
    url = places.of("dynamodb")
    return EngineDaybook(url, lambda: dynamodb_bytes(dynamodb_client(url), "daybook-book"))


ENGINES: dict[str, Engine] = {
    "sqlite": Engine(
        Side("Daybook on sqlite", _sqlite),
        Side("aiosqlite", lambda p: RawAiosqlite(p.folder / "aio.db", "full")),
        (
            Side("sqlite3, blocking", lambda p: RawSqlite(p.folder / "raw.db", "full")),
            Side("LangChain SQL history", lambda p: LangChainSql(p.folder / "langchain.db")),
        ),
        most=1.6,
    ),
    "file": Engine(
        Side("Daybook on file", _file),
        Side("write + fsync in a thread", lambda p: AwaitedRawFile(p.folder / "raw-awaited")),
        (
            Side("write + fsync, blocking", lambda p: RawFile(p.folder / "raw-files")),
            Side("LangChain file history", lambda p: LangChainFile(p.folder / "langchain-files")),
        ),
        most=1.5,
    ),
    "redis": Engine(
        Side("Daybook on redis", _redis),
        Side(
            "redis.asyncio, a pipeline with count and time",
            lambda p: RawRedis(p.of("redis"), counted=True),
        ),
        (
            Side("redis.asyncio, RPUSH", lambda p: RawRedis(p.of("redis"), counted=False)),
            Side("LangChain Redis history", lambda p: LangChainRedis(p.of("redis"))),
        ),
        most=1.5,
    ),
    "redis cluster": Engine(
        Side("Daybook on redis cluster", _redis_cluster),
        Side(
            "redis.asyncio.cluster, a pipeline with count and time",
            lambda p: RawRedisCluster(p.of("redis cluster"), counted=True),
        ),
        (
            Side(
                "redis.asyncio.cluster, RPUSH",
                lambda p: RawRedisCluster(p.of("redis cluster"), counted=False),
            ),
        ),
        most=1.5,
    ),
    "postgresql": Engine(
        Side("Daybook on postgresql", _postgresql),
        Side("psycopg, awaited, one statement", lambda p: RawPostgres(p.of("postgresql"))),
        (Side("langchain-postgres", lambda p: LangChainPostgres(p.of("postgresql"))),),
        most=1.3,
    ),
    "mongodb": Engine(
        Side("Daybook on mongodb", _mongodb),
        Side("pymongo, awaited, insert_many", lambda p: RawMongo(p.of("mongodb"))),
        (Side("langchain-mongodb", lambda p: LangChainMongo(p.of("mongodb"))),),
        most=1.4,
    ),
    "dynamodb": Engine(
        Side("Daybook on dynamodb (moto)", _dynamodb),
        Side("botocore in a thread (moto)", lambda p: RawDynamo(p.of("dynamodb"))),
        (Side("LangChain DynamoDB history (moto)", lambda p: LangChainDynamo(p.of("dynamodb"))),),
        simulated=True,
    ),
    "inmemory": Engine(
        Side("Daybook on inmemory", lambda _: EngineDaybook("inmemory://")),
        Side("a dictionary of lists", lambda _: RawMemory()),
        (Side("LangChain in-memory history", lambda _: LangChainMemory()),),
        shared=False,
    ),
}
