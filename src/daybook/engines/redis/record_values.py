"""Records between the model and the forms that are stored. Pure.

A *member* is a record's name in its owner's sets: the encoded namespace, a NUL, the key. Encoded
namespaces hold no NUL and end in a comma, so members sort by namespace, then key, and everything
below a prefix is one range of them.
"""

from __future__ import annotations

from datetime import datetime
from struct import Struct as Packer

import msgspec

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.model.codec import decode_json, encode_json
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance
from daybook.model.namespace import decode_namespace, encode_namespace, prefix_range

__all__ = [
    "body_of_new",
    "expiry_micros",
    "from_value",
    "member_of",
    "member_range",
    "place_of_member",
    "stored_record",
    "to_value",
]

# Version, created, updated, expires (below 0 for never), bytes of the provenance.
_HEAD = Packer(">IdddI")
_NO_PROVENANCE = Provenance()

_provenance_decoder = msgspec.json.Decoder(Provenance)


def member_of(namespace: Namespace, key: str) -> str:
    """Return a record's member."""
    return f"{encode_namespace(namespace)}\x00{key}"


def place_of_member(member: str) -> tuple[Namespace, str]:
    """Return the namespace and key of a member."""
    namespace, _, key = member.partition("\x00")
    return decode_namespace(namespace), key


def member_range(prefix: Namespace) -> tuple[str, str]:
    """Return the bounds of the members below a prefix, as sorted sets take them."""
    low, high = prefix_range(prefix)
    return f"[{low}", f"({high}"


def body_of_new(record: NewRecord) -> tuple[bytes, int]:
    """Return provenance and value as one text, and the length of the first."""
    provenance = _provenance_body(record.provenance)
    return provenance + record.value, len(provenance)


def expiry_micros(expires_at: datetime | None) -> int | None:
    """Return an end in microseconds, None for never."""
    return None if expires_at is None else to_micros(expires_at)


def stored_record(record: NewRecord, version: int, created: int, updated: int) -> MemoryRecord:
    """Return a record as it was just stored."""
    return MemoryRecord(
        namespace=record.namespace,
        key=record.key,
        value=decode_json(record.value),
        version=version,
        created_at=moment(created),
        updated_at=moment(updated),
        expires_at=moment_or_none(expiry_micros(record.expires_at)),
        provenance=record.provenance,
    )


def to_value(record: MemoryRecord) -> bytes:
    """Return the stored form of a record with its own version and times."""
    provenance = _provenance_body(record.provenance)
    expires = expiry_micros(record.expires_at)
    head = _HEAD.pack(
        record.version,
        to_micros(record.created_at),
        to_micros(record.updated_at),
        -1 if expires is None else expires,
        len(provenance),
    )
    return head + provenance + encode_json(record.value)


def from_value(namespace: Namespace, key: str, value: bytes) -> MemoryRecord:
    """Return the record of a stored form."""
    version, created, updated, expires, size = _HEAD.unpack_from(value)
    start = _HEAD.size + size
    provenance = value[_HEAD.size : start]
    return MemoryRecord(
        namespace=namespace,
        key=key,
        value=decode_json(value[start:]),
        version=version,
        created_at=moment(int(created)),
        updated_at=moment(int(updated)),
        expires_at=None if expires < 0 else moment(int(expires)),
        provenance=_provenance_decoder.decode(provenance) if provenance else _NO_PROVENANCE,
    )


def _provenance_body(provenance: Provenance) -> bytes:
    return b"" if provenance == _NO_PROVENANCE else msgspec.json.encode(provenance)
