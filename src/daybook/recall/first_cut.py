"""Which of very many rows are worth ranking: a coarse score from what every row has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CoarseColumns", "coarse_score", "cut"]

_PREVIOUS_SHARE = 0.6
_LEXICAL_CONTEXT = 0.5
_SIMILARITY_WEIGHT = 1.5
_NEAR_BONUS = 1.5
_SPEAKER_BONUS = 0.5

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
    lexical = columns.lexical + np.float32(_LEXICAL_CONTEXT) * np.where(
        has_previous, columns.lexical[previous], 0
    )
    before = np.where(has_previous, columns.similarity[previous], np.float32(0))
    share = np.float32(_PREVIOUS_SHARE)
    norm = np.sqrt(1 + has_previous * share * share + 2 * share * columns.previous_dot)
    similarity = (columns.similarity + share * before) / norm
    score = _standard(lexical) + np.float32(_SIMILARITY_WEIGHT) * _standard(similarity)
    for since, until in near:
        inside = (columns.created_at >= since) & (columns.created_at < until)
        score += np.float32(_NEAR_BONUS) * inside
    if speaker >= 0:
        score += np.float32(_SPEAKER_BONUS) * (columns.speakers == speaker)
    return score


def cut(
    score: Floats, allowed: NDArray[np.bool_], assistant: NDArray[np.bool_], limit: int
) -> NDArray[np.int64]:
    """Return the `limit` best allowed rows, half of them from people if there are so many.

    Long answers of an assistant crowd out the user's turns that hold the facts, so people have
    places of their own.
    """
    people = np.flatnonzero(allowed & ~assistant)
    everyone = np.flatnonzero(allowed)
    kept = _best(score, people, limit // 2)
    others = _best(score, everyone, limit)
    return np.unique(np.concatenate([kept, others[: limit - len(kept)]]))


def _best(score: Floats, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the `count` highest-scored of `rows`, best first."""
    if len(rows) > count:
        rows = rows[np.argpartition(-score[rows], count - 1)[:count]] if count else rows[:0]
    return rows[np.argsort(-score[rows], kind="stable")]


def _standard(values: Floats) -> Floats:
    """Return the values with mean 0 and deviation 1; zeros if they are all alike."""
    spread = float(values.std())
    if spread == 0:
        return np.zeros_like(values)
    return (values - values.mean()) / np.float32(spread)
