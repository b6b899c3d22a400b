"""Columns of a scope with very many documents: codes instead of vectors, keys as bytes.

About 0.35 kB a document (13 stems, 34 tokens, 256 numbers, keys of 36 letters) instead of 1.5.
"""

from __future__ import annotations

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.recall.code_space import CodeSpace
from daybook.recall.document_columns import DocumentColumns
from daybook.recall.large_search import search_large
from daybook.recall.packed_keys import PackedKeys
from daybook.recall.scope_columns import ScopeColumns
from daybook.recall.vector_space import VectorSpace

__all__ = ["MOST_EXACT", "LargeColumns", "fitting"]

# Up to so many documents every search is exact: it looks at all of them with their whole vectors.
MOST_EXACT = 131_072


class LargeColumns(DocumentColumns):
    """Documents that are searched by codes first; see `daybook.recall.large_search`."""

    @classmethod
    def of(cls, columns: DocumentColumns) -> LargeColumns:
        """Return the same documents; `columns` must not be used any more.

        Cost: about 5 µs a document.
        """
        large = cls(linked=columns.linked)
        keys = PackedKeys()
        keys.extend(columns.keys.view if not isinstance(columns.keys, PackedKeys) else [])
        spaces = {
            name: CodeSpace.of(space) if isinstance(space, VectorSpace) else space
            for name, space in columns.spaces.items()
        }
        vars(large).update(vars(columns) | {"keys": keys, "spaces": spaces})
        return large

    def candidates(self, query: CandidateQuery) -> Candidates:
        """Return what may answer a query.

        Filters come before every cut; statistics are estimated from some thousand rows.

        Cost: measured by `benchmarks/recall_latency.py`.
        """
        return search_large(self, query)

    def _new_space(self, width: int, first: int) -> CodeSpace:
        return CodeSpace(width, first)


def fitting(columns: ScopeColumns | LargeColumns, most_exact: int) -> ScopeColumns | LargeColumns:
    """Return the columns themselves, or large ones if they have become too many."""
    if isinstance(columns, LargeColumns) or len(columns) <= most_exact:
        return columns
    return LargeColumns.of(columns)
