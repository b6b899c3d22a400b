"""Index documents of one scope and collection as numpy columns: adding and removing.

Does not search: see `daybook.recall.search.scope_columns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.errors import UnsupportedError
from daybook.model.index_document import IndexDocument
from daybook.recall.columns.blob_column import BlobColumn
from daybook.recall.columns.code_space import CodeSpace
from daybook.recall.columns.distinct import distinct
from daybook.recall.columns.document_batch import DocumentBatch, batches
from daybook.recall.columns.growing_array import GrowingArray
from daybook.recall.columns.names import Names
from daybook.recall.columns.narrow_array import NarrowArray
from daybook.recall.columns.packed_keys import PackedKeys
from daybook.recall.columns.postings import MOST_ROWS, Postings
from daybook.recall.columns.scratch import Scratch
from daybook.recall.columns.term_blobs import unpack_many_terms
from daybook.recall.columns.turn_links import TurnLinks
from daybook.recall.columns.vector_space import VectorSpace

__all__ = ["DocumentColumns"]

# Dead rows cost time in every search; removing them rewrites everything.
_FEWEST_DEAD = 1_024
_DEAD_SHARE = 0.25
_TOKEN_BITS = 16
_MOST_SPEAKERS = 1_000
_FEW_OWNERS = 1 << 16
_OF_TOKENS = ("tokens", "token_ends")

Rows = NDArray[np.int64]
Numbers = NDArray[np.int64]


class DocumentColumns:
    """Documents in order of arrival. Rows are numbered from 0; replaced ones stay dead a while."""

    def __init__(self, *, linked: bool = True) -> None:
        """Start empty.

        Args:
            linked: Whether documents of a group follow one another (turns do, records do not).
        """
        self.linked = linked
        self.group_names = Names()
        self.speaker_names = Names()
        self.postings = Postings()
        self.spaces: dict[str, VectorSpace | CodeSpace] = {}
        self.scratch = Scratch()
        self.length_sum = 0.0
        self._dead = 0
        self._make_columns()

    def _make_columns(self) -> None:
        self.keys: GrowingArray[np.object_] | PackedKeys = GrowingArray(np.object_)
        # Half of each number: rows that only seem to be the same are told apart by their keys.
        self._identities: GrowingArray[np.int32] = GrowingArray(np.int32)
        self.groups: GrowingArray[np.int32] = GrowingArray(np.int32)
        self.positions = NarrowArray()
        self.created_at: GrowingArray[np.int64] = GrowingArray(np.int64)
        self.roles: GrowingArray[np.int8] = GrowingArray(np.int8)
        self.speaker_numbers = NarrowArray()
        self.traits = NarrowArray()
        self.lengths = NarrowArray()
        self.alive: GrowingArray[np.bool_] = GrowingArray(np.bool_)
        self.tokens: GrowingArray[np.uint16] = GrowingArray(np.uint16)
        self.token_ends = NarrowArray()
        self.previous_dot: GrowingArray[np.floating[Any]] = GrowingArray(np.float32)
        self.skip_dot: GrowingArray[np.floating[Any]] = GrowingArray(np.float32)
        # Less that of the first document, which may be as large as a store has documents.
        self._numbers = NarrowArray()
        self._first_number = 0
        self.links = TurnLinks()

    def __len__(self) -> int:
        """Return how many living documents there are."""
        return len(self.keys) - self._dead

    @property
    def row_count(self) -> int:
        """Rows, dead ones included."""
        return len(self.keys)

    @property
    def has_dead_rows(self) -> bool:
        """Whether some rows were removed or replaced."""
        return self._dead > 0

    @property
    def memory_bytes(self) -> int:
        """Bytes of the columns, without the key strings."""
        counted = (GrowingArray, PackedKeys, Scratch)
        columns = sum(one.nbytes for one in vars(self).values() if isinstance(one, counted))
        spaces = sum(space.nbytes for space in self.spaces.values())
        return columns + spaces + self.postings.nbytes + self.links.nbytes

    @property
    def speakers(self) -> list[str]:
        """Names of those who ever spoke, first come first, a thousand at most."""
        return [name for name in self.speaker_names.listed if name][:_MOST_SPEAKERS]

    def add(self, documents: Sequence[IndexDocument]) -> None:
        """Add documents; one whose group holds its key already replaces that one.

        Args:
            documents: In any order; ascending position within a group is fastest.

        Raises:
            UnsupportedError: More than 16.7 million rows.
        """
        for batch in batches(documents):
            self.add_columns(batch)

    def add_columns(self, batch: DocumentBatch) -> None:
        """Add documents that are columns already, as `add` does.

        Cost: about 6 µs a document in large batches (15 terms, 256 numbers).

        Raises:
            UnsupportedError: More than 16.7 million rows.
        """
        count = len(batch.keys)
        if not count:
            return
        first = self.row_count
        if first + count > MOST_ROWS:
            raise UnsupportedError(f"a scope holds at most {MOST_ROWS} documents in memory")
        identities = _identities(batch.groups, batch.keys)
        groups = self.group_names.numbers(batch.groups)
        positions = np.asarray(batch.positions, np.int64)
        replaced = self._replaced(identities, groups, positions, batch.keys)
        self._extend(batch, identities, groups, positions)
        self._add_terms(first, batch.terms)
        self._add_vectors(first, batch)
        stale = np.concatenate([replaced, first + _superseded(batch, identities)])
        self._kill(stale)
        if self.linked:
            self._link(first, stale)
        self._compact_if_wasteful()

    def remove(
        self, group: str, *, keys: Sequence[str] | None = None, before: int | None = None
    ) -> int:
        """Remove a group's documents, or only those of `keys`, or at positions below `before`.

        Returns:
            How many were removed.
        """
        number = self.group_names.number(group)
        chosen = (self.groups.view == number) & self.alive.view
        if before is not None:
            chosen &= self.positions.view < before
        rows = np.flatnonzero(chosen)
        if keys is not None:
            wanted = set(keys)
            held = self.keys.take(rows)
            rows = rows[np.fromiter((key in wanted for key in held), np.bool_, len(held))]
        self._remove(rows)
        return len(rows)

    def retain(self, numbers: Numbers, *, up_to: int | None = None) -> int:
        """Remove the documents whose numbers are not among these; return how many.

        Args:
            numbers: Of the documents the store still has, ascending.
            up_to: Documents with greater numbers stay, whatever `numbers` says.

        Cost: about 20 ms for a million rows, besides those that go.
        """
        held = self._first_number + self._numbers.view.astype(np.int64)
        places = np.searchsorted(numbers, held)
        places[places == len(numbers)] = 0
        kept = numbers[places] == held if len(numbers) else np.zeros(len(held), np.bool_)
        if up_to is not None:
            kept |= held > up_to
        rows = np.flatnonzero(self.alive.view & ~kept)
        self._remove(rows)
        return len(rows)

    def _remove(self, rows: Rows) -> None:
        groups = np.unique(self.groups.view[rows]).astype(np.int64)
        self._kill(rows)
        if self.linked and len(rows):
            self.links.detach(rows)
            self.links.forget(groups)
            self._relink(groups)
        self._compact_if_wasteful()

    def _extend(
        self,
        batch: DocumentBatch,
        identities: NDArray[np.int64],
        groups: NDArray[np.int32],
        positions: NDArray[np.int64],
    ) -> None:
        count = len(batch.keys)
        keys = np.empty(count, np.object_)
        keys[:] = batch.keys
        self.keys.extend(keys)
        self._identities.extend(identities.astype(np.int32))
        self.groups.extend(groups)
        self.positions.extend(positions)
        self.created_at.extend(batch.created_at)
        self.roles.extend(batch.roles)
        self.speaker_numbers.extend(self.speaker_names.numbers(batch.speakers))
        self.traits.extend(batch.traits)
        self.lengths.extend(batch.lengths)
        self.length_sum += float(self.lengths.view[-count:].sum(dtype=np.float64))
        self.alive.extend(np.ones(count, np.bool_))
        base = len(self.tokens)
        tokens, sizes = _distinct_tokens(BlobColumn.of(batch.tokens))
        self.tokens.extend(tokens)
        self.token_ends.extend(base + np.cumsum(sizes))
        self.previous_dot.extend(np.zeros(count, np.float32))
        self.skip_dot.extend(np.zeros(count, np.float32))
        self._add_numbers(batch)
        self.links.grow(self.row_count, len(self.group_names))

    def _add_numbers(self, batch: DocumentBatch) -> None:
        if batch.numbers is None:
            self._numbers.extend(np.zeros(len(batch.keys), np.int64))
            return
        if not len(self._numbers):
            self._first_number = int(batch.numbers[0])
        self._numbers.extend(np.asarray(batch.numbers, np.int64) - self._first_number)

    def _add_terms(self, first: int, terms: BlobColumn | Sequence[bytes]) -> None:
        hashes, counts, sizes = unpack_many_terms(terms)
        self.postings.add(hashes, np.repeat(np.arange(first, first + len(sizes)), sizes), counts)

    def _add_vectors(self, first: int, batch: DocumentBatch) -> None:
        if batch.vectors is None:
            return
        space = self.spaces.get(batch.embedder)
        if space is None or space.width != batch.vectors.shape[1]:
            space = self.spaces[batch.embedder] = self._new_space(batch.vectors, first)
        space.extend(first, batch.vectors)

    def _new_space(self, vectors: NDArray[np.float32], first: int) -> VectorSpace | CodeSpace:
        return VectorSpace(vectors.shape[1], first)

    def _replaced(
        self,
        identities: NDArray[np.int64],
        groups: NDArray[np.int32],
        positions: NDArray[np.int64],
        keys: Sequence[str],
    ) -> Rows:
        """Return living rows that hold the group and key of a document about to be added."""
        suspects = np.arange(len(keys))
        if self.linked:
            # A position beyond the group's last cannot be there already.
            suspects = suspects[positions <= self._last_positions(groups)]
        if not len(suspects) or not self.row_count:
            return np.empty(0, np.int64)
        wanted = identities[suspects].astype(np.int32)
        same = np.isin(self._identities.view, wanted) & self.alive.view
        rows = np.flatnonzero(same)
        coming = {(int(groups[i]), keys[i]) for i in suspects.tolist()}
        held = zip(self.groups.view[rows].tolist(), self.keys.take(rows), strict=True)
        return rows[np.fromiter((one in coming for one in held), np.bool_, len(rows))]

    def _last_positions(self, groups: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the last position of each group; below every position for a new group."""
        lowest = np.int64(np.iinfo(np.int64).min)
        last = np.append(self.links.last_row, np.full(len(self.group_names), -1, np.int32))[groups]
        if not self.row_count:
            return np.full(len(groups), lowest)
        return np.where(last >= 0, self.positions.view[last], lowest)

    def _kill(self, rows: Rows) -> None:
        self.alive.view[rows] = False
        self._dead += len(rows)
        self.length_sum -= float(self.lengths.view[rows].sum(dtype=np.float64))

    def _link(self, first: int, stale: Rows) -> None:
        """Link the rows from `first` on; link anew the groups of late or stale rows."""
        late = self.links.append(first, self.groups.view, self.positions.view)
        disturbed = np.union1d(late, self.groups.view[stale])
        if len(disturbed):
            self.links.detach(stale)
            self._relink(disturbed)
        self._update_dots(np.arange(first, self.row_count))

    def _relink(self, groups: NDArray[np.int64]) -> None:
        rows = np.flatnonzero(np.isin(self.groups.view, groups) & self.alive.view)
        self.links.relink(rows, self.groups.view, self.positions.view)
        self._update_dots(rows)

    def _update_dots(self, rows: Rows) -> None:
        before = self.links.previous[rows]
        rows = distinct(np.concatenate([rows, before[before >= 0]]))
        previous = self.links.previous[rows].astype(np.int64)
        following = self.links.following[rows].astype(np.int64)
        pairs = [
            (space.dots(rows, previous), space.dots(previous, following))
            for space in self.spaces.values()
        ]
        if pairs:
            # A document has a vector in one space only; in the others the product is 0.
            self.previous_dot.view[rows] = sum(pair[0] for pair in pairs)
            self.skip_dot.view[rows] = sum(pair[1] for pair in pairs)

    def _compact_if_wasteful(self) -> None:
        if self._dead < _FEWEST_DEAD or self._dead < _DEAD_SHARE * self.row_count:
            return
        rows = np.flatnonzero(self.alive.view)
        new_rows = np.full(self.row_count, -1, np.int64)
        new_rows[rows] = np.arange(len(rows))
        self.postings.renumber(new_rows)
        self.spaces = {name: space.kept(rows) for name, space in self.spaces.items()}
        self._compact_tokens(rows)
        for name, column in vars(self).items():
            if isinstance(column, GrowingArray | PackedKeys) and name not in _OF_TOKENS:
                column.keep(rows)
        self._dead = 0
        self.links = TurnLinks()
        self.links.grow(self.row_count, len(self.group_names))
        if self.linked and self.row_count:
            self.links.append(0, self.groups.view, self.positions.view)

    def _compact_tokens(self, rows: Rows) -> None:
        ends = self.token_ends.view
        sizes = np.diff(ends, prepend=0)
        kept = np.zeros(self.row_count, np.bool_)
        kept[rows] = True
        tokens = self.tokens.view[np.repeat(kept, sizes)]
        self.tokens = GrowingArray(np.uint16)
        self.tokens.extend(tokens)
        self.token_ends = NarrowArray()
        self.token_ends.extend(np.cumsum(sizes[rows]))


def _identities(groups: Sequence[str], keys: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each document that equal (group, key) pairs share."""
    return np.fromiter(map(hash, zip(groups, keys, strict=True)), np.int64, len(keys))


def _distinct_tokens(blobs: BlobColumn) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Return each document's distinct token ids, one after the other, and how many each has.

    Late interaction asks only which tokens a document has, and long ones repeat many.
    """
    sizes = blobs.sizes // 2
    # In a batch, number and token fit 32 bits; they are put in order twice as fast as 64.
    width: type[np.unsignedinteger[Any]] = np.uint32 if len(blobs) <= _FEW_OWNERS else np.uint64
    packed: NDArray[Any] = np.repeat(np.arange(len(blobs)).astype(width), sizes)
    packed <<= width(_TOKEN_BITS)
    packed |= np.frombuffer(blobs.joined, "<u2")
    packed = distinct(packed)
    kept = np.bincount((packed >> width(_TOKEN_BITS)).astype(np.int64), minlength=len(blobs))
    return packed.astype(np.uint16), kept


def _superseded(batch: DocumentBatch, identities: NDArray[np.int64]) -> Rows:
    """Return the places in a batch whose group and key come again later in it."""
    if len(distinct(identities)) == len(identities):
        return np.empty(0, np.int64)
    last = {pair: i for i, pair in enumerate(zip(batch.groups, batch.keys, strict=True))}
    return np.setdiff1d(np.arange(len(batch.keys)), np.fromiter(last.values(), np.int64))
