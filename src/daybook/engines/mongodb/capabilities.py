"""What an opened MongoDB engine promises, from what the server says about itself."""

from __future__ import annotations

from typing import Any

from pymongo.errors import OperationFailure

from daybook.engines.mongodb.connection import Handles
from daybook.engines.mongodb.driver_errors import ENGINE
from daybook.errors import ConfigError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES

__all__ = ["read_capabilities"]

_OLDEST_WIRE_VERSION = 13  # MongoDB 5.0, the first with snapshot reads outside transactions


async def read_capabilities(handles: Handles) -> EngineCapabilities:
    """Ask the server what it is.

    Raises:
        ConfigError: It is a standalone server, or older than MongoDB 5.0.
    """
    hello: dict[str, Any] = await handles.client.admin.command("hello")
    sharded = hello.get("msg") == "isdbgrid"
    if not sharded and "setName" not in hello:
        raise ConfigError(
            "mongodb: a standalone server has no transactions; start it with --replSet rs0 and run "
            "rs.initiate() once: a replica set may have a single member"
        )
    if hello["maxWireVersion"] < _OLDEST_WIRE_VERSION:
        raise ConfigError("mongodb: this server is too old; Daybook needs MongoDB 5.0 or newer")
    persistent = await _is_persistent(handles)
    members = [*hello.get("hosts", ()), *hello.get("passives", ())]
    alone = not sharded and len(members) == 1
    return EngineCapabilities(
        engine=ENGINE,
        ack="durable" if persistent else "volatile",
        durability=_durability(persistent, alone),
        atomicity="an append changes one document, or is one transaction; so is every other call, "
        "but deleting a whole namespace and sweeping, which go some hundred keys at a time",
        order="a counter in the session's document, advanced by what stores the messages",
        several_processes=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        limits="a session's metadata, title and grants fit one document of 16 MB with its newest "
        "messages, and what does not is refused with InvalidInputError; one transaction ends "
        "within the server's limit of 60 s",
        warnings=_warnings(persistent, alone),
    )


async def _is_persistent(handles: Handles) -> bool:
    try:
        status: dict[str, Any] = await handles.client.admin.command("serverStatus")
    except OperationFailure:
        return True  # not for this user to see; an engine that keeps nothing is a rare choice
    engine = status.get("storageEngine") or {}
    return bool(engine.get("persistent", True))


def _durability(persistent: bool, alone: bool) -> str:
    if not persistent:
        return "never: the server keeps its data in memory only"
    if alone:
        return "an append returns when the server's journal is on disk: it survives a crash there"
    return (
        "an append returns when a majority of the servers has it in the journal on disk: it "
        "survives the loss of any one of three"
    )


def _warnings(persistent: bool, alone: bool) -> tuple[str, ...]:
    found = []
    if not persistent:
        found.append("the server uses the in-memory storage engine: a restart loses everything")
    if alone:
        found.append(
            "the replica set has one member: what its disk loses is lost; three members are usual"
        )
    return tuple(found)
