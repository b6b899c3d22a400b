"""Records as items: where they stand, what is in them, how they are written and read. Pure.

The current version of a record is one item; older versions are items of their own, below the
record's *life*, so that a key that begins anew shows nothing of its former life.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from daybook.enginekit.times import to_micros
from daybook.engines.dynamodb.blobs import Blob
from daybook.engines.dynamodb.calls import Item
from daybook.engines.dynamodb.keys import Key, digest, shard
from daybook.model.codec import decode_json
from daybook.model.memory_record import MemoryRecord, Namespace, Provenance
from daybook.model.namespace import encode_namespace

__all__ = [
    "Stored",
    "current_key",
    "decode_record",
    "encode_record",
    "is_over",
    "old_key",
    "old_prefix",
    "order",
    "partition_of",
    "partitions",
    "view",
    "whole_prefix",
]

_LABEL_BYTES = 6


class Stored(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a record.

    Attributes:
        nonce: Fresh in every write: the condition of the next one.
        life: Names this life of the key, from its first version to its deletion.
        tenant: For the sweep, which works on all of them.
        value: Encoded JSON; empty if it is a blob.
        blob: Where a long value is.
    """

    nonce: str
    life: str
    tenant: str
    namespace: Namespace
    key: str
    version: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    provenance: Provenance = Provenance()
    value: bytes = b""
    blob: Blob | None = None

    @property
    def place(self) -> Key:
        """Where the record's current version stands."""
        return current_key(self.tenant, self.namespace, self.key)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Stored)


def partition_of(tenant: str, namespace: Namespace) -> str:
    """Return the partition of everything below a namespace's first label."""
    owner = digest(tenant, namespace[0])
    return f"r/{digest(tenant)}/{shard(owner)}"


def partitions(tenant: str, prefix: Namespace) -> list[str]:
    """Return the partitions that hold what stands below a prefix."""
    if prefix:
        return [partition_of(tenant, prefix)]
    return [f"r/{digest(tenant)}/{number:02}" for number in range(16)]


def current_key(tenant: str, namespace: Namespace, key: str) -> Key:
    """Return the key of a record's current version."""
    place = digest(encode_namespace(namespace), key)
    return partition_of(tenant, namespace), f"{whole_prefix(namespace)}.{place}"


def whole_prefix(prefix: Namespace) -> str:
    """Return how the sort key of everything below a prefix begins.

    Labels are short digests: two may be alike, so what is found is compared as a whole.
    """
    return "c/" + "".join(digest(label, size=_LABEL_BYTES) + "/" for label in prefix)


def old_prefix(place: Key, life: str) -> str:
    """Return how the sort keys of a record's old versions in one life begin."""
    return f"v/{place[1].rpartition('.')[2]}/{life}/"


def old_key(place: Key, life: str, version: int) -> Key:
    """Return the key of an old version."""
    return place[0], f"{old_prefix(place, life)}{version:012}"


def encode_record(stored: Stored) -> Item:
    """Return an item's attributes, its key left out."""
    return {"d": _encoder.encode(stored), "n": stored.nonce}


def decode_record(item: Item) -> Stored:
    """Return what an item holds."""
    return _decoder.decode(item["d"])


def is_over(stored: Stored, now: datetime) -> bool:
    """Tell whether a current version has expired."""
    return stored.expires_at is not None and stored.expires_at <= now


def order(stored: Stored) -> tuple[int, str, str]:
    """Return what lists sort by: last updated first, ties by namespace and key."""
    return -to_micros(stored.updated_at), encode_namespace(stored.namespace), stored.key


def view(stored: Stored, value: bytes) -> MemoryRecord:
    """Return the record as callers see it."""
    return MemoryRecord(
        namespace=stored.namespace,
        key=stored.key,
        value=decode_json(value),
        version=stored.version,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        expires_at=stored.expires_at,
        provenance=stored.provenance,
    )
