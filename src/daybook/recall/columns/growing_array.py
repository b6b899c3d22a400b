"""A numpy array that grows at its end in amortised constant time."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["GrowingArray"]

Scalar = TypeVar("Scalar", bound=np.generic)
_FIRST_CAPACITY = 16


class GrowingArray(Generic[Scalar]):
    """Rows of one dtype. `view` stays valid after growth: it then shows the old storage."""

    __slots__ = ("_data", "_size")

    def __init__(self, dtype: DTypeLike, width: int | None = None) -> None:
        """Start empty; `width` makes each row a vector of so many numbers."""
        self._data: NDArray[Scalar] = np.empty(_shape(0, width), dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def view(self) -> NDArray[Scalar]:
        """The rows, without copying; writing to it writes here."""
        return self._data[: self._size]

    @property
    def nbytes(self) -> int:
        """Bytes taken, spare room included."""
        return self._data.nbytes

    def reserve(self, rows: int) -> None:
        """Make room for so many rows in all; what is never used takes no memory."""
        if rows > len(self._data):
            self._move(rows)

    def extend(self, values: Any) -> None:
        """Add rows at the end."""
        added = np.asarray(values, self._data.dtype)
        end = self._size + len(added)
        if end > len(self._data):
            self._grow(end)
        self._data[self._size : end] = added
        self._size = end

    def take(self, rows: NDArray[np.int64]) -> NDArray[Scalar]:
        """Return a copy of some rows."""
        return self._data.take(rows, axis=0)

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Keep only these rows, in this order."""
        self._data = self._data[rows]
        self._size = len(rows)

    def _grow(self, needed: int) -> None:
        self._move(max(needed, len(self._data) + len(self._data) // 2, _FIRST_CAPACITY))

    def _move(self, capacity: int) -> None:
        grown = np.empty((capacity, *self._data.shape[1:]), self._data.dtype)
        grown[: self._size] = self._data[: self._size]
        self._data = grown


def _shape(rows: int, width: int | None) -> tuple[int, ...]:
    return (rows,) if width is None else (rows, width)
