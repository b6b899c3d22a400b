"""One long-term thing: a value under a namespace and a key, with versions and a life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

__all__ = ["LaterEnd", "MemoryRecord", "Namespace", "NewRecord", "Provenance", "RecordHit"]

Namespace = tuple[str, ...]


class Provenance(Struct, frozen=True, omit_defaults=True):
    """What a record rests on, and how it was to be kept.

    Attributes:
        source: Who wrote it: ``caller``, or the name of the part of Daybook that derived it.
        message_ids: The messages it was derived from.
        session_id: Their session.
        version: Version of the code that derived it.
        ttl: How long it lives after it was written or renewed; None for as long as it was given
            to at first, or for ever.
        indexed: Paths of the value that a search looks at; None for all of it, empty for nothing.
    """

    source: str = "caller"
    message_ids: tuple[str, ...] = ()
    session_id: str | None = None
    version: str | None = None
    ttl: timedelta | None = None
    indexed: tuple[str, ...] | None = None


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


class LaterEnd(Struct, frozen=True):
    """A new end of life for one version of a record.

    Attributes:
        namespace: Where it stands.
        key: Its key.
        version: The version that is meant; a later one has an end of its own.
        expires_at: When it becomes unreadable.
    """

    namespace: Namespace
    key: str
    version: int
    expires_at: datetime

    def prolongs(self, version: int, expires_at: datetime | None, now: datetime) -> bool:
        """Tell whether a stored version is the one meant, is alive, and would end earlier."""
        if version != self.version or expires_at is None:
            return False
        return now < expires_at < self.expires_at


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
