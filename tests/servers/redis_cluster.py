"""A Redis Cluster for tests: three masters, with replicas if asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

from tests.servers.launch import (
    HOST,
    START_LIMIT_S,
    ServerFailedError,
    free_port,
    owned_folder,
    start_in,
    wait_until,
)
from tests.servers.redis import RedisServer, ask, find_program

_SLOTS = 16_384

# How long a node may be silent before the others take it for dead: a machine under load may stand
# still for seconds. A test that wants a failover shortens it once it has killed a node.
_PATIENCE_S = 60.0


class RedisCluster:
    """The nodes of a cluster: the masters, then the replicas in the order of their masters."""

    def __init__(self, masters: list[RedisServer], replicas: list[RedisServer]) -> None:
        self.masters = masters
        self.replicas = replicas

    @property
    def nodes(self) -> list[RedisServer]:
        """Every node."""
        return [*self.masters, *self.replicas]

    @property
    def url(self) -> str:
        """The address for Daybook: one node, which knows the others."""
        return f"redis://{HOST}:{self.masters[0].port}/0?cluster=true"

    @property
    def healthy(self) -> bool:
        """Whether every running node sees all slots served."""
        return all(_knows(node.port, "cluster_state:ok") for node in self.nodes if node.running)

    def suspect_after(self, seconds: float) -> None:
        """Have the running nodes take one for dead that is silent for so long."""
        for node in self.nodes:
            if node.running:
                milliseconds = str(int(seconds * 1000))
                _must(node.port, "CONFIG", "SET", "cluster-node-timeout", milliseconds)

    def wait_until_healthy(self, limit_s: float = START_LIMIT_S) -> None:
        """Return once `healthy`.

        Raises:
            ServerFailedError: it is not after `limit_s`.
        """
        wait_until(lambda: self.healthy, "the cluster is healthy", limit_s)


def _knows(port: int, fact: str) -> bool:
    return fact in ask(port, "CLUSTER", "INFO").decode()


def _must(port: int, *words: str) -> None:
    reply = ask(port, *words)
    if reply != b"+OK":
        raise ServerFailedError(f"{' '.join(words)}: {reply!r}")


def _make_node(folder: Path, port: int) -> RedisServer:
    settings = {
        "cluster-enabled": "yes",
        "cluster-port": str(free_port()),
        "cluster-node-timeout": str(int(_PATIENCE_S * 1000)),
        # Users on the other masters go on when one is down.
        "cluster-require-full-coverage": "no",
        # A replica that waits 5 s for its first copy cannot be promoted before.
        "repl-diskless-sync-delay": "0",
    }
    return RedisServer(folder, port, settings, find_program())


def start_cluster(folder: Path, *, masters: int = 3, replicas: int = 0) -> RedisCluster:
    """Start the nodes in a folder and join them; returns when every slot is served."""
    nodes = []
    for number in range(masters + replicas):
        place = folder / f"node-{number}"
        place.mkdir()
        nodes.append(start_in(place, _make_node))
    cluster = RedisCluster(nodes[:masters], nodes[masters:])
    for number, master in enumerate(cluster.masters):
        first, end = number * _SLOTS // masters, (number + 1) * _SLOTS // masters
        _must(master.port, "CLUSTER", "ADDSLOTSRANGE", str(first), str(end - 1))
        _must(master.port, "CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
    for node, other in combinations(nodes, 2):
        _must(node.port, "CLUSTER", "MEET", HOST, str(other.port), _bus_port(other))
    everyone = f"known_nodes:{len(nodes)}"
    wait_until(lambda: all(_knows(node.port, everyone) for node in nodes), "the nodes meet")
    for number, replica in enumerate(cluster.replicas):
        _attach(replica, cluster.masters[number % masters])
    cluster.wait_until_healthy()
    return cluster


def _bus_port(node: RedisServer) -> str:
    return node.settings["cluster-port"]


def _attach(replica: RedisServer, master: RedisServer) -> None:
    identity = ask(master.port, "CLUSTER", "MYID").decode().strip()
    # The master counts as known from when it was met, its name only from its first answer.
    wait_until(
        lambda: ask(replica.port, "CLUSTER", "REPLICATE", identity) == b"+OK",
        "a replica knows its master",
    )
    wait_until(
        lambda: b"master_link_status:up" in ask(replica.port, "INFO", "replication"),
        "a replica has its first copy",
    )


@contextmanager
def redis_cluster(*, masters: int = 3, replicas: int = 0) -> Iterator[RedisCluster]:
    """Run a cluster for the length of a block.

    Args:
        masters: How many share the slots.
        replicas: How many follow a master, given out in turn.

    Raises:
        ServerMissingError: no server is installed.
    """
    with owned_folder("redis-cluster") as folder:
        cluster = start_cluster(folder, masters=masters, replicas=replicas)
        try:
            yield cluster
        finally:
            for node in cluster.nodes:
                node.kill()
