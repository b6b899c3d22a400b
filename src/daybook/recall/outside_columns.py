"""Columns of a scope whose words, tokens and vectors stay in its store.

What is left takes a fifteenth of the memory, keys aside. The store answers both legs of a query for
all of the scope's documents; from there on a search is the one of `daybook.recall.scope_search`, so
that it finds the same. Not thread-safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.recall.document_batch import DocumentBatch
from daybook.recall.document_columns import DocumentColumns
from daybook.recall.scope_search import Legs, search_with
from daybook.recall.term_blobs import unpack_many_terms

__all__ = ["NumberedVectors", "OutsideColumns"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
# An embedder, ascending numbers of documents, a unit vector (or zeros) of each.
NumberedVectors = tuple[str, Numbers, Floats]

# Pairs of vectors gathered at once: 4,096 pairs of 256 numbers take 8 MB.
_CHUNK = 4_096


class OutsideColumns(DocumentColumns):
    """Documents by their numbers in the store, which ascend in order of arrival.

    The products of neighbours' vectors are computed once, from vectors that pass by: after adding,
    fetch those that `wanted` names and hand them to `settle`.
    """

    def _make_columns(self) -> None:
        super()._make_columns()
        self._unsettled: list[Numbers] = []
        self._passing: list[NumberedVectors] = []

    @property
    def is_settled(self) -> bool:
        """Whether all products of neighbours' vectors are known."""
        return not self._unsettled

    def add_columns(self, batch: DocumentBatch) -> None:
        """Add documents that have numbers; their words, tokens and vectors are not kept."""
        nothing = [b""] * len(batch.keys)
        if self.linked and batch.vectors is not None:
            numbers = np.asarray(batch.numbers, np.int64)
            self._passing.append((batch.embedder, numbers, batch.vectors))
        super().add_columns(replace(batch, terms=nothing, tokens=nothing, vectors=None))

    def wanted(self) -> Numbers:
        """Return the numbers of documents whose vectors `settle` needs and has not seen."""
        rows = self._unsettled_rows()
        around = np.concatenate([rows, self.links.previous[rows], self.links.following[rows]])
        numbers: Numbers = self.numbers.view[np.unique(around[around >= 0])]
        for _, passing, _ in self._passing:
            numbers = np.setdiff1d(numbers, passing, assume_unique=True)
        return numbers

    def settle(self, vectors: Sequence[NumberedVectors]) -> None:
        """Compute the products of neighbours' vectors that are not known yet.

        Args:
            vectors: Of the documents that `wanted` named; those that have none are left out.
        """
        rows = self._unsettled_rows()
        previous = self.links.previous[rows].astype(np.int64)
        following = self.links.following[rows].astype(np.int64)
        previous_dot, skip_dot = np.zeros((2, len(rows)), np.float32)
        for numbers, table in _tables([*self._passing, *vectors]):
            places = np.append(self._places(numbers), -1)
            previous_dot += _dots(table, places[rows], places[previous])
            skip_dot += _dots(table, places[previous], places[following])
        self.previous_dot.view[rows] = previous_dot
        self.skip_dot.view[rows] = skip_dot
        self._unsettled, self._passing = [], []

    def legs(
        self,
        terms: Sequence[int],
        worded: tuple[Numbers, Sequence[bytes]],
        near: tuple[Numbers, Floats],
    ) -> Legs:
        """Return what the store found as rows of these columns.

        Args:
            terms: Stem hashes of the query, distinct.
            worded: Numbers of documents with any of the terms, once each; their term blobs.
            near: Numbers of documents with comparable vectors, once each; their cosines.
        """
        worded_rows, known = self._rows(worded[0])
        hashes, counts, sizes = unpack_many_terms(worded[1])
        owners = np.repeat(worded_rows, sizes)
        living = np.repeat(known, sizes)
        found = []
        for term in terms:
            chosen = np.flatnonzero((hashes == np.uint32(term)) & living)
            found.append((owners[chosen], counts[chosen].astype(np.float32)))
        similarity = np.zeros(self.row_count, np.float32)
        has_vector = np.zeros(self.row_count, np.bool_)
        near_rows, known = self._rows(near[0])
        similarity[near_rows[known]] = near[1][known]
        has_vector[near_rows[known]] = True
        has_vector &= self.alive.view
        similarity *= has_vector
        return Legs(found, similarity, has_vector)

    def candidates(self, query: CandidateQuery, legs: Legs) -> tuple[Candidates, Numbers]:
        """Return what may answer a query, without tokens, and the documents' numbers."""
        found, rows = search_with(self, query, legs)
        return found, self.numbers.view[rows]

    def _update_dots(self, rows: Numbers) -> None:
        before = self.links.previous[rows]
        changed = np.union1d(rows, before[before >= 0])
        self._unsettled.append(self.numbers.view[changed].copy())

    def _unsettled_rows(self) -> Numbers:
        numbers = np.unique(np.concatenate([np.empty(0, np.int64), *self._unsettled]))
        rows, known = self._rows(numbers)
        return rows[known]

    def _rows(self, numbers: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the row of each number, and which numbers have one."""
        held = self.numbers.view
        rows = np.searchsorted(held, numbers)
        known = rows < len(held)
        rows[~known] = 0
        if len(held):
            known &= held[rows] == numbers
        return rows, known

    def _places(self, numbers: Numbers) -> Numbers:
        """Return for each row its place among ascending numbers, -1 if it is not there."""
        rows, known = self._rows(numbers)
        places = np.full(self.row_count, -1, np.int64)
        places[rows[known]] = np.flatnonzero(known)
        return places


def _tables(vectors: Sequence[NumberedVectors]) -> list[tuple[Numbers, Floats]]:
    """Return one table for each embedder and width."""
    parts: dict[tuple[str, int], list[tuple[Numbers, Floats]]] = {}
    for embedder, numbers, rows in vectors:
        parts.setdefault((embedder, rows.shape[1]), []).append((numbers, rows))
    return [
        (np.concatenate([one for one, _ in held]), np.concatenate([one for _, one in held]))
        for held in parts.values()
    ]


def _dots(table: Floats, left: Numbers, right: Numbers) -> Floats:
    """Return products of pairs of a table's rows; 0 where a place is -1."""
    products = np.zeros(len(left), np.float32)
    both = np.flatnonzero((left >= 0) & (right >= 0))
    for begin in range(0, len(both), _CHUNK):
        part = both[begin : begin + _CHUNK]
        products[part] = np.vecdot(table[left[part]], table[right[part]])
    return products
