"""What an opened server really promises: read from the server, not assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redis.exceptions import ResponseError

from daybook.engines.redis.connections import NodeConnections
from daybook.engines.redis.driver_errors import ENGINE
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES

__all__ = ["ask_settings", "describe"]

UNKNOWN = "unknown"
_FSYNC = {
    "always": "an append returns after its fsync: it survives a crash and a power loss",
    # While a sync of the disk is under way the server answers before it writes, for two seconds.
    "everysec": (
        "an append survives a crash of the server's process, unless its disk is slow: then that "
        "may undo up to two seconds; a power loss may undo about the last second"
    ),
    "no": (
        "an append survives a crash of the server's process; a power loss may undo what the "
        "operating system had not written yet, some 30 seconds"
    ),
    UNKNOWN: (
        "what a crash of the server or a power loss may undo depends on appendfsync, which this "
        "user may not read"
    ),
}
_REPLICAS = "; replicas follow later: a failover may undo the appends of its last moments"
_NO_AOF = "the server keeps no append-only file: a crash undoes everything since its last snapshot"


async def ask_settings(node: NodeConnections) -> dict[str, str]:
    """Return the settings of a server that bear on durability; what it hides is ``unknown``."""
    info, *configs = await node.exchange(
        [("INFO",), ("CONFIG", "GET", "append*"), ("CONFIG", "GET", "maxmemory*")]
    )
    if isinstance(info, ResponseError):
        info = b""
    facts = _facts(info)
    given: dict[str, str] = {}
    for config in configs:
        if not isinstance(config, ResponseError):
            words = iter([bytes(one).decode() for one in config])
            given |= dict(zip(words, words, strict=True))
    aof = {"1": "yes", "0": "no"}.get(facts.get("aof_enabled", ""), UNKNOWN)
    return {
        "appendonly": given.get("appendonly", aof),
        "appendfsync": given.get("appendfsync", UNKNOWN),
        "maxmemory": given.get("maxmemory", facts.get("maxmemory", UNKNOWN)),
        "maxmemory-policy": given.get("maxmemory-policy", facts.get("maxmemory_policy", UNKNOWN)),
        "replicas": facts.get("connected_slaves", UNKNOWN),
    }


def _facts(info: Any) -> dict[str, str]:
    lines = bytes(info).decode(errors="replace").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name: value.strip() for name, _, value in pairs}


def describe(servers: Sequence[Mapping[str, str]], *, cluster: bool) -> EngineCapabilities:
    """Return what an engine on servers with these settings promises: what the weakest keeps."""
    warnings: list[str] = []
    no_aof = _any(servers, "appendonly", "no")
    unknown_aof = _any(servers, "appendonly", UNKNOWN)
    evicting = any(_evicts(one) for one in servers)
    if no_aof:
        warnings.append(f"{_NO_AOF}: set appendonly yes")
    if unknown_aof:
        warnings.append("whether the server keeps an append-only file is unknown: INFO is refused")
    if evicting:
        warnings.append(
            "the server throws data away when its memory is full (maxmemory-policy): set noeviction"
        )
    fsync = _weakest_fsync(servers)
    if not (no_aof or unknown_aof) and fsync == UNKNOWN:
        warnings.append("appendfsync is unknown: this user may not run CONFIG GET")
    durability = _NO_AOF if no_aof or unknown_aof else _FSYNC[fsync]
    if _any(servers, "replicas", UNKNOWN) or any(one["replicas"] != "0" for one in servers):
        durability += _REPLICAS
    return EngineCapabilities(
        engine=ENGINE,
        ack="volatile" if no_aof or unknown_aof or evicting else "durable",
        durability=durability,
        atomicity=(
            "each call is one script; one that makes a session under an id of the caller's choice "
            "is two, of which the first only takes the id"
        ),
        order="a counter in the session's hash, advanced by the script that appends",
        expiry="server + filter",
        several_processes=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        limits=(
            "all of it is in the server's memory; one user's data is in one slot"
            if cluster
            else "all of it is in the server's memory"
        ),
        atomic_across_owners=False,
        warnings=tuple(warnings),
    )


def _any(servers: Sequence[Mapping[str, str]], name: str, value: str) -> bool:
    return any(one[name] == value for one in servers)


def _evicts(settings: Mapping[str, str]) -> bool:
    unlimited = settings["maxmemory"] == "0"
    return not unlimited and settings["maxmemory-policy"] not in ("noeviction", UNKNOWN)


def _weakest_fsync(servers: Sequence[Mapping[str, str]]) -> str:
    found = {one["appendfsync"] for one in servers}
    return next((one for one in (UNKNOWN, "no", "everysec") if one in found), "always")
