"""The state of one session in memory: its header, its messages and the ids it knows.

Plain and single-threaded: `message_log` holds the lock and decides whose session it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from msgspec.structs import replace

from daybook.errors import ConflictError
from daybook.model.codec import decode_json, encode_json, to_utc
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.session import Session, SessionChanges

__all__ = ["StoredSession"]


@dataclass(slots=True)
class StoredSession:
    """One session.

    Attributes:
        header: The session's facts, without its metadata.
        metadata: The caller's object as bytes, so that nobody shares it.
        entries: Its messages; the one at index ``i`` has sequence number ``first_seq + i``.
        known: For each stored message id its fingerprint and sequence number.
        roles: How many messages of each role.
        first_seq: Lowest sequence number that may still be read.
        incarnation: Greater than that of every session started before.
    """

    header: Session
    metadata: bytes
    entries: list[StoredEntry] = field(default_factory=list)
    known: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    roles: Counter[str] = field(default_factory=Counter)
    first_seq: int = 1
    incarnation: int = field(default_factory=count(1).__next__)

    @classmethod
    def start(cls, session: Session) -> StoredSession:
        """Make an empty one from what a caller described."""
        header = replace(
            session,
            metadata={},
            created_at=to_utc(session.created_at),
            last_active_at=to_utc(session.last_active_at),
            expires_at=None if session.expires_at is None else to_utc(session.expires_at),
            message_count=0,
            token_count=0,
            last_seq=0,
        )
        return cls(header, encode_json(session.metadata))

    def view(self) -> Session:
        """Return the session as callers see it; its metadata is a fresh copy."""
        return replace(self.header, metadata=decode_json(self.metadata))

    def expired(self, now: datetime) -> bool:
        """Tell whether it must not be seen any more."""
        return self.header.expires_at is not None and self.header.expires_at <= now

    def unknown(self, entries: Sequence[NewEntry]) -> list[NewEntry]:
        """Return the entries that are not stored yet, each id once; changes nothing.

        Raises:
            ConflictError: An id is stored, or stands earlier in the batch, with another body.
        """
        fresh: dict[str, NewEntry] = {}
        for entry in entries:
            stored = self.known.get(entry.id)
            if stored is None:
                stored = (fresh.setdefault(entry.id, entry).fingerprint, 0)
            if stored[0] != entry.fingerprint:
                raise ConflictError(
                    f"message {entry.id!r} of session {self.header.id!r} is already there with "
                    "another body: a message never changes, give the new one its own id"
                )
        return list(fresh.values())

    def append(self, entries: Sequence[NewEntry], now: datetime) -> AppendResult:
        """Add what is new, as one contiguous run, and tell where all of the batch stands."""
        fresh = self.unknown(entries)
        seq = self.header.last_seq
        for entry in fresh:
            seq += 1
            self.entries.append(StoredEntry(seq, entry.body, entry.tokens))
            self.known[entry.id] = (entry.fingerprint, seq)
            self.roles[entry.role] += 1
        if fresh:
            self._count(fresh, seq, now)
        places = [self.known[entry.id][1] for entry in entries]
        duplicates = len(entries) - len(fresh)
        return AppendResult(min(places), max(places), duplicates, self.header.user_id)

    def _count(self, fresh: list[NewEntry], seq: int, now: datetime) -> None:
        ttl = self.header.ttl
        self.header = replace(
            self.header,
            last_seq=seq,
            message_count=len(self.entries),
            token_count=self.header.token_count + sum(entry.tokens for entry in fresh),
            last_active_at=now,
            expires_at=None if ttl is None else now + ttl,
        )

    def read(self, after: int, before: int | None) -> list[StoredEntry]:
        """Return the messages with ``after < seq < before``, in order."""
        low = max(0, after + 1 - self.first_seq)
        high = None if before is None else max(0, before - self.first_seq)
        return self.entries[low:high]

    def change(self, changes: SessionChanges, now: datetime) -> None:
        """Set the fields that `changes` names."""
        named: dict[str, Any] = {}
        if changes.title is not ...:
            named["title"] = changes.title
        if changes.metadata is not ...:
            self.metadata = encode_json(changes.metadata)
        if changes.ttl is not ...:
            named["ttl"] = changes.ttl
            named["expires_at"] = None if changes.ttl is None else now + changes.ttl
        self.header = replace(self.header, **named)

    def clear(self) -> int:
        """Drop the messages, go on counting; return how many were dropped."""
        removed = len(self.entries)
        self.entries, self.known, self.roles = [], {}, Counter()
        self.first_seq = self.header.last_seq + 1
        self.header = replace(self.header, message_count=0, token_count=0)
        return removed
