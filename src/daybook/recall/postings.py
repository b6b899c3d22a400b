"""Which documents hold which stem, and how often: sorted runs of packed integers.

One occurrence is one 64-bit number: the stem's hash (32 bits), the row (24), the count (8). A run
is a sorted array of those, so building one is a sort and a look-up two binary searches. New
documents wait unsorted; when many wait they become a run, and runs of like size are merged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daybook.recall.growing_array import GrowingArray

__all__ = ["MOST_ROWS", "Postings"]

MOST_ROWS = 1 << 24
_ROW_SHIFT = np.uint64(8)
_HASH_SHIFT = np.uint64(32)
_ROW_MASK = np.uint64(MOST_ROWS - 1)
_COUNT_MASK = np.uint64(255)
# Scanning so many waiting entries costs about 10 µs for each term of a query.
_MOST_WAITING = 32_768

Entries = NDArray[np.uint64]


class Postings:
    """Stem hash to rows and counts. Not thread-safe."""

    def __init__(self) -> None:
        self._runs: list[Entries] = []
        self._waiting: GrowingArray[np.uint64] = GrowingArray(np.uint64)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(run.nbytes for run in self._runs) + self._waiting.nbytes

    def add(
        self, hashes: NDArray[np.uint32], rows: NDArray[np.int64], counts: NDArray[np.uint8]
    ) -> None:
        """Add occurrences; the three arrays are parallel.

        Cost: about 20 ns an occurrence, amortised.
        """
        packed = hashes.astype(np.uint64) << _HASH_SHIFT
        packed |= rows.astype(np.uint64) << _ROW_SHIFT
        packed |= counts
        self._waiting.extend(packed)
        if len(self._waiting) > _MOST_WAITING:
            self._runs.append(np.sort(self._waiting.view))
            self._waiting = GrowingArray(np.uint64)
            self._merge()

    def find(self, hashes: Sequence[int]) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Return rows and counts for each hash; rows of a hash never repeat."""
        wanted = np.array(hashes, np.uint64)
        found: list[list[Entries]] = [[] for _ in hashes]
        for run in self._runs:
            starts = np.searchsorted(run, wanted << _HASH_SHIFT)
            ends = np.searchsorted(run, (wanted + np.uint64(1)) << _HASH_SHIFT)
            # The largest hash plus one does not fit 64 bits after the shift.
            ends[wanted == np.uint64(0xFFFF_FFFF)] = len(run)
            for parts, start, end in zip(found, starts.tolist(), ends.tolist(), strict=True):
                if start < end:
                    parts.append(run[start:end])
        waiting = self._waiting.view
        if len(waiting):
            heads = (waiting >> _HASH_SHIFT).astype(np.uint32)
            for parts, one in zip(found, hashes, strict=True):
                matching = waiting[heads == np.uint32(one)]
                if len(matching):
                    parts.append(matching)
        return [_unpacked(parts) for parts in found]

    def renumber(self, new_rows: NDArray[np.int64]) -> None:
        """Give each row its new number; rows that are now -1 lose their entries.

        Args:
            new_rows: New row of each old one, ascending over the rows kept.
        """
        everything = np.concatenate([*self._runs, self._waiting.view])
        moved = new_rows[((everything >> _ROW_SHIFT) & _ROW_MASK).astype(np.int64)]
        kept = moved >= 0
        packed = everything[kept] & ~(_ROW_MASK << _ROW_SHIFT)
        packed |= moved[kept].astype(np.uint64) << _ROW_SHIFT
        packed.sort()
        self._runs = [packed]
        self._waiting = GrowingArray(np.uint64)

    def _merge(self) -> None:
        """Merge the last runs while one is less than twice as long as the next."""
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            merged = np.concatenate([self._runs.pop(), self._runs.pop()])
            merged.sort()
            self._runs.append(merged)


def _unpacked(parts: list[Entries]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    entries = parts[0] if len(parts) == 1 else np.concatenate(parts)
    rows = ((entries >> _ROW_SHIFT) & _ROW_MASK).astype(np.int64)
    return rows, (entries & _COUNT_MASK).astype(np.float32)
