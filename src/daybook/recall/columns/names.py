"""Names and the numbers they are stored as, first come first numbered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Names"]


class Names:
    """A growing list of distinct names."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.listed)

    def number(self, name: str) -> int:
        """Return the number of `name`, -1 if it has none."""
        return self._numbers.get(name, -1)

    def numbers(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the number of each name; new names get one."""
        known = self._numbers
        for name in names:
            if name not in known:
                known[name] = len(known)
                self.listed.append(name)
        return np.fromiter(map(known.__getitem__, names), np.int32, len(names))
