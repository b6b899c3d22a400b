"""MiniLM's vectors, made once and kept, so that every side gets the same ones and pays nothing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daybook.embedders.minilm import MiniLMEmbedder
from daybook.protocols.embedder import Purpose

__all__ = ["KeptVectors"]

_BATCH = 64


class KeptVectors:
    """The `minilm` embedder with a memory; the file holds digests of texts, not texts.

    Attributes:
        spent_s: Seconds of processor time spent on vectors that were not kept yet.
        made: How many these were.
    """

    def __init__(self, path: Path) -> None:
        """Take up what an earlier run kept in a file."""
        self._inner = MiniLMEmbedder()
        self._path = path
        self._kept: dict[str, NDArray[np.float32]] = {}
        if path.exists():
            with np.load(path) as stored:
                self._kept = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
        self.spent_s = 0.0
        self.made = 0

    @property
    def id(self) -> str:
        """That of the embedder behind: the vectors are its own."""
        return self._inner.id

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return self._inner.dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row for each text."""
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
        missing = [at for at, key in enumerate(keys) if key not in self._kept]
        begin = time.process_time()
        for first in range(0, len(missing), _BATCH):
            some = missing[first : first + _BATCH]
            for at, row in zip(some, self._inner.encode([texts[at] for at in some]), strict=True):
                self._kept[keys[at]] = row
        self.spent_s += time.process_time() - begin if missing else 0.0
        self.made += len(missing)
        if not keys:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.stack([self._kept[key] for key in keys])

    def lists(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the same as lists of numbers, as other libraries take them."""
        return [[float(value) for value in row] for row in self.encode(texts)]

    async def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose = "document",  # noqa: ARG002 - MiniLM treats both alike
    ) -> NDArray[np.float32]:
        """Return one unit row for each text."""
        return self.encode(texts)

    def save(self) -> None:
        """Write what is kept."""
        if self._kept:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(
                self._path,
                keys=np.array(list(self._kept)),
                vectors=np.stack([*self._kept.values()]),
            )
