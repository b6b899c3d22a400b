"""A schema for the tests of one process, owned by a role without privileges."""

from __future__ import annotations

import atexit
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache, cached_property
from typing import TypeVar
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql import PostgreSQLEngine, open_engine
from daybook.errors import StoreTimeoutError
from daybook.protocols.clock import Clock
from daybook.registry import parse_url
from tests.engines.postgresql.emptying import PATIENCE, run_alone

T = TypeVar("T")

_PASSWORD = "made-up"
_TABLES = """SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = to_regnamespace(%s)
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'installation'"""


class Installation:
    """One schema on one server.

    Attributes:
        admin: The server's address for an administrator.
        url: The schema's address for Daybook.
        role: The schema's owner: no superuser, bound by row-level security.
        schema: The schema.
    """

    def __init__(self, admin: str, name: str) -> None:
        self.admin = admin
        self.role = self.schema = name
        parts = urlsplit(admin)
        server = parts.netloc.rpartition("@")[2]
        self.url = (
            f"postgresql://{name}:{_PASSWORD}@{server}{parts.path}"
            f"?schema={name}&application_name={name}&{PATIENCE}"
        )
        with self.connect() as connection:
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(name)))
            connection.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(name)))
            connection.execute(
                SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(name), _PASSWORD)
            )
            connection.execute(SQL("CREATE SCHEMA {0} AUTHORIZATION {0}").format(Identifier(name)))

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """Connect as the administrator, whom no policy binds."""
        return psycopg.connect(self.admin, autocommit=True)

    def count(self, table: str) -> int:
        """Return how many rows a table has, whosever they are."""
        with self.connect() as connection:
            query = SQL("SELECT count(*) FROM {}").format(Identifier(self.schema, table))
            [[rows]] = connection.execute(query).fetchall()
        return int(str(rows))

    def empty(self) -> None:
        """Remove every row; numbers go on.

        Each test begins with it, so its connection stays open and its statements are prepared.
        """
        run_alone(self._cleaner, self.schema, self._delete_all)

    def _delete_all(self) -> None:
        tables = self._cleaner.execute(_TABLES, (self.schema,), prepare=True).fetchall()
        with self._cleaner.pipeline():
            for (table,) in tables:
                query = SQL("DELETE FROM {}").format(Identifier(self.schema, str(table)))
                self._cleaner.execute(query, prepare=True)

    @cached_property
    def _cleaner(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = self.connect()
        atexit.register(connection.close)
        return connection


@asynccontextmanager
async def opened(url: str, clock: Clock) -> AsyncIterator[PostgreSQLEngine]:
    """Open an engine for the length of a block."""
    engine = await open_engine(parse_url(url), clock=clock)
    try:
        yield engine
    finally:
        await engine.close()


async def in_time(call: Callable[[], Awaitable[T]]) -> T:
    """Return what a call of an impatient engine returns once the machine lets it be in time."""
    while True:
        with suppress(StoreTimeoutError):
            return await call()


@cache
def installation(admin: str) -> Installation:
    """Return this process's schema on a server."""
    return Installation(admin, f"daybook_{os.getpid()}")
