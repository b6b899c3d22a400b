"""Checksums of what two stores hold: equal exactly if the content is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from daybook.model.entry import StoredEntry
from daybook.model.memory_record import MemoryRecord
from daybook.model.session import Session

__all__ = ["combined", "of_entries", "of_history", "of_session"]

_SIZE = 16
_encoder = msgspec.json.Encoder(order="deterministic")


def of_session(session: Session) -> bytes:
    """Return a checksum of a session's facts; engines may order a dict's keys as they like."""
    return blake2b(_encoder.encode(session), digest_size=_SIZE).digest()


def of_entries(before: bytes, entries: Iterable[StoredEntry]) -> bytes:
    """Return the checksum of messages that follow those of the checksum `before` (empty: none)."""
    state = blake2b(before, digest_size=_SIZE)
    for entry in entries:
        state.update(b"%d %d %d " % (entry.seq, entry.tokens, len(entry.body)))
        state.update(entry.body)
    return state.digest()


def of_history(versions: Iterable[MemoryRecord]) -> bytes:
    """Return a checksum of a key's versions."""
    state = blake2b(digest_size=_SIZE)
    for record in versions:
        state.update(_encoder.encode(record))
    return state.digest()


def combined(checksums: Iterable[tuple[str, bytes]]) -> str:
    """Return one checksum over named ones, whatever their order, hexadecimal."""
    state = blake2b(digest_size=_SIZE)
    for name, checksum in sorted(checksums):
        state.update(name.encode())
        state.update(b"\x00")
        state.update(checksum)
    return state.hexdigest()
