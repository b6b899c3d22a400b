"""A message as the log keeps it: bytes, a place, and what was counted at append."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from daybook.model.message import Message

__all__ = ["Ack", "AppendResult", "HistoryEntry", "NewEntry", "Receipt", "StoredEntry"]

Ack = Literal["durable", "spooled", "volatile"]


class NewEntry(Struct, frozen=True, gc=False):
    """A message on its way into a log.

    Attributes:
        id: The message's id, unique in its session.
        body: The encoded message.
        fingerprint: Eight bytes that are equal exactly if the caller's message is the same.
        role: The message's role, for counts.
        tokens: Tokens of the message.
    """

    id: str
    body: bytes
    fingerprint: bytes
    role: str
    tokens: int


class StoredEntry(Struct, frozen=True, gc=False):
    """A message as read back from a log: its sequence number, encoded body and tokens."""

    seq: int
    body: bytes
    tokens: int


class HistoryEntry(Struct, frozen=True, gc=False):
    """A message with its place in the session.

    Attributes:
        seq: Its sequence number, assigned in the commit; 1 is the first ever appended.
        message: The message.
        tokens: Its tokens, counted at append.
        corrupt: True if the stored bytes did not decode and `message` is a marked placeholder.
    """

    seq: int
    message: Message
    tokens: int
    corrupt: bool = False


class AppendResult(Struct, frozen=True):
    """Where a batch stands in its session.

    Attributes:
        first_seq: Lowest sequence number of the batch's messages.
        last_seq: Highest.
        duplicates: How many of them were stored before this call.
        user_id: The session's owner.
    """

    first_seq: int
    last_seq: int
    duplicates: int
    user_id: str


class Receipt(Struct, frozen=True, kw_only=True):
    """Proof of an append.

    Attributes:
        session_id: The session.
        first_seq: Lowest sequence number of the batch's messages.
        last_seq: Highest.
        ack: ``durable`` (committed on the engine's own terms), ``spooled`` (fsynced locally, to be
            replayed) or ``volatile`` (a crash may lose it; only if the engine was so chosen).
        duplicates: How many of the messages were already stored, and so were left alone.
        acknowledged_at: When, by the clock.
    """

    session_id: str
    first_seq: int
    last_seq: int
    ack: Ack
    duplicates: int
    acknowledged_at: datetime
