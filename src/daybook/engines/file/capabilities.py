"""What the file engine declares."""

from __future__ import annotations

from daybook.engines.file.driver_errors import ENGINE
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES

__all__ = ["capabilities"]

_DURABILITY = {
    True: "an append returns after its fsync: it survives a crash and a power loss",
    False: "an append survives a crash of the process; a power loss may undo the latest",
}


def capabilities(*, synced: bool) -> EngineCapabilities:
    """Return the promises of an engine that syncs its files, or leaves that to the system."""
    return EngineCapabilities(
        engine=ENGINE,
        ack="durable" if synced else "volatile",
        durability=_DURABILITY[synced],
        atomicity="a batch is one frame of its session's file; a put is one frame of its owner's",
        order="the place in the session's file, under a lock on it",
        several_processes=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        limits="a local POSIX file system with flock; no search index of its own",
        atomic_across_owners=False,
    )
