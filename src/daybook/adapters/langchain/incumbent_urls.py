"""Where the connection settings of LangChain's own histories lead. Pure.

A name that told data apart (a table, a collection, a key prefix) becomes a tenant of its own,
unless it is the default.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from daybook.errors import ConfigError, UnsupportedError

__all__ = [
    "file_url",
    "mongodb_url",
    "postgres_url",
    "redis_url",
    "refuse",
    "sql_url",
    "tenant_of",
]

_POSTGRES = {"postgresql", "postgres"}


def tenant_of(name: str, *defaults: str) -> dict[str, Any]:
    """Return the options that keep data under a name of its own apart."""
    return {} if name in defaults else {"tenant": name}


def refuse(**given: Any) -> None:
    """Raise for settings of an incumbent that have no meaning here, if one was given.

    Raises:
        UnsupportedError: Names them.
    """
    named = sorted(name for name, value in given.items() if value is not None)
    if named:
        raise UnsupportedError(f"{', '.join(named)}: leave it out, the stored form is Daybook's")


def sql_url(connection: Any) -> str:
    """Return the URL of a connection string or an engine of SQLAlchemy's.

    An SQLite file holds one program's tables: ours is a file of its own, ``<file>.daybook``.

    Raises:
        ConfigError: Its database has no engine here.
    """
    if not isinstance(connection, str):
        given = getattr(connection, "sync_engine", connection).url
        connection = given.render_as_string(hide_password=False)
    scheme, _, rest = connection.partition("://")
    dialect = scheme.partition("+")[0].lower()
    if dialect in _POSTGRES:
        return f"postgresql://{rest}"
    if dialect != "sqlite":
        raise ConfigError(f"{dialect}: there is no engine for it; use sqlite or postgresql")
    path = rest.partition("?")[0]
    return "inmemory://" if path in ("", "/", "/:memory:") else f"sqlite://{path}.daybook"


def postgres_url(connection: Any) -> str:
    """Return the URL of a connection string, a connection of psycopg's, or a pool of them."""
    if isinstance(connection, str):
        return sql_url(connection)
    if hasattr(connection, "conninfo"):  # a pool
        info = str(connection.conninfo)
        if "://" in info:
            return sql_url(info)
        raise ConfigError("a pool must have been opened with a postgresql:// URL; pass the URL")
    info = connection.info
    user = quote(info.user or "", safe="")
    password = f":{quote(info.password, safe='')}" if info.password else ""
    return f"postgresql://{user}{password}@{info.host}:{info.port}/{quote(info.dbname, safe='')}"


def redis_url(url: str | None, client: Any) -> str:
    """Return the URL of a Redis, given as such or by a client of redis-py's."""
    if client is None:
        return (url or "redis://localhost:6379/0").partition("?")[0]
    known = client.connection_pool.connection_kwargs
    secret = quote(str(known.get("password") or ""), safe="")
    user = quote(str(known.get("username") or ""), safe="")
    login = f"{user}:{secret}@" if secret else ""
    scheme = "rediss" if "SSL" in client.connection_pool.connection_class.__name__ else "redis"
    host, port = known.get("host", "localhost"), known.get("port", 6379)
    return f"{scheme}://{login}{host}:{port}/{known.get('db', 0)}"


def mongodb_url(connection_string: str | None, database: str, client: Any) -> str:
    """Return the URL of a database of a MongoDB.

    Raises:
        ConfigError: Neither a connection string nor a client is given.
    """
    if connection_string is None:
        if client is None:
            raise ConfigError("give connection_string or client")
        host, port = client.address
        connection_string = f"mongodb://{host}:{port}"
    found = re.fullmatch(r"(mongodb(?:\+srv)?://[^/?]+)/?([^?]*)(\?.*)?", connection_string)
    if found is None:
        raise ConfigError("connection_string must begin with mongodb:// or mongodb+srv://")
    server, _, options = found.groups()
    return f"{server}/{database}{options or ''}"


def file_url(path: str | Path) -> str:
    """Return the URL of the folder that stands beside a history's file."""
    absolute = Path(f"{path}.daybook").absolute()
    return f"file:///{quote(str(absolute))}"
