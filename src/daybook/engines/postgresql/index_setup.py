"""Whether both legs of a search can run inside this database, and the tables for it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from daybook.engines.postgresql.schema import render
from daybook.engines.postgresql.schema_legs import LEGS

__all__ = ["IndexSupport", "prepare_index"]

# pgvector 0.7 brought halfvec.
_OLDEST = (0, 7)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('daybook:' || %s, 0))"
_FACTS = """SELECT e.extversion, n.nspname, a.default_version,
    r.rolsuper OR (coalesce(v.trusted, false)
        AND has_database_privilege(current_database(), 'CREATE')),
    pg_has_role(c.relowner, 'USAGE'), to_regclass(%s) IS NOT NULL
FROM pg_roles AS r
JOIN pg_class AS c ON c.oid = to_regclass(%s)
LEFT JOIN pg_extension AS e ON e.extname = 'vector'
LEFT JOIN pg_namespace AS n ON n.oid = e.extnamespace
LEFT JOIN pg_available_extensions AS a ON a.name = 'vector'
LEFT JOIN pg_available_extension_versions AS v
    ON v.name = a.name AND v.version = a.default_version
WHERE r.rolname = current_user"""
_HELD = (
    "users with very many messages are searched in this process's memory, about 1.4 kB a message, "
    "slowly at first"
)


class IndexSupport(Struct, frozen=True):
    """What the database can do for the search index.

    Attributes:
        has_legs: Whether scopes too large to be held can be searched inside the database.
        warnings: What an operator should know if not.
    """

    has_legs: bool
    warnings: tuple[str, ...] = ()


class _Facts(Struct, frozen=True):
    installed: str | None
    home: str | None
    available: str | None
    may_install: bool
    may_add_tables: bool
    has_legs: bool


async def prepare_index(connection: AsyncConnection[Any], schema: str) -> IndexSupport:
    """Create the tables of `schema_legs` if pgvector is there or may be installed.

    Call it when the schema itself is prepared. Repeatable; several may call it at once.

    Atomicity: one transaction.
    """
    facts = await _facts(connection, schema)
    warning = _obstacle(facts)
    if warning:
        return IndexSupport(has_legs=False, warnings=(f"{warning}; {_HELD}",))
    if facts.installed is None or not facts.has_legs:
        async with connection.transaction():
            await connection.execute(_LOCK, (schema,))
            await _create(connection, schema)
    return IndexSupport(has_legs=True)


def _obstacle(facts: _Facts) -> str:
    """Return what stands in the way of pgvector, or nothing."""
    version = facts.installed or facts.available
    if version is None:
        return "pgvector is not on this server"
    if _numbers(version) < _OLDEST:
        return f"pgvector {version} is older than 0.7: update it"
    if facts.installed is None and not facts.may_install:
        return "pgvector is not in this database: let a superuser run CREATE EXTENSION vector"
    if not facts.has_legs and not facts.may_add_tables:
        return "this role may not add pgvector's tables: open it once as the tables' owner"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


async def _facts(connection: AsyncConnection[Any], schema: str) -> _Facts:
    cursor = await connection.execute(_FACTS, (f"{schema}.index_legs", f"{schema}.index_documents"))
    return _Facts(*(await cursor.fetchall())[0])


async def _create(connection: AsyncConnection[Any], schema: str) -> None:
    """Create what is missing; the caller holds the lock."""
    if (await _facts(connection, schema)).installed is None:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    facts = await _facts(connection, schema)
    if not facts.has_legs:
        quoted = '"{}".'.format((facts.home or "").replace('"', '""'))
        for statement in LEGS:
            text = render(statement.replace("VECTOR.", quoted), schema)
            await connection.execute(text.encode())
