"""Rows of a table of index documents as batches of columns: the same for every database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from daybook.recall.document_batch import DocumentBatch
from daybook.recall.vector_blobs import unpack_vectors

__all__ = ["document_batches"]

N = TypeVar("N")
_EMBEDDER = 9


def document_batches(
    rows: Sequence[tuple[Any, ...]],
    *,
    groups: Mapping[int, str],
    embedders: Mapping[int, str],
    key_of: Callable[[N], str],
    speakers: Mapping[Any, str] | None = None,
) -> Iterator[DocumentBatch]:
    """Yield rows in order, cut where the embedder changes.

    Args:
        rows: Each the document's number, group, position, key as stored, created_at, role,
            speaker, traits, length, embedder, terms, tokens, vector.
        groups: Names of groups by the number in the row.
        embedders: Names of embedders by the number in the row.
        key_of: Reads a key as stored.
        speakers: Names of speakers by what is in the row; None if that is the name.
    """
    for embedder, run in groupby(rows, key=_embedder_of):
        columns = list(zip(*run, strict=True))
        vectors = unpack_vectors(columns[12])
        yield DocumentBatch(
            keys=list(map(key_of, columns[3])),
            groups=[groups[group] for group in columns[1]],
            positions=columns[2],
            created_at=columns[4],
            roles=columns[5],
            speakers=columns[6] if speakers is None else [speakers[one] for one in columns[6]],
            traits=columns[7],
            lengths=columns[8],
            terms=columns[10],
            tokens=columns[11],
            vectors=vectors,
            embedder=embedders[embedder] if vectors is not None else "",
            numbers=columns[0],
        )


def _embedder_of(row: tuple[Any, ...]) -> int:
    number: int = row[_EMBEDDER]
    return number
