"""How near a scope's documents are to one query: coarsely for all, closely for some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery
from daybook.recall.columns.code_space import CodeSpace
from daybook.recall.columns.document_columns import DocumentColumns

__all__ = ["Nearness"]

_FARTHEST = np.iinfo(np.uint16).max
# So many times as many are chosen by bare signs before finer distances choose among them.
_WIDER = 8

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


class Nearness:
    """One query's view of a scope's codes; without a vector to compare everything is 0."""

    def __init__(self, scope: DocumentColumns, query: CandidateQuery) -> None:
        """Find the codes that can be compared with the query, if there are any."""
        space = scope.spaces.get(query.embedder)
        fits = query.vector is not None and space is not None and space.width == len(query.vector)
        self._space = space if fits and isinstance(space, CodeSpace) else None
        self._vector = query.vector if query.vector is not None else np.empty(0, np.float32)
        self._scratch = scope.scratch
        self._row_count = scope.row_count
        self._alive = scope.alive.view if scope.has_dead_rows else None
        self._all: NDArray[np.uint16] | None = None
        # Cosines that were asked for: many rows are asked for more than once.
        self._found = scope.scratch.empty("cosines", scope.row_count, np.float32)
        self._is_found = scope.scratch.zeros("is_found", scope.row_count, np.bool_)

    @property
    def is_known(self) -> bool:
        """Whether there is anything to compare."""
        return self._space is not None

    def cosines(self, rows: Rows) -> Floats:
        """Return the cosine of each row; 0 for dead ones."""
        if self._space is None:
            return np.zeros(len(rows), np.float32)
        new = rows[~self._is_found.take(rows)]
        if len(new):
            self._found[new] = self._space.similarity(self._vector, new)
            self._is_found[new] = True
        found = self._found.take(rows)
        if self._alive is not None:
            found *= self._alive.take(rows)
        return found

    def has_vector(self, rows: Rows) -> Flags:
        """Return which rows can be compared."""
        if self._space is None:
            return np.zeros(len(rows), np.bool_)
        return self._space.presence(rows)

    def distances(self, rows: Rows) -> NDArray[np.uint16]:
        """Return coarse distances of some rows."""
        if self._space is None:
            return np.zeros(len(rows), np.uint16)
        if self._all is not None:
            return self._all.take(rows)
        return self._space.finer_distances(self._vector, rows)

    def nearest(self, among: Flags | None, count: int) -> Rows:
        """Return at most `count` of the nearest rows, by coarse distance.

        Args:
            among: Only these rows, all alive; None for all.
            count: How many.
        """
        if self._space is None:
            return np.empty(0, np.int64)
        if self._all is None:
            self._all = self._scratch.empty("distances", self._row_count, np.uint16)
            self._space.distances(self._vector, self._all)
        if among is None:
            among = self._alive
        distances = self._all if among is None else np.where(among, self._all, _FARTHEST)
        flags = self._scratch.empty("flags", self._row_count, np.bool_)
        rows = _lowest(distances, _WIDER * count, self._space.width, flags)
        if len(rows) <= count:
            return rows
        finer = self._space.finer_distances(self._vector, rows)
        return np.sort(rows[np.argpartition(finer, count)[:count]])


def _lowest(values: NDArray[np.uint16], count: int, most: int, flags: Flags) -> Rows:
    """Return the places of the lowest values, `count` at most, none above `most`.

    Args:
        values: To choose from.
        count: How many.
        most: The highest that may be chosen.
        flags: As long as `values`; written over.
    """
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if np.count_nonzero(np.less_equal(values, middle, out=flags)) >= count:
            high = middle
        else:
            low = middle + 1
    rows = np.flatnonzero(np.less_equal(values, low, out=flags))
    last = np.flatnonzero(values.take(rows) == low)
    surplus = max(0, len(rows) - count)
    return np.delete(rows, last[len(last) - surplus :])
