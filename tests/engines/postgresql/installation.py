"""A schema for the tests of one process, owned by a role without privileges."""

from __future__ import annotations

import os
from functools import cache
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

_PASSWORD = "made-up"


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
        self.url = f"postgresql://{name}:{_PASSWORD}@{server}{parts.path}?schema={name}"
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

    def empty(self) -> None:
        """Remove every row; numbers go on."""
        with self.connect() as connection:
            tables = connection.execute(
                "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = to_regnamespace(%s) "
                "AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                "AND c.relname <> 'installation'",
                (self.schema,),
            ).fetchall()
            for (table,) in tables:
                connection.execute(
                    SQL("DELETE FROM {}").format(Identifier(self.schema, str(table)))
                )


@cache
def installation(admin: str) -> Installation:
    """Return this process's schema on a server."""
    return Installation(admin, f"daybook_{os.getpid()}")
