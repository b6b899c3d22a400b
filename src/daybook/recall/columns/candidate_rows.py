"""Chosen rows of a scope's columns as the `Candidates` that a ranker takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import Candidates
from daybook.recall.columns.document_columns import DocumentColumns

__all__ = ["ChosenRows", "Found", "RowScores", "Words", "gather"]

# Looking for each row in a list of so many times more is faster than going through the list.
_MANY_MORE = 8

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Found = list[tuple[NDArray[np.int32], NDArray[np.uint8]]]


@dataclass(frozen=True, slots=True, eq=False)
class ChosenRows:
    """The rows to hand over, ascending, with what each is there for; as in `Candidates`."""

    rows: Rows
    eligible: NDArray[np.bool_]
    weight: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RowScores:
    """What is known of each row handed over, as in `Candidates`."""

    keys: NDArray[np.object_]
    similarity: Floats
    has_vector: NDArray[np.bool_]
    session_lexical: Floats
    session_similarity: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """What a scope says of a query's words.

    Attributes:
        found: Living rows, ascending, and counts for each of the query's `full_terms`.
        frequency: How many rows each has.
        mean_length: Mean words of the scope's documents.
    """

    found: Found
    frequency: Floats
    mean_length: float


def gather(
    scope: DocumentColumns, chosen: ChosenRows, scores: RowScores, words: Words
) -> Candidates:
    """Return the columns of the chosen rows."""
    rows = chosen.rows
    # Rows count from 1 on here; 0 is one that is not handed over, and so is row -1, none.
    # No cosine is asked for after this: the same memory serves.
    place = scope.scratch.zeros("cosines", scope.row_count + 1, np.int32)
    place[rows] = np.arange(1, len(rows) + 1, dtype=np.int32)
    ends = scope.token_ends.view
    return Candidates(
        keys=scores.keys,
        groups=scope.groups.view[rows],
        group_names=scope.group_names.listed,
        positions=scope.positions.view[rows].astype(np.int64),
        created_at=scope.created_at.view[rows],
        roles=scope.roles.view[rows],
        speakers=scope.speaker_numbers.view[rows].astype(np.int32),
        speaker_names=scope.speaker_names.listed,
        traits=scope.traits.view[rows].astype(np.int32),
        lengths=scope.lengths.view[rows].astype(np.float32),
        previous=place[scope.links.previous[rows]] - np.int32(1),
        following=place[scope.links.following[rows]] - np.int32(1),
        eligible=chosen.eligible,
        weight=chosen.weight,
        term_counts=_term_counts(words.found, rows, place),
        document_frequency=words.frequency,
        document_count=len(scope),
        mean_length=words.mean_length,
        similarity=scores.similarity,
        has_vector=scores.has_vector,
        previous_dot=scope.previous_dot.view[rows].astype(np.float32),
        skip_dot=scope.skip_dot.view[rows].astype(np.float32),
        session_lexical=scores.session_lexical,
        session_similarity=scores.session_similarity,
        token_ids=scope.tokens.view,
        token_starts=np.where(rows > 0, ends[rows - 1], 0).astype(np.int64),
        token_ends=ends[rows].astype(np.int64),
    )


def _term_counts(found: Found, rows: Rows, place: NDArray[np.int32]) -> Floats:
    """Return occurrences of each term in the rows handed over, shape (terms, rows)."""
    counts = np.zeros((len(found), len(rows) + 1), np.float32)
    wanted = rows.astype(np.int32)
    for line, (holders, occurrences) in zip(counts, found, strict=True):
        if len(holders) > _MANY_MORE * len(rows):
            at = np.searchsorted(holders, wanted)
            at[at == len(holders)] = 0
            line[1:] = np.where(holders[at] == wanted, occurrences[at], np.float32(0))
        else:
            line[place[holders]] = occurrences
    return counts[:, 1:]
