"""Some rows of a table of index documents, read as columns: the same for every database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from daybook.errors import CorruptRecordError
from daybook.recall.columns.blob_column import BlobColumn
from daybook.recall.columns.document_batch import DocumentBatch
from daybook.recall.columns.vector_blobs import unpack_vectors

__all__ = ["DocumentChunk"]

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DocumentChunk:
    """Columns of documents in ascending order of their numbers; all are parallel.

    Attributes:
        numbers: The documents' numbers in their store.
        groups: Numbers of their groups.
        embedders: Numbers of their embedders.
        keys: Their keys.
        speakers: Names in UTF-8.
    """

    numbers: Numbers
    groups: Numbers
    positions: Numbers
    created_at: Numbers
    roles: Numbers
    traits: Numbers
    lengths: Numbers
    embedders: Numbers
    keys: list[str]
    speakers: BlobColumn
    terms: BlobColumn
    tokens: BlobColumn
    vectors: BlobColumn

    @classmethod
    def of(
        cls, numbers: Sequence[Numbers], keys: list[str], blobs: Sequence[BlobColumn]
    ) -> DocumentChunk:
        """Return a chunk of its eight columns of numbers, its keys and its four of bytes."""
        own, groups, positions, created_at, roles, traits, lengths, embedders = numbers
        speakers, terms, tokens, vectors = blobs
        return cls(own, groups, positions, created_at, roles, traits, lengths, embedders, keys,
                   speakers, terms, tokens, vectors)  # fmt: skip

    def check(self, engine: str) -> None:
        """Raise unless all columns are of one length and their bytes are there.

        Raises:
            CorruptRecordError: They do not fit together.
        """
        blobs = (self.speakers, self.terms, self.tokens, self.vectors)
        numbers = (self.groups, self.positions, self.created_at, self.roles, self.traits,
                   self.lengths, self.embedders, self.keys)  # fmt: skip
        whole = all(len(one.joined) == one.sizes.sum() for one in blobs)
        if not whole or any(len(one) != len(self.numbers) for one in (*blobs, *numbers)):
            raise CorruptRecordError(
                "the search index's columns do not fit together: rebuild it with `daybook reindex`",
                engine=engine,
                operation="search",
            )

    def batches(
        self, groups: Mapping[int, str], embedders: Mapping[int, str], *, after: int = -1
    ) -> Iterator[DocumentBatch]:
        """Yield the documents in order, cut where the embedder changes.

        Args:
            groups: Names of groups by number.
            embedders: Names of embedders by number.
            after: Only documents with greater numbers.
        """
        first = int(np.searchsorted(self.numbers, after, side="right"))
        changes = np.flatnonzero(np.diff(self.embedders)) + 1
        bounds = [first, *changes[changes > first].tolist(), len(self.numbers)]
        for begin, end in pairwise(bounds):
            if begin < end:
                yield self._batch(begin, end, groups, embedders)

    def _batch(
        self, begin: int, end: int, groups: Mapping[int, str], embedders: Mapping[int, str]
    ) -> DocumentBatch:
        part = slice(begin, end)
        vectors = unpack_vectors(self.vectors.part(begin, end))
        speakers = self.speakers.part(begin, end).listed()
        names = {one: one.decode("utf-8", "surrogatepass") for one in set(speakers)}
        return DocumentBatch(
            keys=self.keys[part],
            groups=[groups[group] for group in self.groups[part].tolist()],
            positions=self.positions[part],
            created_at=self.created_at[part],
            roles=self.roles[part].astype(np.int8),
            speakers=[names[one] for one in speakers],
            traits=self.traits[part].astype(np.int32),
            lengths=self.lengths[part].astype(np.float32),
            terms=self.terms.part(begin, end),
            tokens=self.tokens.part(begin, end),
            vectors=vectors,
            embedder=embedders[int(self.embedders[begin])] if vectors is not None else "",
            numbers=self.numbers[part],
        )
