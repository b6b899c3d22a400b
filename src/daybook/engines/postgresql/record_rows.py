"""Records as rows. Pure."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from daybook.enginekit.times import moment, moment_or_none
from daybook.model.codec import decode_json
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance
from daybook.model.namespace import decode_namespace, encode_namespace, prefix_range
from daybook.model.scope import Scope

__all__ = [
    "Key",
    "key_of",
    "new_record",
    "provenance_column",
    "range_of",
    "read_record",
]

_provenance_encoder = msgspec.json.Encoder()
_provenance_decoder = msgspec.json.Decoder(Provenance)
_NO_PROVENANCE = Provenance()


class Key(Struct, frozen=True, order=True):
    """Where a record stands, sorting as the database sorts.

    Attributes:
        namespace: Encoded.
        name: The record's key.
        home: Which partition: a hash of the tenant and the first label.
    """

    namespace: bytes
    name: bytes
    home: int

    @property
    def columns(self) -> tuple[int, bytes, bytes]:
        """Home, namespace and key."""
        return self.home, self.namespace, self.name


def key_of(scope: Scope, namespace: Namespace, key: str) -> Key:
    """Return the place of a record."""
    return Key(encode_namespace(namespace).encode(), key.encode(), _home(scope, namespace[0]))


def range_of(scope: Scope, prefix: Namespace) -> tuple[int | None, bytes, bytes]:
    """Return home (None where the prefix names no owner) and the range of encoded namespaces."""
    low, high = prefix_range(prefix)
    return _home(scope, prefix[0]) if prefix else None, low.encode(), high.encode()


def _home(scope: Scope, owner: str) -> int:
    digest = blake2b(owner.encode(), digest_size=8, key=_tenant_key(scope.tenant)).digest()
    return int.from_bytes(digest, "big", signed=True)


def _tenant_key(tenant: str) -> bytes:
    return blake2b(tenant.encode(), digest_size=16).digest()


def provenance_column(provenance: Provenance) -> bytes | None:
    """Return a provenance as bytes, None for the usual one."""
    return None if provenance == _NO_PROVENANCE else _provenance_encoder.encode(provenance)


def read_record(row: tuple[Any, ...]) -> MemoryRecord:
    """Return the record of a row that begins with its columns."""
    namespace, key, version, created, updated, expires, provenance, value = row[:8]
    return MemoryRecord(
        namespace=decode_namespace(namespace.decode()),
        key=key.decode(),
        value=decode_json(value),
        version=version,
        created_at=moment(created),
        updated_at=moment(updated),
        expires_at=moment_or_none(expires),
        provenance=_provenance_decoder.decode(provenance) if provenance else _NO_PROVENANCE,
    )


def new_record(record: NewRecord, *, version: int, created: int, now: datetime) -> MemoryRecord:
    """Return a record as it was stored."""
    return MemoryRecord(
        namespace=record.namespace,
        key=record.key,
        value=decode_json(record.value),
        version=version,
        created_at=moment(created),
        updated_at=now,
        expires_at=record.expires_at,
        provenance=record.provenance,
    )
