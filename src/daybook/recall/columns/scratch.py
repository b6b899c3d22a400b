"""Arrays that searches of one scope use one after the other."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scratch"]

Scalar = TypeVar("Scalar", bound=np.generic)


class Scratch:
    """Keeps arrays as long as a scope has rows from search to search.

    Asking the system for them anew took a million documents' search a quarter of its time. What a
    search returns must not be one of them, nor a view. Not thread-safe, as the columns are not.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._held: dict[str, NDArray[np.uint8]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(array.nbytes for array in self._held.values())

    def empty(self, name: str, count: int, dtype: type[Scalar]) -> NDArray[Scalar]:
        """Return an array of whatever the last search left in it.

        Args:
            name: What it is for; two arrays that are in use at one time have two names.
            count: Its length.
            dtype: Of its items.
        """
        size = count * np.dtype(dtype).itemsize
        held = self._held.get(name)
        if held is None or len(held) < size:
            # A little more: most scopes grow between two searches.
            held = self._held[name] = np.empty(size + size // 16, np.uint8)
        return held[:size].view(dtype)

    def zeros(self, name: str, count: int, dtype: type[Scalar]) -> NDArray[Scalar]:
        """Return such an array full of zeros."""
        array = self.empty(name, count, dtype)
        array[:] = 0
        return array
