"""Many index documents as columns: how documents reach `ScopeColumns` quickly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybook.model.index_document import IndexDocument
from daybook.recall.columns.blob_column import BlobColumn

__all__ = ["DocumentBatch", "batches"]


@dataclass(frozen=True, slots=True, eq=False)
class DocumentBatch:
    """Documents whose vectors, if any, come from one embedder. All columns are parallel.

    Attributes:
        keys: Unique in their group.
        groups: Session, or encoded namespace.
        positions: Sequence numbers.
        created_at: Microseconds since 1970.
        roles: Role numbers.
        speakers: Names; empty for none.
        traits: Bit flags.
        lengths: Words.
        terms: As `IndexDocument.terms`.
        tokens: As `IndexDocument.tokens`.
        vectors: Shape (n, d), zero rows for documents without; None if none has a vector.
        embedder: Id of the embedder that made `vectors`.
        numbers: The documents' numbers in their store, ascending; None where nobody asks.
    """

    keys: Sequence[str]
    groups: Sequence[str]
    positions: Sequence[int] | NDArray[np.int64]
    created_at: Sequence[int] | NDArray[np.int64]
    roles: Sequence[int] | NDArray[np.int8]
    speakers: Sequence[str]
    traits: Sequence[int] | NDArray[np.int32]
    lengths: Sequence[int] | NDArray[np.float32]
    terms: BlobColumn | Sequence[bytes]
    tokens: BlobColumn | Sequence[bytes]
    vectors: NDArray[np.float32] | None = None
    embedder: str = ""
    numbers: Sequence[int] | NDArray[np.int64] | None = None


def batches(documents: Sequence[IndexDocument]) -> Iterator[DocumentBatch]:
    """Yield the documents in order, cut where the embedder or the vectors' width changes."""
    begin = 0
    maker: tuple[str, int] | None = None
    for i, document in enumerate(documents):
        if document.vector is None:
            continue
        this = (document.embedder, len(document.vector))
        if maker not in (None, this):
            yield _batch(documents[begin:i], maker)
            begin = i
        maker = this
    if documents:
        yield _batch(documents[begin:], maker)


def _batch(documents: Sequence[IndexDocument], maker: tuple[str, int] | None) -> DocumentBatch:
    vectors = None
    if maker is not None:
        vectors = np.zeros((len(documents), maker[1]), np.float32)
        for row, document in zip(vectors, documents, strict=True):
            if document.vector is not None:
                row[:] = document.vector
    return DocumentBatch(
        keys=[document.key for document in documents],
        groups=[document.group for document in documents],
        positions=[document.position for document in documents],
        created_at=[document.created_at for document in documents],
        roles=[document.role for document in documents],
        speakers=[document.speaker for document in documents],
        traits=[document.traits for document in documents],
        lengths=[document.length for document in documents],
        terms=[document.terms for document in documents],
        tokens=[document.tokens for document in documents],
        vectors=vectors,
        embedder=maker[0] if maker else "",
    )
