"""Documents, a token table and a reading of candidates, for the tests of recall."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.index_document import IndexDocument
from daybook.recall.text.analysis import Analyzer

ANALYZER = Analyzer()
WIDTH = 16
MAKER = "made-16"


def vector_of(text: str) -> NDArray[np.float32]:
    """Return a unit vector that depends on the text's words only."""
    total = np.zeros(WIDTH, np.float32)
    for word in text.lower().split():
        total += _word_vector(word)
    length = float(np.linalg.norm(total))
    unit: NDArray[np.float32] = total / np.float32(length) if length else total
    return unit


@cache
def _word_vector(word: str) -> NDArray[np.float32]:
    return np.random.default_rng(crc32(word.encode())).normal(size=WIDTH).astype(np.float32)


class MadeTokens:
    """A token table of hashed words."""

    id = "made-tokens"

    def token_ids(self, text: str) -> NDArray[np.uint16]:
        return np.array([crc32(word.encode()) % 500 for word in text.lower().split()], np.uint16)

    def encode_ids(self, ids: Sequence[NDArray[np.uint16]]) -> NDArray[np.float32]:
        sums: NDArray[np.float32] = np.stack([self.token_vectors(one).sum(axis=0) for one in ids])
        return sums

    def token_vectors(self, ids: NDArray[np.uint16]) -> NDArray[np.float32]:
        rows = np.array(
            [np.random.default_rng(int(one)).normal(size=8) for one in ids], np.float32
        ).reshape(-1, 8)
        unit: NDArray[np.float32] = rows / np.maximum(
            np.linalg.norm(rows, axis=1, keepdims=True), 1e-9
        )
        return unit

    def token_weights(self, ids: NDArray[np.uint16]) -> NDArray[np.float32]:
        return (ids % 7 / 7).astype(np.float32)


TOKENS = MadeTokens()


def document(key: str, text: str, **fields: Any) -> IndexDocument:
    """Return a document of session "s" and embedder `MAKER`, unless `fields` say otherwise."""
    analysis = ANALYZER.analyse(text)
    vector = vector_of(text)
    parts: dict[str, Any] = {
        "group": "s",
        "position": 1,
        "created_at": 0,
        "role": 1,
        "speaker": "",
        "traits": analysis.traits,
        "length": analysis.length,
        "terms": analysis.terms,
        "tokens": TOKENS.token_ids(text).tobytes(),
        "vector": vector if vector.any() else None,
        "embedder": MAKER if vector.any() else "",
    }
    return IndexDocument(key=key, **parts | fields)


def question(text: str, **fields: Any) -> CandidateQuery:
    """Return what an index is asked for `text`."""
    terms = tuple(ANALYZER.stems(text))
    parts: dict[str, Any] = {
        "terms": terms,
        "full_terms": terms,
        "vector": vector_of(text),
        "embedder": MAKER,
    }
    return CandidateQuery(**parts | fields)


def reading(found: Candidates) -> dict[tuple[str, str], dict[str, Any]]:
    """Return candidates by group and key, with neighbours named instead of numbered."""
    names = [
        (found.group_names[group], str(key))
        for group, key in zip(found.groups.tolist(), found.keys, strict=True)
    ]

    def name(row: int) -> tuple[str, str] | None:
        return None if row < 0 else names[row]

    return {
        names[row]: {
            "position": int(found.positions[row]),
            "created_at": int(found.created_at[row]),
            "role": int(found.roles[row]),
            "speaker": found.speaker_names[found.speakers[row]],
            "traits": int(found.traits[row]),
            "length": float(found.lengths[row]),
            "previous": name(int(found.previous[row])),
            "following": name(int(found.following[row])),
            "eligible": bool(found.eligible[row]),
            "counts": found.term_counts[:, row].tolist(),
            "similarity": float(found.similarity[row]),
            "has_vector": bool(found.has_vector[row]),
            "previous_dot": float(found.previous_dot[row]),
            "skip_dot": float(found.skip_dot[row]),
            "session_lexical": float(found.session_lexical[row]),
            "session_similarity": float(found.session_similarity[row]),
            "tokens": sorted(
                found.token_ids[found.token_starts[row] : found.token_ends[row]].tolist()
            ),
        }
        for row in range(len(names))
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the fields of two candidates that differ; sums in another order are no difference."""
    return [
        field
        for field, value in one.items()
        if other[field] != (pytest.approx(value, abs=1e-4) if isinstance(value, float) else value)
    ]


def statistics(found: Candidates) -> tuple[int, float, list[float]]:
    """Return what a scope's statistics say: documents, mean length, document frequencies."""
    return (
        found.document_count,
        round(found.mean_length, 4),
        found.document_frequency.tolist(),
    )
