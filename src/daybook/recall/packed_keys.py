"""Keys of very many documents as bytes, one after the other: a third of what objects take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.recall.growing_array import GrowingArray

__all__ = ["PackedKeys"]

Keys = NDArray[np.object_]


class PackedKeys:
    """A column of strings that grows at its end; the part of `GrowingArray` that keys need."""

    def __init__(self) -> None:
        self._bytes: GrowingArray[np.uint8] = GrowingArray(np.uint8)
        self._ends: GrowingArray[np.int64] = GrowingArray(np.int64)

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self._bytes.nbytes + self._ends.nbytes

    def extend(self, keys: Any) -> None:
        """Add keys at the end."""
        encoded = [key.encode("utf-8", "surrogatepass") for key in keys]
        sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
        base = len(self._bytes)
        self._bytes.extend(np.frombuffer(b"".join(encoded), np.uint8))
        self._ends.extend(base + np.cumsum(sizes))

    def take(self, rows: NDArray[np.int64]) -> Keys:
        """Return the keys of some rows. Cost: about 0.4 µs a key."""
        ends = self._ends.view
        data = self._bytes.view
        keys = np.empty(len(rows), np.object_)
        begins = np.where(rows > 0, ends[rows - 1], 0)
        for place, (begin, end) in enumerate(
            zip(begins.tolist(), ends[rows].tolist(), strict=True)
        ):
            keys[place] = data[begin:end].tobytes().decode("utf-8", "surrogatepass")
        return keys

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Keep only these rows, ascending."""
        sizes = np.diff(self._ends.view, prepend=0)
        kept = np.zeros(len(self._ends), np.bool_)
        kept[rows] = True
        self._bytes.keep(np.flatnonzero(np.repeat(kept, sizes)))
        self._ends = GrowingArray(np.int64)
        self._ends.extend(np.cumsum(sizes[rows]))
