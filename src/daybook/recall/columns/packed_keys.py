"""Keys of very many documents as bytes, one after the other: a fifth of what objects take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.growing_array import GrowingArray
from daybook.recall.columns.narrow_array import NarrowArray
from daybook.recall.columns.uuid_texts import uuid_texts

__all__ = ["PackedKeys"]

_UUID_TEXT, _UUID_BYTES = 36, 16
_DASHES = [8, 13, 18, 23]
# The first byte of a packed key: 16 bytes of a UUID follow, or text.
_UUID, _TEXT = 0, 1
_WIDTH = _UUID_BYTES + 1

Keys = NDArray[np.object_]
Rows = NDArray[np.int64]


class PackedKeys:
    """A column of strings that grows at its end; the part of `GrowingArray` that keys need."""

    def __init__(self) -> None:
        self._bytes: GrowingArray[np.uint8] = GrowingArray(np.uint8)
        self._count = 0
        # Where each key ends; None while all are UUIDs, for then that is plain.
        self._ends: NarrowArray | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self._bytes.nbytes + (0 if self._ends is None else self._ends.nbytes)

    def reserve(self, count: int) -> None:
        """Make room for so many keys in all, if they are UUIDs."""
        self._bytes.reserve(count * _WIDTH)

    def extend(self, keys: Sequence[str] | Keys) -> None:
        """Add keys at the end. Cost: about 0.1 µs a key if all are canonical UUIDs."""
        packed = _uuid_bytes(keys)
        if packed is not None:
            added, sizes = packed.ravel(), np.full(len(keys), _WIDTH)
        else:
            encoded = [bytes((_TEXT,)) + key.encode("utf-8", "surrogatepass") for key in keys]
            sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
            added = np.frombuffer(b"".join(encoded), np.uint8)
        if packed is None and self._ends is None:
            self._ends = NarrowArray()
            self._ends.extend(np.arange(1, self._count + 1) * _WIDTH)
        if self._ends is not None:
            self._ends.extend(len(self._bytes) + np.cumsum(sizes))
        self._bytes.extend(added)
        self._count += len(keys)

    def take(self, rows: Rows) -> Keys:
        """Return the keys of some rows. Cost: about 0.5 µs a key, of text and UUIDs mixed 2 µs."""
        keys = np.empty(len(rows), np.object_)
        if self._ends is None:
            packed = self._bytes.view.reshape(-1, _WIDTH)[rows, 1:]
            keys[:] = uuid_texts(packed.tobytes())
            return keys
        begins, ends = self._bounds(rows)
        data = self._bytes.view
        keys[:] = [
            _key(data[begin:end].tobytes())
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        ]
        return keys

    def keep(self, rows: Rows) -> None:
        """Keep only these rows, ascending."""
        if self._ends is None:
            kept = self._bytes.view.reshape(-1, _WIDTH)[rows].ravel()
        else:
            sizes = np.diff(self._ends.view, prepend=0)
            wanted = np.zeros(self._count, np.bool_)
            wanted[rows] = True
            kept = self._bytes.view[np.repeat(wanted, sizes)]
            self._ends = NarrowArray()
            self._ends.extend(np.cumsum(sizes[rows]))
        self._bytes = GrowingArray(np.uint8)
        self._bytes.extend(kept)
        self._count = len(rows)

    def _bounds(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return where the keys of some rows begin and end."""
        if self._ends is None:
            return rows * _WIDTH, rows * _WIDTH + _WIDTH
        ends = self._ends.view
        begins = np.where(rows > 0, ends[rows - 1], 0)
        return begins.astype(np.int64), ends[rows].astype(np.int64)


def _uuid_bytes(keys: Sequence[str] | Keys) -> NDArray[np.uint8] | None:
    """Return packed rows of keys that all are canonical UUIDs; None if some are not."""
    joined = "".join(keys)
    if not joined or len(joined) != len(keys) * _UUID_TEXT or not joined.isascii():
        return None
    letters = np.frombuffer(joined.encode(), np.uint8).reshape(len(keys), _UUID_TEXT)
    digits = np.delete(letters, _DASHES, axis=1)
    lower = ((digits >= ord("0")) & (digits <= ord("9"))) | (
        (digits >= ord("a")) & (digits <= ord("f"))
    )
    whole = lower.all() and (letters[:, _DASHES] == ord("-")).all()
    if not whole or set(map(len, keys)) != {_UUID_TEXT}:
        return None
    packed = np.empty((len(keys), _WIDTH), np.uint8)
    packed[:, 0] = _UUID
    values = np.frombuffer(bytes.fromhex(digits.tobytes().decode()), np.uint8)
    packed[:, 1:] = values.reshape(len(keys), _UUID_BYTES)
    return packed


def _key(packed: bytes) -> str:
    if packed[0] == _TEXT:
        return packed[1:].decode("utf-8", "surrogatepass")
    digits = packed[1:].hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
