"""Values that are too long for one item, in pieces of their own.

A blob is written before anything refers to it and never changes, so it needs no condition. A note
in the trash says who will refer to it, so that the pieces of a call that died are found again.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from daybook.engines.dynamodb.calls import Calls, Item
from daybook.engines.dynamodb.keys import Key, new_nonce

__all__ = ["PIECE_BYTES", "Blob", "delete_blobs", "new_blob", "read_blobs", "write_blob"]

PIECE_BYTES = 380_000  # an item holds 400 kB, names included


class Blob(Struct, frozen=True, array_like=True):
    """Where a long value is.

    Attributes:
        nonce: Its name.
        pieces: How many pieces it has.
    """

    nonce: str
    pieces: int


def new_blob(body: bytes) -> Blob:
    """Return a name for a value that is about to be written."""
    return Blob(new_nonce(), max(1, -(-len(body) // PIECE_BYTES)))


def write_blob(calls: Calls, blob: Blob, body: bytes) -> None:
    """Write a value in pieces."""
    items: list[Item] = [
        {"pk": pk, "sk": sk, "d": body[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]}
        for number, (pk, sk) in enumerate(_keys(blob))
    ]
    calls.write_many(items)


def read_blobs(calls: Calls, blobs: Sequence[Blob]) -> list[bytes | None]:
    """Return values; None for one of which a piece is gone."""
    found = calls.get_many([key for blob in blobs for key in _keys(blob)])
    bodies: list[bytes | None] = []
    for blob in blobs:
        pieces = [found.get(key) for key in _keys(blob)]
        whole = [piece["d"] for piece in pieces if piece is not None]
        bodies.append(b"".join(whole) if len(whole) == blob.pieces else None)
    return bodies


def delete_blobs(calls: Calls, blobs: Sequence[Blob]) -> None:
    """Remove values. Repeatable."""
    calls.write_many([], [key for blob in blobs for key in _keys(blob)])


def _keys(blob: Blob) -> list[Key]:
    return [(f"b/{blob.nonce}", f"{number:04}") for number in range(blob.pieces)]
