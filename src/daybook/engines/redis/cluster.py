"""Where a script runs on a Redis Cluster: at the master that holds the bucket's slot.

Only what a cluster surely has not done is sent again: after a redirection, or if there was no
connection. So nothing is done twice, which redis-py's own cluster client does not promise.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from daybook.engines.redis.address import Address
from daybook.engines.redis.buckets import BUCKETS, Buckets
from daybook.engines.redis.connections import NodeConnections, NotSentError
from daybook.engines.redis.servers import MakeRun, ScriptRun, run_on

__all__ = ["ClusterServers"]

_Place = tuple[str, int]

# A redirection is followed at once; a slot on the move or a master that is gone is waited for
# this long in all, then the caller hears of it.
_ATTEMPTS = 6
_FIRST_WAIT_S = 0.025


class ClusterServers:
    """The masters of a cluster, and which of them holds which bucket."""

    def __init__(self, address: Address, buckets: Buckets) -> None:
        self._address = address
        self._slots = [key_slot(tag) for tag in buckets.tags]
        self._nodes: dict[_Place, NodeConnections] = {}
        self._owners: list[_Place] = []
        self._learning = asyncio.Lock()
        self._outdated = True

    async def run(self, bucket: int, run: ScriptRun) -> list[Any]:
        """Run a script where its bucket is, following it if it moved."""
        asked: _Place | None = None
        wait_s = _FIRST_WAIT_S
        for attempt in range(_ATTEMPTS):
            try:
                node = self._node(asked or await self._owner(bucket))
                return await run_on(node, run, asking=asked is not None)
            except AskError as exc:
                asked = self._redirected(exc)
            except MovedError as exc:
                asked = None
                self._owners[bucket] = self._redirected(exc)
                self._outdated = attempt > 0
            except (NotSentError, TryAgainError, ClusterDownError) as exc:
                self._outdated, asked = True, None
                if attempt == _ATTEMPTS - 1:
                    raise _cause(exc) from exc
                await asyncio.sleep(wait_s)
                wait_s *= 2
            except (RedisError, OSError) as exc:
                self._outdated = not isinstance(exc, ResponseError)
                raise
        raise ClusterDownError("CLUSTERDOWN redirections without end")

    async def run_over_all(self, make: MakeRun) -> list[tuple[list[int], list[Any]]]:
        """Run a script once on each master; where a bucket is not, once for each half of them."""
        await self._owner(0)
        held: dict[_Place, list[int]] = {}
        for bucket, place in enumerate(self._owners):
            held.setdefault(place, []).append(bucket)
        found = await asyncio.gather(
            *(self._run_over(place, buckets, make) for place, buckets in held.items())
        )
        return [one for some in found for one in some]

    async def _run_over(
        self, place: _Place, buckets: list[int], make: MakeRun
    ) -> list[tuple[list[int], list[Any]]]:
        if len(buckets) == 1:
            return [(buckets, await self.run(buckets[0], make(buckets)))]
        try:
            return [(buckets, await run_on(self._node(place), make(buckets)))]
        except (NotSentError, ResponseError):
            self._outdated = True
        half = len(buckets) // 2
        first = await self._run_over(place, buckets[:half], make)
        return first + await self._run_over(place, buckets[half:], make)

    async def masters(self) -> list[NodeConnections]:
        """Return the masters that hold a bucket."""
        await self._owner(0)
        return [self._node(place) for place in sorted(set(self._owners))]

    async def close(self) -> None:
        """Close all connections."""
        for node in self._nodes.values():
            await node.close()

    def _node(self, place: _Place) -> NodeConnections:
        node = self._nodes.get(place)
        if node is None:
            node = self._nodes[place] = NodeConnections(self._address, *place)
        return node

    def _redirected(self, error: AskError) -> _Place:
        host, port = error.node_addr
        return host or self._address.host, int(port)

    async def _owner(self, bucket: int) -> _Place:
        if self._outdated:
            async with self._learning:
                if self._outdated:
                    await self._learn()
        return self._owners[bucket]

    async def _learn(self) -> None:
        """Ask the nodes in turn for the map of slots; the first answer counts."""
        seed = (self._address.host, self._address.port)
        failed: Exception | None = None
        for place in dict.fromkeys([*self._nodes, seed]):
            try:
                [found] = await self._node(place).exchange([("CLUSTER", "SLOTS")])
            except (NotSentError, RedisError, OSError) as exc:
                failed = exc
                continue
            if isinstance(found, ResponseError):
                raise found
            owners = _owners(found, self._slots, place[0])
            if owners is not None:
                self._owners, self._outdated = owners, False
                return
            failed = ClusterDownError("CLUSTERDOWN slots without a master")
        raise _cause(failed or ClusterDownError("CLUSTERDOWN no node"))


def _owners(ranges: list[Any], slots: list[int], asked: str) -> list[_Place] | None:
    """Return the master of each bucket; None if a bucket has none."""
    owners: list[_Place | None] = [None] * BUCKETS
    for first, last, (host, port, *_), *_replicas in ranges:
        place = (host.decode() if host else asked, int(port))
        for bucket, slot in enumerate(slots):
            if first <= slot <= last:
                owners[bucket] = place
    known = [place for place in owners if place is not None]
    return known if len(known) == BUCKETS else None


def _cause(error: Exception) -> Exception:
    return error.cause if isinstance(error, NotSentError) else error
