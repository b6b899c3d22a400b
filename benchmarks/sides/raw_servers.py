"""The floors on servers: what each async driver does at least to keep a conversation.

Role and content only, made and read by the standard library's json (MongoDB: as documents). No
session headers, no repeated ids, no owners, no index for search.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.sides.floors import body_of
from benchmarks.sides.history import AsyncHistory
from benchmarks.sides.weighing import (
    mongodb_bytes,
    postgresql_bytes,
    redis_bytes,
    redis_cluster_bytes,
)
from benchmarks.talk import Exchange

__all__ = ["RawMongo", "RawPostgres", "RawRedis", "RawRedisCluster"]

_TABLE = (
    "CREATE TABLE IF NOT EXISTS floor.messages "
    "(session text, seq bigint, body text NOT NULL, PRIMARY KEY (session, seq))"
)
_APPEND = (
    "INSERT INTO floor.messages SELECT %(session)s, last.seq + n.place, n.body FROM "
    "(SELECT coalesce(max(seq), 0) AS seq FROM floor.messages WHERE session = %(session)s) "
    "AS last, unnest(%(bodies)s::text[]) WITH ORDINALITY AS n (body, place)"
)
_NEWEST = "SELECT body FROM floor.messages WHERE session = %s ORDER BY seq DESC LIMIT %s"
_CONNECTIONS = 10  # as many as Daybook's pool


def _bodies(texts: Sequence[str]) -> list[str]:
    return [json.dumps(body_of(at, text)) for at, text in enumerate(texts)]


class _RawOnRedis(AsyncHistory):
    """A list of JSON for each session: one RPUSH, or a pipeline that also keeps count and time."""

    client: Any

    def __init__(self, *, counted: bool) -> None:
        super().__init__()
        self.name = "counted" if counted else "floor"
        self._counted = counted

    def _key(self, session: str) -> str:
        return f"{self.name}:{{{session}}}"  # both keys of a session in one slot of a cluster

    async def _push(self, session: str, bodies: list[str]) -> None:
        await self.client.rpush(self._key(session), *bodies)

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one command."""
        if texts:
            self.loop.wait(self._push(session, _bodies(texts)))

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append in one round trip."""
        if not self._counted:
            return await self._push(session, _bodies(exchange))
        key = self._key(session)
        pipeline = self.client.pipeline(transaction=True)
        pipeline.rpush(key, *_bodies(exchange))
        pipeline.hincrby(f"{key}-head", "count", len(exchange))
        pipeline.hset(f"{key}-head", "last", "2026-11-01T12:00:00Z")
        await pipeline.execute()
        return None

    async def load(self, session: str, limit: int | None) -> int:
        """Read and decode."""
        first = 0 if limit is None else -limit
        bodies = await self.client.lrange(self._key(session), first, -1)
        messages: list[Any] = [json.loads(body) for body in bodies]
        return len(messages)

    def close(self) -> None:
        """Close the connections and the loop."""
        self.loop.wait(self.client.aclose())
        self.loop.close()


class RawRedis(_RawOnRedis):
    """`redis.asyncio`."""

    def __init__(self, url: str, *, counted: bool) -> None:
        super().__init__(counted=counted)
        from redis.asyncio import Redis  # noqa: PLC0415 - an optional driver

        self.client = Redis.from_url(url)
        self._url = url

    def stored_bytes(self) -> int:
        """Return what its keys take."""
        return redis_bytes(self._url, f"{self.name}:*")


class RawRedisCluster(_RawOnRedis):
    """`redis.asyncio.cluster`."""

    def __init__(self, url: str, *, counted: bool) -> None:
        super().__init__(counted=counted)
        from redis.asyncio.cluster import RedisCluster  # noqa: PLC0415 - an optional driver

        self._url = url.partition("?")[0]
        self.client = RedisCluster.from_url(self._url)
        self.loop.wait(self._connect())

    async def _connect(self) -> None:
        await self.client.initialize()

    def stored_bytes(self) -> int:
        """Return what its keys take."""
        return redis_cluster_bytes(self._url, f"{self.name}:*")


class RawPostgres(AsyncHistory):
    """`psycopg`, awaited: one committed statement."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._open: list[Any] = []
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self.loop.wait(self._connect())

    async def _connect(self) -> None:
        import psycopg  # noqa: PLC0415 - an optional driver

        for _ in range(_CONNECTIONS):
            one = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
            self._open.append(one)
            self._free.put_nowait(one)
        await self._open[0].execute("CREATE SCHEMA IF NOT EXISTS floor")
        await self._open[0].execute(_TABLE)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        one = await self._free.get()
        try:
            yield one
        finally:
            self._free.put_nowait(one)

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one statement."""
        self.loop.wait(self._write(session, texts))

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append in one statement."""
        await self._write(session, exchange)

    async def _write(self, session: str, texts: Sequence[str]) -> None:
        async with self._connection() as connection:
            await connection.execute(_APPEND, {"session": session, "bodies": _bodies(texts)})

    async def load(self, session: str, limit: int | None) -> int:
        """Read and decode."""
        async with self._connection() as connection:
            rows = await (await connection.execute(_NEWEST, (session, limit))).fetchall()
        messages: list[Any] = [json.loads(body) for (body,) in rows]
        messages.reverse()
        return len(messages)

    def stored_bytes(self) -> int:
        """Return what the table takes."""
        return postgresql_bytes(self._url, "floor")

    def close(self) -> None:
        """Close the connections and the loop."""
        for one in self._open:
            self.loop.wait(one.close())
        self.loop.close()


class RawMongo(AsyncHistory):
    """`pymongo`, awaited: one `insert_many` with the write concern that Daybook asks for."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._client: Any = None
        self._messages: Any = None
        self.loop.wait(self._connect())

    async def _connect(self) -> None:
        from pymongo import AsyncMongoClient  # noqa: PLC0415 - an optional driver
        from pymongo.write_concern import WriteConcern  # noqa: PLC0415

        self._client = AsyncMongoClient[dict[str, Any]](self._url)
        concern = WriteConcern(w="majority", j=True)
        self._messages = self._client["floor"].get_collection("messages", write_concern=concern)
        await self._messages.create_index([("session", 1), ("_id", 1)])

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Insert together."""
        if texts:
            self.loop.wait(self._write(session, texts))

    async def append(self, session: str, exchange: Exchange) -> None:
        """Insert two documents."""
        await self._write(session, exchange)

    async def _write(self, session: str, texts: Sequence[str]) -> None:
        await self._messages.insert_many(
            [{"session": session, **body_of(at, text)} for at, text in enumerate(texts)]
        )

    async def load(self, session: str, limit: int | None) -> int:
        """Read newest first and turn round."""
        found = self._messages.find({"session": session}).sort("_id", -1).limit(limit or 0)
        messages: list[Any] = await found.to_list()
        messages.reverse()
        return len(messages)

    def stored_bytes(self) -> int:
        """Return what the database takes."""
        return mongodb_bytes(self._url, "floor")

    def close(self) -> None:
        """Close the client and the loop."""
        self.loop.wait(self._client.close())
        self.loop.close()
