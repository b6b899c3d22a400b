"""Which row is the turn before and after which, within a session, kept as turns arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.growing_array import GrowingArray

__all__ = ["TurnLinks"]

Rows = NDArray[np.int64]
Positions = NDArray[np.signedinteger[Any]]


class TurnLinks:
    """Neighbour rows by ascending position in each group; -1 where there is none."""

    def __init__(self) -> None:
        self._previous: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._following: GrowingArray[np.int32] = GrowingArray(np.int32)
        self._last_row: GrowingArray[np.int32] = GrowingArray(np.int32)

    @property
    def previous(self) -> NDArray[np.int32]:
        """Row of the turn before each row."""
        return self._previous.view

    @property
    def following(self) -> NDArray[np.int32]:
        """Row of the turn after each row."""
        return self._following.view

    @property
    def last_row(self) -> NDArray[np.int32]:
        """The row of the highest position of each group."""
        return self._last_row.view

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return self._previous.nbytes + self._following.nbytes + self._last_row.nbytes

    def reserve(self, rows: int) -> None:
        """Make room for so many rows in all."""
        self._previous.reserve(rows)
        self._following.reserve(rows)

    def grow(self, row_count: int, group_count: int) -> None:
        """Make room for rows and groups that are new, unlinked."""
        for column, size in (
            (self._previous, row_count),
            (self._following, row_count),
            (self._last_row, group_count),
        ):
            column.extend(np.full(size - len(column), -1, np.int32))

    def append(self, first_row: int, groups: NDArray[np.int32], positions: Positions) -> Rows:
        """Link the rows from `first_row` on behind their groups' last rows.

        Args:
            first_row: The first new row.
            groups: Group of every row, old and new.
            positions: Position of every row, old and new.

        Returns:
            Groups that must be linked anew because a new row comes before an old one.
        """
        order = np.lexsort((positions[first_row:], groups[first_row:])) + first_row
        starts = self._chain(order, groups)
        heads, tails = order[starts], order[np.append(starts[1:], len(order)) - 1]
        touched = groups[heads]
        before = self._last_row.view[touched]
        old = before >= 0
        late = old & (positions[before] >= positions[heads])
        joined = old & ~late
        self.previous[heads[joined]] = before[joined]
        self.following[before[joined]] = heads[joined]
        self._last_row.view[touched[~late]] = tails[~late]
        return touched[late].astype(np.int64)

    def relink(self, rows: Rows, groups: NDArray[np.int32], positions: Positions) -> None:
        """Link `rows` anew: all living rows of some groups, in any order."""
        if not len(rows):
            return
        order = rows[np.lexsort((positions[rows], groups[rows]))]
        starts = self._chain(order, groups)
        tails = order[np.append(starts[1:], len(order)) - 1]
        self._last_row.view[groups[tails]] = tails

    def detach(self, rows: Rows) -> None:
        """Leave rows that died without neighbours; `relink` their groups afterwards."""
        self.previous[rows] = -1
        self.following[rows] = -1

    def forget(self, groups: NDArray[np.int64]) -> None:
        """Take groups as empty until `relink` sees their living rows."""
        self._last_row.view[groups] = -1

    def _chain(self, order: Rows, groups: NDArray[np.int32]) -> Rows:
        """Link rows sorted by group and position; return where in `order` each group begins."""
        if not len(order):
            return np.empty(0, np.int64)
        same = groups[order[1:]] == groups[order[:-1]]
        self.previous[order[0]] = -1
        self.previous[order[1:]] = np.where(same, order[:-1], -1)
        self.following[order[-1]] = -1
        self.following[order[:-1]] = np.where(same, order[1:], -1)
        return np.flatnonzero(np.append(True, ~same))
