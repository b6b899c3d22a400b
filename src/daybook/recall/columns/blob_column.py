"""Many byte strings as one, with their sizes: a column that costs no object for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BlobColumn"]


@dataclass(frozen=True, slots=True, eq=False)
class BlobColumn:
    """Byte strings of rows.

    Attributes:
        joined: All of them, one after the other.
        sizes: Bytes of each (int64).
    """

    joined: bytes
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, blobs: BlobColumn | Sequence[bytes]) -> BlobColumn:
        """Return byte strings as a column; a column as it is."""
        if isinstance(blobs, BlobColumn):
            return blobs
        return cls(b"".join(blobs), np.fromiter(map(len, blobs), np.int64, len(blobs)))

    def __len__(self) -> int:
        """Return how many byte strings there are."""
        return len(self.sizes)

    def part(self, begin: int, end: int) -> BlobColumn:
        """Return the rows from `begin` to before `end`."""
        if begin == 0 and end >= len(self.sizes):
            return self
        first = int(self.sizes[:begin].sum())
        sizes = self.sizes[begin:end]
        return BlobColumn(self.joined[first : first + int(sizes.sum())], sizes)

    def listed(self) -> list[bytes]:
        """Return the byte strings one by one."""
        ends = np.cumsum(self.sizes).tolist()
        begins = [0, *ends[:-1]]
        return [self.joined[begin:end] for begin, end in zip(begins, ends, strict=True)]
