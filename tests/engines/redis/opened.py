"""Redis engines for tests: a prefix of their own, and a look at the keys beneath."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from daybook.engines.redis import RedisEngine, open_engine
from daybook.protocols.clock import Clock, SystemClock
from daybook.registry import parse_url


def with_options(url: str, **options: object) -> str:
    """Return a URL with options added."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{url}{'&' if '?' in url else '?'}{query}"


def fresh_prefix() -> str:
    """Return a prefix that nothing is stored under."""
    return f"test-{uuid4().hex}"


@asynccontextmanager
async def opened(
    url: str, *, clock: Clock | None = None, prefix: str | None = None, **options: object
) -> AsyncIterator[RedisEngine]:
    """Open an engine for the length of a block."""
    whole = with_options(url, prefix=prefix or fresh_prefix(), **options)
    engine = await open_engine(parse_url(whole), clock=clock or SystemClock())
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[Redis]:
    """Open a plain client of the driver."""
    client = Redis.from_url(url.partition("?")[0])
    try:
        yield client
    finally:
        await client.aclose()


async def keys_of(client: Redis, prefix: str) -> dict[str, bytes]:
    """Return the keys under a prefix, without prefix and bucket, and their full names."""
    found: list[bytes] = await command(client, "KEYS", f"{prefix}:*")
    return {key.decode(errors="replace").split("}:", 1)[1]: key for key in found}


async def command(client: Redis, *words: object) -> Any:
    """Run any command."""
    return await client.execute_command(*words)  # type: ignore[no-untyped-call]
