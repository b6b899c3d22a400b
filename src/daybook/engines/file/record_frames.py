"""What the frames of an owner's file of records say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.engines.file.frames import body_checksum, encode_frame
from daybook.model.codec import decode_json, encode_json
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance

__all__ = [
    "DELETED",
    "OWNER",
    "WRITTEN",
    "Key",
    "Owner",
    "Version",
    "VersionHead",
    "decode_deleted",
    "decode_owner",
    "decode_written",
    "encode_deleted",
    "encode_owner",
    "encode_written",
    "restored",
    "written",
]

OWNER = "o"
WRITTEN = "p"
DELETED = "d"
_NO_PROVENANCE = Provenance()

Key = tuple[Namespace, str]


class Owner(Struct, frozen=True):
    """Whose records a file holds: a tenant, and the first label of their namespaces."""

    tenant: str
    label: str


class VersionHead(Struct, frozen=True, array_like=True):
    """A version without its value.

    Attributes:
        namespace: Where it stands.
        key: Its key.
        version: Its number.
        anew: It begins the key's history: what stood there before is gone.
        created_at: Microseconds since 1970, as the next two.
        updated_at: When this version was written.
        expires_at: When it becomes unreadable; None for never.
        provenance: What it rests on; None for the default.
        size: Bytes of its value.
        checksum: See `daybook.engines.file.frames.body_checksum`.
    """

    namespace: Namespace
    key: str
    version: int
    anew: bool
    created_at: int
    updated_at: int
    expires_at: int | None
    provenance: Provenance | None
    size: int
    checksum: int


class Version(Struct, frozen=True):
    """A version with its value as bytes, so that nobody shares it; times in microseconds."""

    namespace: Namespace
    key: str
    value: bytes
    version: int
    created_at: int
    updated_at: int
    expires_at: int | None
    provenance: Provenance

    def view(self) -> MemoryRecord:
        """Return the record as callers see it."""
        value: dict[str, Any] = decode_json(self.value)
        return MemoryRecord(
            namespace=self.namespace,
            key=self.key,
            value=value,
            version=self.version,
            created_at=moment(self.created_at),
            updated_at=moment(self.updated_at),
            expires_at=moment_or_none(self.expires_at),
            provenance=self.provenance,
        )

    def expired(self, now: int) -> bool:
        """Tell whether it must not be seen any more."""
        return self.expires_at is not None and self.expires_at <= now


_encode = msgspec.json.Encoder().encode
_owner_decoder = msgspec.json.Decoder(Owner)
_written_decoder = msgspec.json.Decoder(tuple[VersionHead, ...])
_deleted_decoder = msgspec.json.Decoder(tuple[Key, ...])


def written(record: NewRecord, before: Version | None, first: Version | None, now: int) -> Version:
    """Return the version that a write makes.

    Args:
        record: What is written.
        before: The live version it follows, if any.
        first: The first one of that history.
        now: The time.
    """
    return Version(
        namespace=record.namespace,
        key=record.key,
        value=record.value,
        version=1 if before is None else before.version + 1,
        created_at=now if first is None else first.created_at,
        updated_at=now,
        expires_at=None if record.expires_at is None else to_micros(record.expires_at),
        provenance=record.provenance,
    )


def restored(record: MemoryRecord) -> Version:
    """Return a version as it was elsewhere."""
    expires_at: datetime | None = record.expires_at
    return Version(
        namespace=record.namespace,
        key=record.key,
        value=encode_json(record.value),
        version=record.version,
        created_at=to_micros(record.created_at),
        updated_at=to_micros(record.updated_at),
        expires_at=None if expires_at is None else to_micros(expires_at),
        provenance=record.provenance,
    )


def encode_owner(owner: Owner, seed: int) -> bytes:
    """Return the frame that says whose records follow."""
    return encode_frame(OWNER, _encode(owner), (), seed)


def decode_owner(head: bytes) -> Owner:
    """Return what such a frame says."""
    return _owner_decoder.decode(head)


def encode_written(versions: Sequence[tuple[Version, bool]], seed: int) -> bytes:
    """Return a frame of versions, each with whether it begins its key anew."""
    heads = tuple(
        VersionHead(
            one.namespace,
            one.key,
            one.version,
            anew,
            one.created_at,
            one.updated_at,
            one.expires_at,
            None if one.provenance == _NO_PROVENANCE else one.provenance,
            len(one.value),
            body_checksum(one.value, seed, one.version),
        )
        for one, anew in versions
    )
    return encode_frame(WRITTEN, _encode(heads), [one.value for one, _ in versions], seed)


def decode_written(head: bytes) -> tuple[VersionHead, ...]:
    """Return what such a frame says."""
    return _written_decoder.decode(head)


def encode_deleted(keys: Sequence[Key], seed: int) -> bytes:
    """Return a frame that removes keys with all their versions."""
    return encode_frame(DELETED, _encode(tuple(keys)), (), seed)


def decode_deleted(head: bytes) -> tuple[Key, ...]:
    """Return what such a frame says."""
    return _deleted_decoder.decode(head)
