"""What the in-memory engine declares, and the check that it is still open."""

from __future__ import annotations

from daybook.errors import StoreClosedError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES

__all__ = ["INMEMORY", "check_open"]

INMEMORY = EngineCapabilities(
    engine="inmemory",
    ack="volatile",
    durability="never: the data live in this process and end with it",
    order="a list per session, under one lock",
    several_processes=False,
    max_message_bytes=MAX_MESSAGE_BYTES,
)


def check_open(closed: bool, operation: str) -> None:
    """Refuse an operation on a closed engine.

    Raises:
        StoreClosedError: It was closed before.
    """
    if closed:
        raise StoreClosedError(
            "the engine is closed: open it again", engine="inmemory", operation=operation
        )
