"""Columns of a scope with very many documents: codes instead of vectors, keys as bytes.

About 0.4 kB a document (13 stems, 27 distinct tokens, 256 numbers, UUIDs as keys) instead of 1.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.recall.columns.code_space import CodeSpace
from daybook.recall.columns.document_columns import DocumentColumns
from daybook.recall.columns.growing_array import GrowingArray
from daybook.recall.columns.packed_keys import PackedKeys
from daybook.recall.columns.turn_links import TurnLinks
from daybook.recall.columns.vector_space import VectorSpace
from daybook.recall.search.large_search import search_large
from daybook.recall.search.scope_columns import ScopeColumns

__all__ = ["MOST_EXACT", "LargeColumns", "fitting"]

# Up to so many documents every search is exact: it looks at all of them with their whole vectors.
MOST_EXACT = 131_072


class LargeColumns(DocumentColumns):
    """Documents that are searched by codes first; see `daybook.recall.search.large_search`."""

    def __init__(self, *, linked: bool = True, expected: int = 0) -> None:
        """Start empty; room is made at once for `expected` documents."""
        super().__init__(linked=linked)
        self.keys: PackedKeys = PackedKeys()
        # Codes know these products no better.
        self.previous_dot = GrowingArray(np.float16)
        self.skip_dot = GrowingArray(np.float16)
        self._expected = expected
        for column in vars(self).values():
            if isinstance(column, GrowingArray | PackedKeys | TurnLinks):
                column.reserve(expected)

    @classmethod
    def of(cls, columns: DocumentColumns) -> LargeColumns:
        """Return the same documents; `columns` must not be used any more.

        Cost: about 5 µs a document.
        """
        large = cls(linked=columns.linked)
        keys = columns.keys
        if isinstance(keys, GrowingArray):
            large.keys.extend(keys.view)
            keys = large.keys
        spaces = {
            name: CodeSpace.of(space) if isinstance(space, VectorSpace) else space
            for name, space in columns.spaces.items()
        }
        large.previous_dot.extend(columns.previous_dot.view)
        large.skip_dot.extend(columns.skip_dot.view)
        dots = {"previous_dot": large.previous_dot, "skip_dot": large.skip_dot}
        vars(large).update(vars(columns) | {"keys": keys, "spaces": spaces} | dots)
        return large

    def candidates(self, query: CandidateQuery) -> Candidates:
        """Return what may answer a query.

        Filters come before every cut; statistics are estimated from some thousand rows.

        Cost: measured by `benchmarks/recall_scale.py`.
        """
        return search_large(self, query)

    def _new_space(self, vectors: NDArray[np.float32], first: int) -> CodeSpace:
        space = CodeSpace.around(vectors, first)
        space.reserve(self._expected)
        return space


def fitting(columns: ScopeColumns | LargeColumns, most_exact: int) -> ScopeColumns | LargeColumns:
    """Return the columns themselves, or large ones if they have become too many."""
    if isinstance(columns, LargeColumns) or len(columns) <= most_exact:
        return columns
    return LargeColumns.of(columns)
