"""From an engine URL to an address and options. Pure."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from daybook.errors import ConfigError
from daybook.registry import EngineUrl

__all__ = ["Address", "read_address"]

_TLS = ("rediss", "valkeys")
_LARGEST = 1e9
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
_OPTIONS = {
    "cluster": "false",
    "prefix": "daybook",
    "timeout_s": "10",
    "expiry_margin_s": "3600",
    "max_connections": "32",
    "ca_file": "",
    "cert_file": "",
    "key_file": "",
}


class Address(Struct, frozen=True, kw_only=True):
    """Where a server is and how to use it.

    Attributes:
        host: Name or address of the server, or of any node of a cluster.
        port: Its port.
        db: The database's number; 0 on a cluster.
        username: Who logs in; None for the default user.
        password: With what; None for none.
        tls: Whether the connection is encrypted; the server's certificate is always checked.
        ca_file: Certificates to trust instead of the system's.
        cert_file: A certificate to show, for servers that ask for one.
        key_file: Its key.
        cluster: Whether it is a Redis Cluster.
        prefix: What all keys begin with.
        timeout_s: Every call returns or raises within this time.
        expiry_margin_s: How long after its end the server may drop an expired session itself.
        max_connections: Most connections to one node, for each event loop.
    """

    host: str
    port: int
    db: int
    username: str | None
    password: str | None
    tls: bool
    ca_file: str | None
    cert_file: str | None
    key_file: str | None
    cluster: bool
    prefix: str
    timeout_s: float
    expiry_margin_s: float
    max_connections: int

    def __repr__(self) -> str:
        """Show no password."""
        return f"Address({self.host}:{self.port}/{self.db})"


def read_address(url: EngineUrl) -> Address:
    """Return the address in ``redis://user:password@host:port/db?options``.

    Raises:
        ConfigError: A part of it is wrong; the message shows no password.
    """
    options = url.take(**_OPTIONS)
    login, _, place = url.address.rpartition("@")
    username, colon, password = (unquote(part) for part in login.partition(":"))
    host, port, db = _read_place(place)
    cluster = _read_flag(options["cluster"], "cluster")
    if cluster and db:
        raise ConfigError("redis: a cluster has database 0 only; leave the number out")
    if not _PREFIX(options["prefix"]):
        raise ConfigError("redis: prefix must be 1 to 64 letters, digits, dots, dashes or _")
    return Address(
        host=host,
        port=port,
        db=db,
        username=username or None,
        password=password if colon else None,
        tls=url.scheme in _TLS,
        ca_file=options["ca_file"] or None,
        cert_file=options["cert_file"] or None,
        key_file=options["key_file"] or None,
        cluster=cluster,
        prefix=options["prefix"],
        **_read_numbers(options),
    )


def _read_place(place: str) -> tuple[str, int, int]:
    where, _, db = place.partition("/")
    if where.startswith("["):  # [::1]:6379
        host, _, rest = where[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = where.partition(":")
    try:
        return host or "localhost", int(port or 6379), int(db or 0)
    except ValueError:
        raise ConfigError("redis: write redis://host:port/number, both in digits") from None


def _read_flag(text: str, name: str) -> bool:
    if text not in ("true", "false"):
        raise ConfigError(f"redis: {name} must be true or false")
    return text == "true"


def _read_numbers(options: dict[str, str]) -> dict[str, Any]:
    try:
        numbers = {
            "timeout_s": float(options["timeout_s"]),
            "expiry_margin_s": float(options["expiry_margin_s"]),
            "max_connections": int(options["max_connections"]),
        }
    except ValueError:
        numbers = {}
    if not numbers or not all(0 < number < _LARGEST for number in numbers.values()):
        raise ConfigError(
            "redis: timeout_s, expiry_margin_s and max_connections must be numbers above 0"
        )
    return numbers
