"""URLs of empty places on servers of every kind, and how the checks open them."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

from daybook.client import AsyncDaybook, Opening
from daybook.model.scope import DEFAULT_TENANT
from daybook.protocols.clock import Clock
from tests.servers.fault_proxy import FaultProxy

__all__ = [
    "driver_module",
    "fresh_url",
    "local_url",
    "open_indexed",
    "open_url",
    "port_of",
    "through",
    "with_options",
]

_PORT = re.compile(r"127\.0\.0\.1:(\d+)")


def local_url(engine: str, folder: Path) -> str:
    """Return an address in a folder, for the engines that need no server.

    Args:
        engine: ``inmemory``, ``sqlite`` or ``file``.
        folder: Where the data may go; it may hold other data already.
    """
    name = uuid4().hex
    if engine == "inmemory":
        return "inmemory://"
    if engine == "sqlite":
        return f"sqlite:///{folder}/{name}.db?lock_timeout_s=60"
    return f"file:///{folder}/{name}?lock_timeout_s=60"


def fresh_url(server_url: str) -> str:
    """Return an address on a server under which nothing is stored yet."""
    name = uuid4().hex
    scheme, _, _ = server_url.partition("://")
    head, _, query = server_url.partition("?")
    if scheme in {"redis", "valkey"}:
        return with_options(server_url, prefix=f"torture-{name}")
    if scheme.startswith("postgres"):
        return with_options(server_url, schema=f"torture_{name}")
    place = f"{head.rpartition('/')[0]}/torture_{name}"
    if scheme == "dynamodb":
        place = f"{head}/torture-{name}"
    return f"{place}?{query}" if query else place


def driver_module(url: str) -> str:
    """Return the module that opens a URL and imports the driver."""
    return f"daybook.engines.{url.partition('://')[0]}.engine"


def port_of(url: str) -> int:
    """Return the port of a server of this machine."""
    found = _PORT.search(url)
    if found is None:
        raise ValueError("the URL names no port of this machine")
    return int(found[1])


def through(proxy: FaultProxy, url: str) -> str:
    """Return the way to a server through a proxy."""
    changed = proxy.url(url)
    # A client of a replica set would ask its members where they are and go past the proxy.
    if url.startswith("mongodb:"):
        changed = with_options(changed, directConnection="true")
    return changed


def with_options(url: str, **options: object) -> str:
    """Return a URL with more options."""
    added = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{url}{'&' if '?' in url else '?'}{added}"


def open_url(url: str, *, tenant: str = DEFAULT_TENANT, clock: Clock | None = None) -> Opening:
    """Open a place with the words-only index and no background work: nothing happens unasked."""
    return AsyncDaybook.open(url, embedder=None, background=False, tenant=tenant, clock=clock)


def open_indexed(url: str, clock: Clock) -> Opening:
    """Open a place with an index: its own, or one in memory for the engines that have none."""
    own = url.startswith(("sqlite:", "postgres", "inmemory:"))
    index = None if own else "inmemory://"
    return AsyncDaybook.open(url, index=index, embedder=None, background=False, clock=clock)
