"""Redis engines for tests: a prefix of their own, and a look at the keys beneath."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

from msgspec.structs import replace
from redis.asyncio import Redis

from daybook.engines.redis import RedisEngine, open_engine
from daybook.protocols.clock import Clock, SystemClock
from daybook.registry import parse_url

# A machine under load may stand still for seconds; only a test that is about time gives less.
PATIENCE_S = 60.0


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
    chosen = {"prefix": prefix or fresh_prefix(), "timeout_s": PATIENCE_S, **options}
    whole = with_options(url, **chosen)
    engine = await open_engine(parse_url(whole), clock=clock or SystemClock())
    try:
        yield engine
    finally:
        await engine.close()


@contextmanager
def impatient(engine: RedisEngine, timeout_s: float) -> Iterator[None]:
    """Give an engine's calls less time for the length of a block, as its URL might."""
    calls = engine._calls
    patient = calls._address
    calls._address = replace(patient, timeout_s=timeout_s)
    try:
        yield
    finally:
        calls._address = patient


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[Redis]:
    """Open a plain client of the driver."""
    client = Redis.from_url(url.partition("?")[0], socket_timeout=PATIENCE_S)
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
