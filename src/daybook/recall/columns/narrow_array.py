"""Whole numbers in as few bytes as the largest of them needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.growing_array import GrowingArray

__all__ = ["NarrowArray"]

_WIDTHS: tuple[type[np.signedinteger[Any]], ...] = (np.int8, np.int16, np.int32)


class NarrowArray(GrowingArray[np.signedinteger[Any]]):
    """A column that starts with one byte a number and is copied into a wider one when it must.

    Take care when computing with its numbers: convert them first, so that nothing overflows.
    """

    __slots__ = ()

    def __init__(self) -> None:
        """Start empty."""
        super().__init__(np.int8)

    def extend(self, values: Any) -> None:
        """Add numbers at the end."""
        added = np.asarray(values, np.int64)
        if len(added):
            self._widen(np.promote_types(self._data.dtype, _narrowest(added)))
        super().extend(added)

    def _widen(self, dtype: np.dtype[Any]) -> None:
        if dtype == self._data.dtype:
            return
        wider = np.empty(len(self._data), dtype)
        wider[: self._size] = self.view
        self._data = wider


def _narrowest(values: NDArray[np.int64]) -> type[np.signedinteger[Any]]:
    low, high = int(values.min()), int(values.max())
    for width in _WIDTHS:
        limits = np.iinfo(width)
        if limits.min <= low and high <= limits.max:
            return width
    return np.int64
