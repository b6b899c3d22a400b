"""Small index documents and queries for contracts: words and vectors written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.index_document import IndexDocument
from daybook.recall.columns.term_blobs import pack_terms

__all__ = ["document", "eligible_keys", "query", "row_of", "unit"]

WIDTH = 8


def unit(direction: int) -> NDArray[np.float32]:
    """Return one of `WIDTH` vectors at right angles."""
    vector = np.zeros(WIDTH, np.float32)
    vector[direction % WIDTH] = 1
    return vector


def document(
    key: str,
    words: str = "",
    *,
    group: str = "s",
    position: int = 1,
    at: int = 0,
    vector: NDArray[np.float32] | None = None,
    embedder: str = "e",
    speaker: str = "user",
) -> IndexDocument:
    """Make a document of some words; with no words, of its key."""
    counts = Counter(_stem(word) for word in (words or key).split())
    return IndexDocument(
        key=key,
        group=group,
        position=position,
        created_at=at,
        role=1,
        speaker=speaker,
        traits=3,
        length=counts.total(),
        terms=pack_terms(dict(counts)),
        tokens=np.arange(position % 7, dtype="<u2").tobytes(),
        vector=vector,
        embedder=embedder,
    )


def query(
    words: str = "",
    *,
    vector: NDArray[np.float32] | None = None,
    embedder: str = "e",
    groups: Sequence[str] | None = None,
    **rest: Any,
) -> CandidateQuery:
    """Ask for some words, a vector, or both."""
    terms = tuple(dict.fromkeys(_stem(word) for word in words.split()))
    return CandidateQuery(
        terms=terms,
        full_terms=terms,
        vector=vector,
        embedder=embedder,
        groups=None if groups is None else frozenset(groups),
        **rest,
    )


def eligible_keys(found: Candidates) -> set[str]:
    """Return the keys that may be answered with."""
    return set(found.keys[found.eligible])


def row_of(found: Candidates, key: str) -> int:
    """Return the only row of a key."""
    [row] = [index for index, one in enumerate(found.keys) if one == key]
    return row


def _stem(word: str) -> int:
    return crc32(word.encode())
