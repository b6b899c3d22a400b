"""Where everything stands in the table: partition keys, sort keys and how they are spread. Pure.

Ids of callers never become keys: a key holds their 128-bit digest, so length, NUL bytes and case
do not matter, and a key tells nothing. What a digest stands for is stored inside the item.

- ``s/<session>``, ``h``: a session's head.
- ``m/<stream>``, ``m/<seq>``, ``i/<id>``, ``r/<stream>``: messages, their ids, forks' claims.
- ``b/<nonce>``, ``<number>``: the pieces of a long value.
- ``l/<tenant>/<shard of user>``, ``<user>/<session>``: whose sessions there are.
- ``x/<shard>``, ``s/<session>`` or ``r/<record>``: what has an end.
- ``p/<shard of user>``, ``<tenant>/<user>/<session>``: marks for the index.
- ``g/<shard>``, ``<kind>/<target>``: leftovers to remove.
- ``t``, ``<tenant>``: tenants.
- ``r/<tenant>/<shard of owner>``, ``c/<labels>.<key>``, ``v/<key>/<life>/<version>``: records and
  their old versions.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from hashlib import blake2b

__all__ = [
    "DIGEST",
    "HEAD",
    "SHARDS",
    "TENANTS",
    "Key",
    "digest",
    "head_key",
    "id_key",
    "message_key",
    "new_nonce",
    "new_stream",
    "owner_of",
    "session_name",
    "shard",
    "stream_partition",
    "user_name",
]

Key = tuple[str, str]

SHARDS = 16
DIGEST = 22  # characters of a digest
HEAD = "h"
TENANTS = "t"


def digest(*parts: str, size: int = 16) -> str:
    """Return a short text that is different for different parts, whatever they hold."""
    mixed = blake2b(digest_size=size)
    for part in parts:
        body = part.encode()
        mixed.update(len(body).to_bytes(4) + body)
    return _text(mixed.digest())


def shard(name: str) -> str:
    """Return which of the sixteen partitions a digest belongs to."""
    return f"{blake2b(name.encode(), digest_size=1).digest()[0] % SHARDS:02}"


def session_name(tenant: str, session_id: str) -> str:
    """Return the digest that stands for a session of a tenant."""
    return digest(tenant, session_id)


def user_name(tenant: str, user_id: str) -> str:
    """Return the digest that stands for a user of a tenant."""
    return digest(tenant, user_id)


def head_key(name: str) -> Key:
    """Return the key of a session's head."""
    return f"s/{name}", HEAD


def new_nonce() -> str:
    """Return sixteen random characters of which no two are ever the same."""
    return _text(os.urandom(12))


def new_stream(name: str) -> str:
    """Return the name of a fresh stream of a session."""
    return f"{name}.{new_nonce()}"


def owner_of(stream: str) -> str:
    """Return the name of the session that a stream was made for."""
    return stream[:DIGEST]


def stream_partition(stream: str) -> str:
    """Return the partition of a stream's messages."""
    return f"m/{stream}"


def message_key(stream: str, seq: int) -> Key:
    """Return the key of a message; keys sort as numbers do."""
    return stream_partition(stream), f"m/{seq:015}"


def id_key(stream: str, message_id: str) -> Key:
    """Return the key under which a message's id is known."""
    return stream_partition(stream), f"i/{digest(message_id)}"


def _text(body: bytes) -> str:
    return urlsafe_b64encode(body).decode().rstrip("=")
