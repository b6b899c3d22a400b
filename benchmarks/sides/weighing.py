"""How many bytes a store holds, asked of the store itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = [
    "dynamodb_bytes",
    "folder_bytes",
    "mongodb_bytes",
    "postgresql_bytes",
    "redis_bytes",
    "redis_cluster_bytes",
    "sqlite_bytes",
]

_TABLES = (
    "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class AS c "
    "JOIN pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND n.nspname = %s AND c.relname LIKE %s"
)
_SEVERAL = 1_000


def folder_bytes(folder: Path) -> int:
    """Return the length of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sqlite_bytes(path: Path) -> int:
    """Return the pages of a database in use, whether they are in its file or in its log."""
    with closing(sqlite3.connect(path)) as connection:
        facts = ("page_count", "freelist_count", "page_size")
        pages, free, size = (
            int(connection.execute(f"PRAGMA {fact}").fetchone()[0]) for fact in facts
        )
    return (pages - free) * size


def redis_bytes(url: str, pattern: str) -> int:
    """Return ``MEMORY USAGE`` of all keys that fit a pattern."""
    from redis import Redis  # noqa: PLC0415 - an optional driver

    with Redis.from_url(url) as client:
        return _memory(client, pattern)


def redis_cluster_bytes(url: str, pattern: str) -> int:
    """Return the same, summed over the masters of a cluster."""
    from redis import RedisCluster  # noqa: PLC0415 - an optional driver

    with RedisCluster.from_url(url) as client:
        nodes: list[Any] = client.get_primaries()
        return sum(_memory(client.get_redis_connection(node), pattern) for node in nodes)


def _memory(client: Any, pattern: str) -> int:
    keys = list(client.scan_iter(match=pattern, count=_SEVERAL))
    total = 0
    for at in range(0, len(keys), _SEVERAL):
        pipeline = client.pipeline(transaction=False)
        for key in keys[at : at + _SEVERAL]:
            pipeline.memory_usage(key, samples=0)
        total += sum(size or 0 for size in pipeline.execute())
    return total


def postgresql_bytes(url: str, schema: str, tables: str = "%") -> int:
    """Return `pg_total_relation_size` of a schema's tables, indexes and all."""
    import psycopg  # noqa: PLC0415 - an optional driver

    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_TABLES, (schema, tables)).fetchone()
    return int(row[0]) if row else 0


def mongodb_bytes(url: str, database: str) -> int:
    """Return `dataSize` and `indexSize` of a database: documents as BSON, before compression."""
    from pymongo import MongoClient  # noqa: PLC0415 - an optional driver

    with MongoClient[dict[str, Any]](url) as client:
        client.admin.command("fsync")
        stats: dict[str, Any] = client[database].command("dbStats")
    return int(stats["dataSize"]) + int(stats["indexSize"])


def dynamodb_bytes(client: Any, table: str) -> int:
    """Return the length of all names and values of a table's items, as DynamoDB counts them."""
    pages = client.get_paginator("scan").paginate(TableName=table)
    return sum(_item_bytes(item) for page in pages for item in page["Items"])


def _item_bytes(item: dict[str, dict[str, Any]]) -> int:
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: dict[str, Any]) -> int:
    ((kind, value),) = typed.items()
    if kind == "M":
        return 3 + _item_bytes(value) + len(value)
    if kind == "L":
        return 3 + sum(1 + _value_bytes(one) for one in value)
    if kind in ("SS", "NS", "BS"):
        return sum(len(one) for one in value)
    if kind in ("BOOL", "NULL"):
        return 1
    return len(value) if isinstance(value, bytes) else len(str(value).encode())
