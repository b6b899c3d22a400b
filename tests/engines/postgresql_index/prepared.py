"""A schema of PostgreSQL for tests of the search index, emptied instead of made again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql import PostgreSQLEngine, open_engine
from daybook.protocols.clock import Clock
from daybook.registry import parse_url
from tests.engines.postgresql.emptying import PATIENCE, run_alone

__all__ = ["Prepared", "as_plain_role", "prepared"]

ROLE = "daybook_index_tester"
_TABLES = ("index_scopes", "index_groups", "index_counts", "index_documents")


class Prepared:
    """A schema, and how to open an engine in it."""

    def __init__(self, url: str, schema: str, admin: str) -> None:
        self.url = url
        self.schema = schema
        self.admin = admin

    @property
    def address(self) -> str:
        """The schema's address for Daybook."""
        return f"{self.url}?schema={self.schema}&application_name={self.schema}&{PATIENCE}"

    def empty(self) -> None:
        """Remove all documents, so that the next test starts with none."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            if connection.execute(
                "SELECT to_regclass(%s)", (f"{self.schema}.index_scopes",)
            ).fetchone() == (None,):
                return
            names = [Identifier(self.schema, table) for table in _TABLES]
            truncate = SQL("TRUNCATE {} CASCADE").format(SQL(", ").join(names))
            run_alone(connection, self.schema, lambda: connection.execute(truncate))

    async def open(self, clock: Clock, **options: object) -> PostgreSQLEngine:
        """Open an engine with options of its URL."""
        query = "".join(f"&{name}={value}" for name, value in options.items())
        return await open_engine(parse_url(f"{self.address}{query}"), clock=clock)


@contextmanager
def prepared(url: str, *, admin: str | None = None) -> Iterator[Prepared]:
    """Name a schema nobody else uses, and drop it in the end."""
    bare = urlunsplit(urlsplit(url)._replace(query=""))
    schema = f"index_{os.getpid()}_{os.urandom(4).hex()}"
    place = Prepared(bare, schema, admin or bare)
    try:
        yield place
    finally:
        with psycopg.connect(place.admin, autocommit=True) as connection:
            drop = SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema))
            run_alone(connection, schema, lambda: connection.execute(drop))


def as_plain_role(url: str) -> str:
    """Return the URL for a role that row-level security holds for, made if it is not there."""
    parts = urlsplit(urlunsplit(urlsplit(url)._replace(query="")))
    database = Identifier(parts.path.removeprefix("/"))
    with psycopg.connect(parts.geturl(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('daybook tests'))")
        if (
            connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone()
            is None
        ):
            connection.execute(
                SQL("CREATE ROLE {} LOGIN PASSWORD 'tester'").format(Identifier(ROLE))
            )
        connection.execute(
            SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, Identifier(ROLE))
        )
    server = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{ROLE}:tester@{server}").geturl()
