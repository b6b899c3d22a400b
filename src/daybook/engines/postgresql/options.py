"""What an engine URL says: where the server is, and the options."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from daybook.errors import ConfigError
from daybook.recall.search.large_columns import MOST_EXACT
from daybook.registry import EngineUrl

__all__ = ["Options", "read_options"]

_DEFAULTS = {
    "schema": "daybook",
    "pool_size": "10",
    "timeout_s": "10",
    "connect_timeout_s": "5",
    "index_cache_mb": "256",
    "index_most_exact": str(MOST_EXACT),
}
# Handed to the driver as they are.
_DRIVER = ("sslmode", "sslrootcert", "sslcert", "sslkey", "application_name")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,39}")


class Options(Struct, frozen=True):
    """How to reach one installation.

    Attributes:
        connection: What the driver takes: host, port, dbname, user, password and so on.
        schema: The installation's schema.
        pool_size: Most connections of one event loop.
        timeout_s: Within so many seconds every call returns or raises.
        connect_timeout_s: Within so many a connection is made.
        index_cache_mb: Memory for the search index's columns.
        index_most_exact: Users with more messages are searched by codes of vectors first.
    """

    connection: dict[str, Any]
    schema: str
    pool_size: int
    timeout_s: float
    connect_timeout_s: float
    index_cache_mb: int
    index_most_exact: int


def read_options(url: EngineUrl) -> Options:
    """Return what a URL says: ``postgresql://user:password@host:5432/database?option=value``.

    Raises:
        ConfigError: An option or a part of the URL cannot be used. Nothing of the URL is shown.
    """
    options = url.take(**_DEFAULTS, **dict.fromkeys(_DRIVER, ""))
    if not _SCHEMA.fullmatch(options["schema"]):
        raise ConfigError(
            "postgresql: schema must be lower-case letters, digits and underscores, at most 40"
        )
    try:
        read = Options(
            connection=_connection(url.location),
            schema=options["schema"],
            pool_size=int(options["pool_size"]),
            timeout_s=float(options["timeout_s"]),
            connect_timeout_s=float(options["connect_timeout_s"]),
            index_cache_mb=int(options["index_cache_mb"]),
            index_most_exact=int(options["index_most_exact"]),
        )
    except ValueError:
        raise ConfigError(
            "postgresql: ports, pool_size, timeout_s, connect_timeout_s, index_cache_mb and "
            "index_most_exact must be numbers"
        ) from None
    if read.pool_size < 1 or read.timeout_s <= 0 or read.connect_timeout_s <= 0:
        raise ConfigError(
            "postgresql: pool_size, timeout_s and connect_timeout_s must be greater than 0"
        )
    read.connection.update({name: options[name] for name in _DRIVER if options[name]})
    return read


def _connection(location: str) -> dict[str, Any]:
    """Return the parts of ``user:password@host:port,host:port/database``; all may be left out."""
    credentials, _, server = location.rpartition("@")
    user, _, password = credentials.partition(":")
    hosts, _, database = server.partition("/")
    given: dict[str, Any] = {"user": user, "password": password, "dbname": database}
    if hosts:
        pairs = [_host_and_port(one) for one in hosts.split(",")]
        given["host"] = ",".join(host for host, _ in pairs)
        given["port"] = ",".join(port for _, port in pairs)
    return {name: value for name, value in given.items() if value}


def _host_and_port(text: str) -> tuple[str, str]:
    host, bracket, rest = text.rpartition("]")
    if bracket:
        return host.removeprefix("["), str(int(rest.removeprefix(":") or 5432))
    host, _, port = text.partition(":")
    return host, str(int(port or 5432))
