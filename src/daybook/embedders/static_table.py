"""The table of token vectors that ships with Daybook: text to vectors without a model.

Each word or word piece has one row; a text's vector is the sum of its rows, made unit length. The
rows are fitted so that this sum points where all-MiniLM-L6-v2 would put the text (see NOTICE).
"""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from daybook.embedders.table_file import TableArrays, read_table
from daybook.embedders.word_tokenizer import WordTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["StaticTable"]

_SHIPPED = Path(__file__).parent / "data" / "static-1-256.table"
# Rows gathered at once: 2,048 rows of 256 numbers fit a core's cache (fastest of 512 to 16,384).
_CHUNK_ROWS = 2_048

TokenIds = NDArray[np.uint16]
Vectors = NDArray[np.float32]


class StaticTable:
    """Token vectors and the tokenizer that goes with them. Thread-safe, no I/O after loading."""

    def __init__(self, arrays: TableArrays) -> None:
        """Use these arrays; most callers want `StaticTable.load()`."""
        self._id = arrays.id
        self._vectors = arrays.vectors
        self._scales = arrays.scales.astype(np.float32)
        self._weights = arrays.weights.astype(np.float32)
        self._tokenizer = WordTokenizer(arrays.vocabulary)

    @staticmethod
    def load() -> StaticTable:
        """Return the shipped table, read on the first call and shared from then on.

        Raises:
            ConfigError: The file is absent or damaged.
        """
        return _shipped_table()

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Return the table in `path`, for tables made with the training tool.

        Raises:
            ConfigError: The file is absent or damaged.
        """
        return cls(read_table(path))

    @property
    def id(self) -> str:
        """Name and version of the table."""
        return self._id

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return int(self._vectors.shape[1])

    def token_ids(self, text: str) -> TokenIds:
        """Return the rows of `text` in order, read-only; empty if no word is known."""
        return np.frombuffer(self._tokenizer.rows(text), dtype=np.uint16)

    def token_vectors(self, ids: TokenIds) -> Vectors:
        """Return unit vectors of rows, shape (len(ids), dimensions)."""
        return _unit_rows(self._vectors.take(ids, axis=0).astype(np.float32))

    def token_weights(self, ids: TokenIds) -> Vectors:
        """Return how telling each row is, larger for rarer words, shape (len(ids),)."""
        return self._weights.take(ids)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row for each text; a zero row where no word is known."""
        rows = list(map(self._tokenizer.rows, texts))
        ids = np.frombuffer(b"".join(rows), dtype=np.uint16)
        return self._sums(ids, [len(row) // ids.itemsize for row in rows])

    def encode_ids(self, ids: Sequence[TokenIds]) -> Vectors:
        """Return one unit row for each array of rows, as `encode` does for their texts."""
        if not ids:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return self._sums(np.concatenate(ids), [len(one) for one in ids])

    def _sums(self, ids: TokenIds, lengths: list[int]) -> Vectors:
        """Sum each run of rows and make the sums unit length.

        A run's sum is one product `scales @ rows`, so the result does not depend on what else is
        in the batch; rows are gathered for many runs at once.
        """
        sums = np.zeros((len(lengths), self.dimensions), dtype=np.float32)
        ends = list(itertools.accumulate(lengths))
        first = 0
        while first < len(lengths):
            begin = ends[first] - lengths[first]
            last = first + 1
            while last < len(lengths) and ends[last] - begin <= _CHUNK_ROWS:
                last += 1
            self._sum_chunk(ids[begin : ends[last - 1]], lengths[first:last], sums[first:last])
            first = last
        return _unit_rows(sums)

    def _sum_chunk(self, ids: TokenIds, lengths: list[int], sums: Vectors) -> None:
        if len(ids) > _CHUNK_ROWS:
            self._sum_long(ids, sums[0])
            return
        rows = self._vectors.take(ids, axis=0).astype(np.float32)
        scales = self._scales.take(ids)
        begin = 0
        for length, out in zip(lengths, sums, strict=True):
            end = begin + length
            np.dot(scales[begin:end], rows[begin:end], out=out)
            begin = end

    def _sum_long(self, ids: TokenIds, out: Vectors) -> None:
        """Sum one run that is longer than a chunk, without gathering all its rows at once."""
        for begin in range(0, len(ids), _CHUNK_ROWS):
            part = ids[begin : begin + _CHUNK_ROWS]
            out += self._scales.take(part) @ self._vectors.take(part, axis=0).astype(np.float32)


@functools.cache
def _shipped_table() -> StaticTable:
    return StaticTable.from_file(_SHIPPED)


def _unit_rows(rows: Vectors) -> Vectors:
    """Divide each row by its length, in place; a zero row stays zero."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    norms[norms == 0] = 1
    rows /= norms[:, None]
    return rows
