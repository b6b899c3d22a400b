"""The state of one session in memory: its header, its messages and the ids it knows.

Plain and single-threaded: `message_log` holds the lock and decides whose session it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from msgspec.structs import replace

from daybook.errors import ConflictError
from daybook.model.codec import decode_json, encode_json
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Session, SessionChanges
from daybook.model.session_rules import (
    active_session,
    changed_session,
    check_fork,
    cleared_session,
    first_in_view,
    forked_session,
    fresh_session,
    is_expired,
)

__all__ = ["StoredSession"]

_Known = tuple[bytes, int, str]  # fingerprint, sequence number, role


@dataclass(slots=True)
class StoredSession:
    """One session.

    Attributes:
        header: The session's facts, without its metadata.
        metadata: The caller's object as bytes, so that nobody shares it.
        entries: Its messages; the one at index ``i`` has number ``header.first_seq + i``.
        known: What is stored under each message id.
        incarnation: Greater than that of every session started before.
    """

    header: Session
    metadata: bytes
    entries: list[StoredEntry] = field(default_factory=list)
    known: dict[str, _Known] = field(default_factory=dict)
    incarnation: int = field(default_factory=count(1).__next__)

    @classmethod
    def start(cls, scope: Scope, session: Session) -> StoredSession:
        """Make an empty one from what a caller described."""
        header = fresh_session(scope, session)
        return cls(replace(header, metadata={}), encode_json(header.metadata))

    def fork(self, scope: Scope, child: Session, at: int | None) -> StoredSession:
        """Make one that begins with this one's messages up to `at`; both share their bytes."""
        place = check_fork(scope, self.header, child, at)
        entries = self.read(0, place + 1)
        header = forked_session(
            scope,
            self.header,
            child,
            place,
            messages=len(entries),
            tokens=sum(entry.tokens for entry in entries),
        )
        known = {name: one for name, one in self.known.items() if one[1] <= place}
        return StoredSession(
            replace(header, metadata={}), encode_json(header.metadata), entries, known
        )

    @property
    def roles(self) -> Counter[str]:
        """How many messages there are of each role."""
        return Counter(role for _, _, role in self.known.values())

    def view(self) -> Session:
        """Return the session as callers see it; its metadata is a fresh copy."""
        return replace(self.header, metadata=decode_json(self.metadata))

    def expired(self, now: datetime) -> bool:
        """Tell whether it must not be seen any more."""
        return is_expired(self.header, now)

    def unknown(self, entries: Sequence[NewEntry]) -> list[NewEntry]:
        """Return the entries that are not stored yet, each id once; changes nothing.

        Raises:
            ConflictError: An id is stored, or stands earlier in the batch, with another body.
        """
        fresh: dict[str, NewEntry] = {}
        for entry in entries:
            stored = self.known.get(entry.id)
            known = stored[0] if stored else fresh.setdefault(entry.id, entry).fingerprint
            if known != entry.fingerprint:
                raise ConflictError(
                    f"message {entry.id!r} of session {self.header.id!r} is already there with "
                    "another body: a message never changes, give the new one its own id"
                )
        return list(fresh.values())

    def append(self, entries: Sequence[NewEntry], now: datetime) -> AppendResult:
        """Add what is new, as one contiguous run, and tell where all of the batch stands."""
        fresh = self.unknown(entries)
        for seq, entry in enumerate(fresh, self.header.last_seq + 1):
            self.entries.append(StoredEntry(seq, entry.body, entry.tokens))
            self.known[entry.id] = (entry.fingerprint, seq, entry.role)
        if fresh:
            tokens = sum(entry.tokens for entry in fresh)
            self.header = active_session(self.header, len(fresh), tokens, now)
        places = [self.known[entry.id][1] for entry in entries]
        duplicates = len(entries) - len(fresh)
        return AppendResult(min(places), max(places), duplicates, self.header.user_id)

    def read(self, after: int, before: int | None, *, view: bool = False) -> list[StoredEntry]:
        """Return the messages with ``after < seq < before``, in order."""
        if view:
            after = max(after, first_in_view(self.header) - 1)
        first = self.header.first_seq
        low = max(0, after + 1 - first)
        high = None if before is None else max(0, before - first)
        return self.entries[low:high]

    def change(self, changes: SessionChanges, now: datetime) -> None:
        """Set the fields that `changes` names."""
        header = changed_session(self.view(), changes, now)
        self.metadata = encode_json(header.metadata)
        self.header = replace(header, metadata={})

    def clear(self) -> int:
        """Drop the messages, go on counting; return how many were dropped."""
        removed = len(self.entries)
        self.entries, self.known = [], {}
        self.header = cleared_session(self.header)
        return removed
