"""Calls of the scripts: arguments packed, replies checked and unpacked, errors mapped, in time.

A reply is ``[nonce, values, lengths, bodies]``: the nonce that was sent, MessagePack, and, where
the answer has bodies, their lengths and all of them in one run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import count
from struct import unpack
from types import TracebackType
from typing import Any

import msgspec
from msgspec import Struct

from daybook.enginekit.deadline import deadline
from daybook.enginekit.per_loop import PerLoop
from daybook.engines.redis.address import Address
from daybook.engines.redis.buckets import Buckets
from daybook.engines.redis.cluster import ClusterServers
from daybook.engines.redis.connections import NodeConnections, NotSentError
from daybook.engines.redis.driver_errors import ENGINE, is_drivers, translate
from daybook.engines.redis.script_files import load_script
from daybook.engines.redis.servers import OneServer, ScriptRun, Servers
from daybook.errors import StoreClosedError

__all__ = ["Reply", "ScriptCalls"]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Reply(Struct, frozen=True):
    """What a script answered.

    Attributes:
        status: ``ok``, or why not.
        values: What else it said.
        bodies: The stored bytes it returned.
    """

    status: str
    values: list[Any]
    bodies: list[bytes]


class _Operation:
    """See `ScriptCalls.operation`."""

    __slots__ = ("_deadline", "_name")

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._deadline = deadline(seconds, engine=ENGINE, operation=name)

    async def __aenter__(self) -> None:
        await self._deadline.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._deadline.__aexit__(kind, error, traceback)
        if isinstance(error, NotSentError):
            raise translate(error.cause, self._name) from error.cause
        if isinstance(error, Exception) and is_drivers(error):
            raise translate(error, self._name) from error


class ScriptCalls:
    """The scripts of one opened engine, from any event loop and thread."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._buckets = Buckets(address.prefix)
        self._secret = os.urandom(6).hex()
        self._numbers = count()
        self._closed = False
        self._servers: PerLoop[Servers] = PerLoop(self._connect, _close)
        self._always = {"cluster": True} if address.cluster else {}

    def operation(self, name: str) -> _Operation:
        """Do what is inside ``async with`` in time, its failures as Daybook's errors.

        Raises:
            StoreClosedError: The engine was closed.
            StoreTimeoutError: It took longer than the address allows.
        """
        if self._closed:
            raise StoreClosedError(
                "the engine is closed: open it again", engine=ENGINE, operation=name
            )
        return _Operation(name, self._address.timeout_s)

    async def call(self, script: str, bucket: int, arguments: Any, *bodies: bytes) -> Reply:
        """Run a script in one bucket."""
        servers = await self._servers.get()
        run = self._run(script, [bucket], arguments, bodies)
        return _reply(await servers.run(bucket, run))

    async def call_all(
        self, script: str, arguments: dict[str, Any]
    ) -> list[tuple[list[int], Reply]]:
        """Run a reading script over all buckets: once on a server, once on each of a cluster.

        Returns:
            The buckets that each reply is about, and the reply.
        """
        servers = await self._servers.get()

        def make(buckets: list[int]) -> ScriptRun:
            if not self._address.cluster:
                return self._run(script, buckets, arguments, ())
            # Keys that are declared must share a slot. One bucket stands for those beside it.
            counters = [self._buckets.counters[bucket].decode() for bucket in buckets]
            return self._run(script, buckets[:1], {**arguments, "counters": counters}, ())

        return [(buckets, _reply(raw)) for buckets, raw in await servers.run_over_all(make)]

    async def masters(self) -> list[NodeConnections]:
        """Return the servers that take writes."""
        return await (await self._servers.get()).masters()

    async def close(self) -> None:
        """Close every connection. Repeatable."""
        self._closed = True
        await self._servers.close()

    def _run(
        self, script: str, buckets: Sequence[int], arguments: Any, bodies: Sequence[bytes]
    ) -> ScriptRun:
        nonce = f"{self._secret}{next(self._numbers)}".encode()
        keys = [self._buckets.counters[bucket] for bucket in buckets]
        packed = _encode({**arguments, **self._always})
        return ScriptRun(load_script(script), keys, nonce, (packed, *bodies))

    async def _connect(self) -> Servers:
        if self._address.cluster:
            return ClusterServers(self._address, self._buckets)
        return OneServer(self._address)


async def _close(servers: Servers) -> None:
    await servers.close()


def _reply(raw: list[Any]) -> Reply:
    _, packed, *bodies = raw
    status, *values = _decode(packed)
    return Reply(status, values, _cut(*bodies) if bodies else [])


def _cut(lengths: bytes, run: bytes) -> list[bytes]:
    bodies: list[bytes] = []
    at = 0
    for length in unpack(f">{len(lengths) // 4}I", lengths):
        bodies.append(run[at : at + length])
        at += length
    return bodies
