"""Which of very many rows are worth ranking: a coarse score from what every row has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CoarseColumns", "coarse_score", "cut"]

_PREVIOUS_SHARE = 0.6
_LEXICAL_CONTEXT = 0.5
_SIMILARITY_WEIGHT = 1.5
# What the fitted weights of date and speaker are worth beside those of the two legs.
_NEAR_BONUS = 4.0
_SPEAKER_BONUS = 2.0
_OF_EACH_LEG = 48

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class CoarseColumns:
    """What every row of a scope has, as in `Candidates`; `lexical` is BM25."""

    lexical: Floats
    similarity: Floats
    previous: NDArray[np.int32]
    previous_dot: Floats
    created_at: NDArray[np.int64]
    speakers: NDArray[np.int32]


def coarse_score(
    columns: CoarseColumns, *, near: tuple[tuple[int, int], ...], speaker: int
) -> Floats:
    """Return a score for every row: both legs with the turn before, date and speaker.

    Args:
        columns: All rows of a scope.
        near: The spans the query names, microseconds.
        speaker: Number of the one speaker the query names; -1 for none.
    """
    previous = columns.previous
    has_previous = previous >= 0
    words_before = np.where(has_previous, columns.lexical[previous], np.float32(0))
    lexical = columns.lexical + np.float32(_LEXICAL_CONTEXT) * words_before
    before = np.where(has_previous, columns.similarity[previous], np.float32(0))
    share = np.float32(_PREVIOUS_SHARE)
    square = 1 + np.where(has_previous, share * share, np.float32(0))
    norm = np.sqrt(square + 2 * share * columns.previous_dot)
    similarity: Floats = (columns.similarity + share * before) / norm
    score = _standard(lexical) + np.float32(_SIMILARITY_WEIGHT) * _standard(similarity)
    for since, until in near:
        inside = (columns.created_at >= since) & (columns.created_at < until)
        score += np.float32(_NEAR_BONUS) * inside
    if speaker >= 0:
        score += np.float32(_SPEAKER_BONUS) * (columns.speakers == speaker)
    return score


def cut(
    score: Floats, legs: Sequence[Floats], allowed: NDArray[np.bool_],
    assistant: NDArray[np.bool_], limit: int,
) -> NDArray[np.int64]:  # fmt: skip
    """Return about `limit` of the best allowed rows, ascending.

    Long answers of an assistant crowd out the user's turns that hold the facts, so people have
    half of the places. Each leg's own best are kept too, whatever the other says of them.

    Args:
        score: Coarse score of every row.
        legs: Scores of words alone, of meaning alone.
        allowed: Rows that passed the query's filters.
        assistant: Rows an assistant said.
        limit: How many rows are wanted; the legs' best may come on top.
    """
    everyone = np.flatnonzero(allowed)
    kept = [
        _best(score, np.flatnonzero(allowed & ~assistant), limit // 2),
        _best(score, everyone, limit - limit // 2),
        *(_best(leg, everyone, min(_OF_EACH_LEG, limit)) for leg in legs),
    ]
    return np.unique(np.concatenate(kept))


def _best(score: Floats, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the `count` highest-scored of `rows`, in no order."""
    if len(rows) <= count:
        return rows
    return rows[np.argpartition(score[rows], len(rows) - count)[len(rows) - count :]]


def _standard(values: NDArray[np.floating]) -> Floats:
    """Return the values with mean 0 and deviation 1; zeros if they are all alike."""
    spread = float(values.std())
    if spread == 0:
        return np.zeros_like(values)
    standard: Floats = (values - values.mean()) / np.float32(spread)
    return standard
