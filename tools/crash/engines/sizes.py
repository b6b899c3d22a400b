"""How much each engine keeps under an address, asked of the server itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

__all__ = ["size_of"]


async def size_of(url: str) -> int:
    """Return how many rows, keys with their elements, files, documents or items there are."""
    scheme = url.partition("://")[0]
    return await asyncio.to_thread(_MEASURES[scheme], url)


def _sqlite(url: str) -> int:
    path = urlsplit(url).path[1:]
    with closing(sqlite3.connect(path)) as file:
        names = [
            name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        tables = [f'SELECT count(*) FROM "{name}"' for name in names]  # noqa: S608 - their own
        return sum(file.execute(count).fetchone()[0] for count in tables)


def _files(url: str) -> int:
    path = Path(urlsplit(url).path[1:])
    return sum(1 for one in path.rglob("*") if one.is_file())


def _redis(url: str) -> int:
    from redis import Redis, RedisCluster  # noqa: PLC0415 - the driver of one engine

    options = _options(url)
    kind: Any = RedisCluster if options.get("cluster") == "true" else Redis
    with closing(kind.from_url(url.partition("?")[0])) as client:
        return _elements(client, options["prefix"])


def _elements(client: Any, prefix: str) -> int:
    counts = {b"hash": "hlen", b"zset": "zcard", b"set": "scard", b"list": "llen"}
    total = 0
    # A scan may show a key twice while the server makes its table larger or smaller.
    for key in set(client.scan_iter(match=f"*{prefix}*", count=1000)):
        if key.endswith(b"}:n"):
            continue  # one counter for each of 256 buckets, which stays
        count = counts.get(client.type(key))
        total += 1 + (getattr(client, count)(key) if count else 0)
    return total


def _postgresql(url: str) -> int:
    import psycopg  # noqa: PLC0415 - the driver of one engine

    schema = _options(url)["schema"]
    with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)
        ).fetchall()
        total = 0
        for (table,) in tables:
            count = psycopg.sql.SQL("SELECT count(*) FROM {}").format(
                psycopg.sql.Identifier(schema, table)
            )
            found = connection.execute(count).fetchone()
            total += found[0] if found else 0
        return total


def _mongodb(url: str) -> int:
    from pymongo import MongoClient  # noqa: PLC0415 - the driver of one engine

    with MongoClient[Mapping[str, Any]](url.partition("?")[0], directConnection=True) as client:
        database = client.get_default_database()
        # What a session leaves behind for a day carries the hour at which the server drops it.
        kept: dict[str, Any] = {"drop": None}
        names = database.list_collection_names()
        return sum(database[name].count_documents(kept) for name in names)


def _dynamodb(url: str) -> int:
    import botocore.session  # noqa: PLC0415 - the driver of one engine

    region, _, prefix = url.partition("://")[2].partition("?")[0].partition("/")
    endpoint = _options(url)["endpoint"]
    client = botocore.session.Session().create_client(
        "dynamodb", region_name=region, endpoint_url=endpoint
    )
    with closing(client):
        pages = client.get_paginator("scan").paginate(TableName=f"{prefix}-book", Select="COUNT")
        return sum(page["Count"] for page in pages)


def _options(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


_MEASURES: dict[str, Callable[[str], int]] = {
    "sqlite": _sqlite,
    "file": _files,
    "redis": _redis,
    "postgresql": _postgresql,
    "mongodb": _mongodb,
    "dynamodb": _dynamodb,
}
