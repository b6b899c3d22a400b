"""What the item of a message holds. Pure.

Its attribute `m` holds the role, the id and a body packed by them. Items of earlier versions have
an attribute `d` with the body as it is; both are read, only the first is written.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from daybook.enginekit.packed_bodies import pack_body, unpack_body
from daybook.enginekit.packed_ids import id_from_column, id_to_column
from daybook.engines.dynamodb.blobs import Blob
from daybook.engines.dynamodb.calls import Item
from daybook.engines.dynamodb.driver_errors import ENGINE
from daybook.engines.dynamodb.heads import Entry
from daybook.engines.dynamodb.keys import Key
from daybook.errors import SchemaVersionError
from daybook.model.message import ROLES

__all__ = ["Counts", "StreamMessage", "message_item", "message_of"]

_ROLE_NUMBER: dict[str, int] = {role: number for number, role in enumerate(ROLES)}


class Counts(Struct, frozen=True, array_like=True):
    """A session's counts up to a message, so that a fork needs no reading."""

    roles: dict[str, int]
    tokens: int


class StreamMessage(Struct, frozen=True, array_like=True, gc=False):
    """A message in a stream; its fields in this order are what `d` held."""

    tokens: int
    body: bytes
    blob: Blob | None
    counts: Counts


class _Packed(Struct, frozen=True, array_like=True, gc=False):
    """A message as `m` holds it.

    Attributes:
        role: The role's number.
        id: Its id in 16 bytes if that is a UUID; of others the body says it.
        tokens: Its tokens.
        body: Its body, packed; of nothing if it is a blob.
        blob: The blob.
        roles: How many messages of each role the session has up to this one, by number.
        total: Their tokens.
    """

    role: int
    id: bytes | None
    tokens: int
    body: bytes
    blob: Blob | None
    roles: tuple[int, ...]
    total: int


_encoder = msgspec.msgpack.Encoder()
_unpacked_decoder = msgspec.msgpack.Decoder(StreamMessage)
_packed_decoder = msgspec.msgpack.Decoder(_Packed)


def message_item(key: Key, entry: Entry, roles: Mapping[str, int], total: int) -> Item:
    """Return the item of a message.

    Args:
        key: Its place.
        entry: The message.
        roles: How many messages of each role the session has up to this one.
        total: Their tokens.
    """
    column = id_to_column(entry.id)
    uuid = column if isinstance(column, bytes) else None
    packed = _Packed(
        role=_ROLE_NUMBER[entry.role],
        id=uuid,
        tokens=entry.tokens,
        body=pack_body(entry.role, None if uuid is None else entry.id, entry.body),
        blob=entry.blob,
        roles=tuple(roles.get(role, 0) for role in ROLES),
        total=total,
    )
    return {"pk": key[0], "sk": key[1], "m": _encoder.encode(packed)}


def message_of(item: Item) -> StreamMessage:
    """Return the message of an item.

    Raises:
        SchemaVersionError: A newer Daybook wrote it.
    """
    if "d" in item:
        return _unpacked_decoder.decode(item["d"])
    if "m" not in item:
        raise SchemaVersionError(
            "a message has a form that this Daybook does not know: upgrade daybook to read it",
            engine=ENGINE,
            operation="read",
        )
    packed = _packed_decoder.decode(item["m"])
    message_id = "" if packed.id is None else id_from_column(packed.id)
    body = unpack_body(ROLES[packed.role], message_id, packed.body)
    by_role: dict[str, int] = {
        role: count for role, count in zip(ROLES, packed.roles, strict=True) if count
    }
    return StreamMessage(packed.tokens, body, packed.blob, Counts(by_role, packed.total))
