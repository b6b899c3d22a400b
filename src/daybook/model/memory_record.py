"""One long-term thing: a value under a namespace and a key, with versions and a life."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

__all__ = ["MemoryRecord", "Namespace", "NewRecord", "Provenance", "RecordHit"]

Namespace = tuple[str, ...]


class Provenance(Struct, frozen=True, omit_defaults=True):
    """What a derived record rests on.

    Attributes:
        source: Who wrote it: ``caller``, or the name of the part of Daybook that derived it.
        message_ids: The messages it was derived from.
        session_id: Their session.
        version: Version of the code that derived it.
    """

    source: str = "caller"
    message_ids: tuple[str, ...] = ()
    session_id: str | None = None
    version: str | None = None


class NewRecord(Struct, frozen=True, kw_only=True):
    """A record on its way into a store; `value` is encoded JSON, times are UTC.

    Attributes:
        expected_version: Write only if this is the stored version (0: only if absent).
    """

    namespace: Namespace
    key: str
    value: bytes
    expires_at: datetime | None = None
    provenance: Provenance = Provenance()
    expected_version: int | None = None


class MemoryRecord(Struct, frozen=True, kw_only=True):
    """A stored record.

    Attributes:
        namespace: Where it stands; its first label names the owner.
        key: Unique in the namespace.
        value: A JSON object.
        version: 1 for the first write, then one more for each.
        created_at: When the key was first written.
        updated_at: When this version was written.
        expires_at: When it becomes unreadable; None for never.
        provenance: What it rests on.
    """

    namespace: Namespace
    key: str
    value: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    provenance: Provenance = Provenance()


class RecordHit(Struct, frozen=True):
    """A record found by search; `score` is higher for a better match, 0.0 without a query."""

    record: MemoryRecord
    score: float
