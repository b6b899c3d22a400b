"""Which documents hold which stem, and how often: runs sorted by stem.

A run lists each stem once, and behind it one 32-bit number for each document: its row (24 bits)
and how often (8), rows ascending. New occurrences wait unsorted; when many wait they become a run,
and runs of like size are joined stem by stem, which needs no sorting, for later runs hold later
rows. An occurrence takes 4 bytes, a distinct stem of a run 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.growing_array import GrowingArray

__all__ = ["MOST_ROWS", "Postings"]

MOST_ROWS = 1 << 24
_ROW_SHIFT = np.uint32(8)
_COUNT_MASK = np.uint32(255)
_HASH_SHIFT = np.uint64(32)
_ENTRY_MASK = np.uint64(0xFFFF_FFFF)
# Scanning so many waiting entries costs about 10 µs for each term of a query.
_MOST_WAITING = 32_768
# Joining larger runs would need as much memory again for a moment; a search looks into a few more.
_MOST_JOINED = 1 << 23

# Rows and counts in as few bytes as they need: of a common word there are very many.
Found = tuple[NDArray[np.int32], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Stems, ascending; where each one's entries begin (and the last one's end); the entries."""

    stems: NDArray[np.uint32]
    bounds: NDArray[np.uint32]
    entries: NDArray[np.uint32]

    @property
    def nbytes(self) -> int:
        return self.stems.nbytes + self.bounds.nbytes + self.entries.nbytes


class Postings:
    """Stem hash to rows and counts. Rows are added in ascending order. Not thread-safe."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._waiting: GrowingArray[np.uint64] = GrowingArray(np.uint64)

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(run.nbytes for run in self._runs) + self._waiting.nbytes

    def add(
        self, hashes: NDArray[np.uint32], rows: NDArray[np.int64], counts: NDArray[np.uint8]
    ) -> None:
        """Add occurrences; the three arrays are parallel, `rows` ascend and go on from the last.

        Cost: about 40 ns an occurrence, amortised.
        """
        packed = hashes.astype(np.uint64) << _HASH_SHIFT
        packed |= (rows.astype(np.uint32) << _ROW_SHIFT) | counts
        self._waiting.extend(packed)
        if len(self._waiting) > _MOST_WAITING:
            self._runs.append(_sorted_run(self._waiting.view))
            self._waiting = GrowingArray(np.uint64)
            self._join_last()

    def find(self, hashes: Sequence[int]) -> list[Found]:
        """Return rows and counts for each hash; rows of a hash never repeat."""
        wanted = np.array(hashes, np.uint32)
        found: list[list[NDArray[np.uint32]]] = [[] for _ in hashes]
        for run in self._runs:
            places = np.searchsorted(run.stems, wanted)
            for parts, place, one in zip(found, places.tolist(), hashes, strict=True):
                if place < len(run.stems) and run.stems[place] == one:
                    parts.append(run.entries[run.bounds[place] : run.bounds[place + 1]])
        waiting = self._waiting.view
        if len(waiting):
            heads = (waiting >> _HASH_SHIFT).astype(np.uint32)
            for parts, one in zip(found, hashes, strict=True):
                matching = waiting[heads == np.uint32(one)]
                if len(matching):
                    parts.append(matching.astype(np.uint32))
        return [_unpacked(parts) for parts in found]

    def renumber(self, new_rows: NDArray[np.int64]) -> None:
        """Give each row its new number; rows that are now -1 lose their entries.

        Args:
            new_rows: New row of each old one, ascending over the rows kept.
        """
        if len(self._waiting):
            self._runs.append(_sorted_run(self._waiting.view))
            self._waiting = GrowingArray(np.uint64)
        self._runs = [_renumbered(run, new_rows) for run in self._runs]

    def _join_last(self) -> None:
        """Join the last runs while one is less than twice as long as the next."""
        while len(self._runs) > 1:
            older, newer = self._runs[-2:]
            together = len(older.entries) + len(newer.entries)
            if len(older.entries) >= 2 * len(newer.entries) or together > _MOST_JOINED:
                return
            self._runs[-2:] = [_joined(older, newer)]


def _sorted_run(packed: NDArray[np.uint64]) -> _Run:
    """Return a run of entries that have their stem above them."""
    ordered = np.sort(packed)
    heads = (ordered >> _HASH_SHIFT).astype(np.uint32)
    begins = np.flatnonzero(np.append(True, heads[1:] != heads[:-1])[: len(heads)])
    bounds = np.append(begins, len(heads)).astype(np.uint32)
    return _Run(heads[begins], bounds, (ordered & _ENTRY_MASK).astype(np.uint32))


def _joined(older: _Run, newer: _Run) -> _Run:
    """Return one run of two; every row of `newer` comes after those of `older`."""
    stems = np.union1d(older.stems, newer.stems)
    sizes = np.zeros((2, len(stems)), np.int64)
    for line, run in zip(sizes, (older, newer), strict=True):
        line[np.searchsorted(stems, run.stems)] = np.diff(run.bounds)
    bounds = np.append(0, np.cumsum(sizes.sum(axis=0)))
    entries = np.empty(int(bounds[-1]), np.uint32)
    from_older = np.repeat(np.tile([True, False], len(stems)), sizes.T.ravel())
    entries[from_older] = older.entries
    entries[~from_older] = newer.entries
    return _Run(stems, bounds.astype(np.uint32), entries)


def _renumbered(run: _Run, new_rows: NDArray[np.int64]) -> _Run:
    moved = new_rows[run.entries >> _ROW_SHIFT]
    kept = moved >= 0
    entries = (moved[kept].astype(np.uint32) << _ROW_SHIFT) | (run.entries[kept] & _COUNT_MASK)
    before = np.append(0, np.cumsum(kept))[run.bounds]
    living = np.flatnonzero(np.diff(before))
    bounds = np.append(before[living], len(entries)).astype(np.uint32)
    return _Run(run.stems[living], bounds, entries)


def _unpacked(parts: list[NDArray[np.uint32]]) -> Found:
    if not parts:
        return np.empty(0, np.int32), np.empty(0, np.uint8)
    entries = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return (entries >> _ROW_SHIFT).view(np.int32), entries.astype(np.uint8)
