"""Names of documents: bytes of fixed length made from ids, whatever characters those hold. Pure.

No id of a caller is ever a field name, an operator or a pattern here: it is hashed into a key, or
stored as a value. Keys of what a user owns begin with the user's tag, so a sharded cluster keeps a
user's data side by side and sends a query for it to one shard.
"""

from __future__ import annotations

import os
from hashlib import blake2b

__all__ = [
    "STREAM_BYTES",
    "block_id",
    "new_stream",
    "owners_blocks",
    "record_id",
    "record_ids",
    "session_key",
    "user_tag",
    "version_id",
    "version_ids",
]

STREAM_BYTES = 20
_TAG_BYTES = 8
_KEY_BYTES = 20
_NUMBER_BYTES = 8
_LARGEST = b"\xff" * _NUMBER_BYTES
_SMALLEST = b"\x00" * _NUMBER_BYTES


def session_key(tenant: str, session_id: str) -> bytes:
    """Return the key of a session: 20 bytes that no other pair of tenant and id has."""
    return _hash(_KEY_BYTES, tenant, session_id)


def user_tag(tenant: str, user_id: str) -> bytes:
    """Return the eight bytes that the keys of a user's data begin with."""
    return _hash(_TAG_BYTES, tenant, user_id)


def new_stream(tenant: str, user_id: str) -> bytes:
    """Return the name of a new stream of messages; no two are the same."""
    return user_tag(tenant, user_id) + os.urandom(STREAM_BYTES - _TAG_BYTES)


def block_id(stream: bytes, first_seq: int) -> bytes:
    """Return the key of the block that begins with a number; keys sort as the numbers do."""
    return stream + first_seq.to_bytes(_NUMBER_BYTES, "big")


def owners_blocks(stream: bytes) -> tuple[bytes, bytes]:
    """Return the lowest and the highest block key of a stream's owner."""
    rest = STREAM_BYTES - _TAG_BYTES + _NUMBER_BYTES
    tag = stream[:_TAG_BYTES]
    return tag + b"\x00" * rest, tag + b"\xff" * rest


def record_id(tenant: str, owner: str, namespace: str, key: str) -> bytes:
    """Return the key of a record, given its first label and its encoded namespace."""
    return user_tag(tenant, owner) + _hash(_KEY_BYTES, tenant, namespace, key)


def record_ids(tenant: str, owner: str) -> tuple[bytes, bytes]:
    """Return the lowest and the highest key that a record of an owner can have."""
    tag = user_tag(tenant, owner)
    return tag + b"\x00" * _KEY_BYTES, tag + b"\xff" * _KEY_BYTES


def version_id(record: bytes, version: int) -> bytes:
    """Return the key of a former version of a record."""
    return record + version.to_bytes(_NUMBER_BYTES, "big")


def version_ids(record: bytes) -> tuple[bytes, bytes]:
    """Return the lowest and the highest key that a former version can have."""
    return record + _SMALLEST, record + _LARGEST


def _hash(size: int, *parts: str) -> bytes:
    """Return a digest of texts; each is preceded by its length, so no two lists meet."""
    digest = blake2b(digest_size=size)
    for part in parts:
        text = part.encode()
        digest.update(len(text).to_bytes(4, "big"))
        digest.update(text)
    return digest.digest()
