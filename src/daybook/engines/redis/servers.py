"""Where a script runs: on the one server there is.

`cluster.py` holds the same for a cluster; callers use either as `Servers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from redis.exceptions import NoScriptError, ResponseError

from daybook.engines.redis.address import Address
from daybook.engines.redis.buckets import BUCKETS
from daybook.engines.redis.connections import Command, NodeConnections
from daybook.engines.redis.script_files import Script

__all__ = ["MakeRun", "OneServer", "ScriptRun", "Servers", "run_on"]

_ASKING: Command = ("ASKING",)


class ScriptRun(Struct, frozen=True):
    """One run of a script.

    Attributes:
        script: Which.
        keys: The counters of the buckets it may touch.
        nonce: What its reply begins with; the first argument.
        arguments: The others.
    """

    script: Script
    keys: Sequence[bytes]
    nonce: bytes
    arguments: Sequence[bytes]

    def command(self, *, known: bool) -> Command:
        """Return the command: by the script's hash if the server knows it, else by its text."""
        what = (b"EVALSHA", self.script.sha) if known else (b"EVAL", self.script.source)
        return (*what, len(self.keys), *self.keys, self.nonce, *self.arguments)


MakeRun = Callable[[list[int]], ScriptRun]


class Servers(Protocol):
    """The servers of one event loop."""

    async def run(self, bucket: int, run: ScriptRun) -> list[Any]:
        """Run a script in a bucket and return its reply.

        Raises:
            ResponseError: The script or the server refused.
        """
        ...

    async def run_over_all(self, make: MakeRun) -> list[tuple[list[int], list[Any]]]:
        """Run a reading script over all buckets, in few round trips.

        Args:
            make: Returns the run over some buckets.

        Returns:
            For each run its buckets and its reply.
        """
        ...

    async def masters(self) -> list[NodeConnections]:
        """Return the servers that take writes."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


async def run_on(node: NodeConnections, run: ScriptRun, *, asking: bool = False) -> list[Any]:
    """Run a script on a server, which learns it if it does not know it."""
    prefix: list[Command] = [_ASKING] if asking else []
    reply: Any = None
    for known in (True, False):
        commands = [*prefix, run.command(known=known)]
        *_, reply = await node.exchange(commands, [*(None for _ in prefix), run.nonce])
        if not isinstance(reply, NoScriptError):
            break
    if isinstance(reply, ResponseError):
        raise reply
    answer: list[Any] = reply
    return answer


class OneServer:
    """A single server (perhaps with replicas, of which nothing is read)."""

    def __init__(self, address: Address) -> None:
        self._node = NodeConnections(address, address.host, address.port)

    async def run(self, bucket: int, run: ScriptRun) -> list[Any]:  # noqa: ARG002 - one for all
        """Run a script."""
        return await run_on(self._node, run)

    async def run_over_all(self, make: MakeRun) -> list[tuple[list[int], list[Any]]]:
        """Run it once."""
        everything = [*range(BUCKETS)]
        return [(everything, await run_on(self._node, make(everything)))]

    async def masters(self) -> list[NodeConnections]:
        """Return the server."""
        return [self._node]

    async def close(self) -> None:
        """Close its connections."""
        await self._node.close()
