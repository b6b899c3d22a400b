"""Records as documents. Pure.

``records`` holds the current version of each key and ``record_versions`` the former ones, under
the record's key and the version. Fields: ``t`` tenant, ``o`` owner's tag, ``ns`` encoded
namespace, ``key``, ``ver``, ``cre`` and ``upd`` microseconds, ``exp`` the same or null, ``prov``
provenance and ``val`` value, encoded. A value is never a document of its own: what a caller names
a key is no field name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.engines.mongodb.connection import Document
from daybook.engines.mongodb.keys import record_id, record_ids, user_tag, version_id
from daybook.engines.mongodb.schema import OWNERS_INDEX
from daybook.errors import ConflictError
from daybook.model.codec import decode_json, encode_json
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance
from daybook.model.namespace import decode_namespace, encode_namespace, prefix_range

__all__ = [
    "as_former",
    "below",
    "index_for",
    "is_live",
    "key_of",
    "live",
    "next_document",
    "restored_document",
    "to_record",
]

_NO_PROVENANCE = Provenance()
_provenance_decoder = msgspec.json.Decoder(Provenance)


def key_of(tenant: str, namespace: Namespace, key: str) -> bytes:
    """Return the key of a record's document."""
    return record_id(tenant, namespace[0], encode_namespace(namespace), key)


def live(now: int) -> Document:
    """Return the condition that a record has not expired."""
    return {"$or": [{"exp": None}, {"exp": {"$gt": now}}]}


def is_live(document: Document | None, now: int) -> bool:
    """Tell whether a record is there and has not expired."""
    return document is not None and (document["exp"] is None or document["exp"] > now)


def below(tenant: str, prefix: Namespace) -> Document:
    """Return the condition of the records below a prefix; with an owner, one shard has them.

    The range of keys is for a sharded cluster; on each shard the index of the owner is quicker.
    """
    low, high = prefix_range(prefix)
    condition: Document = {"t": tenant, "ns": {"$gte": low, "$lt": high}}
    if prefix:
        first, last = record_ids(tenant, prefix[0])
        condition["o"] = user_tag(tenant, prefix[0])
        condition["_id"] = {"$gte": first, "$lte": last}
    return condition


def index_for(condition: Document) -> str | None:
    """Return the index that a condition of `below` is read by; None lets the server choose.

    Of an owner's records it might take the index of keys, and sort them all for each page.
    """
    return OWNERS_INDEX if "o" in condition else None


def next_document(tenant: str, record: NewRecord, before: Document | None, now: int) -> Document:
    """Return a record's next version, given the live one before it.

    Raises:
        ConflictError: The record's `expected_version` is not that of the one before.
    """
    version = 0 if before is None else before["ver"]
    if record.expected_version is not None and record.expected_version != version:
        raise ConflictError(
            f"record {record.key!r} has version {version}, not {record.expected_version}: read it "
            "again and decide anew; nothing of this call was stored"
        )
    return _document(
        tenant,
        record.namespace,
        record.key,
        ver=version + 1,
        cre=now if before is None else before["cre"],
        upd=now,
        exp=None if record.expires_at is None else to_micros(record.expires_at),
        prov=_encode(record.provenance),
        val=record.value,
    )


def restored_document(tenant: str, record: MemoryRecord) -> Document:
    """Return a version exactly as it was elsewhere."""
    return _document(
        tenant,
        record.namespace,
        record.key,
        ver=record.version,
        cre=to_micros(record.created_at),
        upd=to_micros(record.updated_at),
        exp=None if record.expires_at is None else to_micros(record.expires_at),
        prov=_encode(record.provenance),
        val=encode_json(record.value),
    )


def _document(tenant: str, namespace: Namespace, key: str, **fields: Any) -> Document:
    return {
        "_id": key_of(tenant, namespace, key),
        "t": tenant,
        "o": user_tag(tenant, namespace[0]),
        "ns": encode_namespace(namespace),
        "key": key,
        **fields,
    }


def _encode(provenance: Provenance) -> bytes | None:
    return None if provenance == _NO_PROVENANCE else msgspec.json.encode(provenance)


def as_former(document: Document) -> Document:
    """Return a current version as it is kept when another one follows."""
    return {**document, "_id": version_id(document["_id"], document["ver"])}


def to_record(document: Document) -> MemoryRecord:
    """Return the record of a document."""
    provenance = document["prov"]
    return MemoryRecord(
        namespace=decode_namespace(document["ns"]),
        key=document["key"],
        value=decode_json(document["val"]),
        version=document["ver"],
        created_at=moment(document["cre"]),
        updated_at=moment(document["upd"]),
        expires_at=moment_or_none(document["exp"]),
        provenance=_provenance_decoder.decode(provenance) if provenance else _NO_PROVENANCE,
    )
