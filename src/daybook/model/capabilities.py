"""What an engine declares about itself; the conformance kit checks every word."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from daybook.model.entry import Ack

__all__ = ["EngineCapabilities"]


class EngineCapabilities(Struct, frozen=True, kw_only=True):
    """One engine's promises.

    Attributes:
        engine: Its URL scheme.
        ack: What a receipt of this opened engine says.
        durability: What that means here, in a sentence for people.
        atomicity: What is written whole or not at all, in a sentence.
        order: How the order of a session's messages is kept.
        expiry: How expired data stops being readable, and when it is removed.
        several_processes: Whether processes may share the same data.
        max_message_bytes: Largest encoded message.
        limits: Other limits a user may meet, in a sentence; empty for none.
        atomic_across_owners: Whether one `put` of records of several owners is all or nothing; if
            not, it is so for each owner.
        max_atomic_records: Most records one `put` writes all or nothing; None for any number.
        warnings: What an operator should know about this installation.
    """

    engine: str
    ack: Ack
    durability: str
    atomicity: str = "each call is one transaction"
    order: str
    expiry: Literal["filter + sweep", "server + filter"] = "filter + sweep"
    several_processes: bool
    max_message_bytes: int
    limits: str = ""
    atomic_across_owners: bool = True
    max_atomic_records: int | None = None
    warnings: tuple[str, ...] = ()
