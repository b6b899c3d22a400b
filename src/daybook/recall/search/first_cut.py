"""Which of very many rows are worth ranking: a coarse score from what every row has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.distinct import distinct

__all__ = ["CoarseColumns", "Scale", "best", "coarse_score", "cut", "scale_of", "with_previous"]

_PREVIOUS_SHARE = 0.6
_LEXICAL_CONTEXT = 0.5
_SIMILARITY_WEIGHT = 1.5
# What the fitted weights of date and speaker are worth beside those of the two legs.
_NEAR_BONUS = 4.0
_SPEAKER_BONUS = 2.0
_OF_EACH_LEG = 48

Floats = NDArray[np.float32]


class Scale(NamedTuple):
    """Mean and deviation of a score over a scope."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class CoarseColumns:
    """What rows have, as in `Candidates`; `lexical` is BM25.

    Attributes:
        lexical: BM25 of each row.
        similarity: Cosine of each row.
        lexical_before: BM25 of the turn before, 0 for none.
        similarity_before: Cosine of the turn before, 0 for none.
        has_previous: Whether there is a turn before.
        previous_dot: Product of the row's vector with that of the turn before.
        created_at: Microseconds.
        speakers: Numbers of speakers.
    """

    lexical: Floats
    similarity: Floats
    lexical_before: Floats
    similarity_before: Floats
    has_previous: NDArray[np.bool_]
    previous_dot: Floats
    created_at: NDArray[np.int64]
    speakers: NDArray[np.signedinteger[Any]]


def with_previous(columns: CoarseColumns) -> tuple[Floats, Floats]:
    """Return BM25 and cosine of each row together with the turn before it."""
    lexical = columns.lexical + np.float32(_LEXICAL_CONTEXT) * columns.lexical_before
    share = np.float32(_PREVIOUS_SHARE)
    square = 1 + np.where(columns.has_previous, share * share, np.float32(0))
    norm = np.sqrt(square + 2 * share * columns.previous_dot)
    similarity: Floats = (columns.similarity + share * columns.similarity_before) / norm
    return lexical, similarity


def scale_of(values: Floats, weight: Floats | None = None) -> Scale:
    """Return the mean and deviation of values, each counted `weight` times."""
    if weight is None:
        return Scale(float(values.mean()), float(values.std()))
    total = float(weight.sum()) or 1.0
    mean = float(np.vdot(weight, values)) / total
    variance = float(np.vdot(weight, (values - np.float32(mean)) ** 2)) / total
    return Scale(mean, variance**0.5)


def coarse_score(
    columns: CoarseColumns,
    *,
    near: tuple[tuple[int, int], ...],
    speaker: int,
    scales: tuple[Scale, Scale] | None = None,
) -> Floats:
    """Return a score for every row: both legs with the turn before, date and speaker.

    Args:
        columns: All rows of a scope, or some.
        near: The spans the query names, microseconds.
        speaker: Number of the one speaker the query names; -1 for none.
        scales: Of both legs `with_previous` over the whole scope; None if `columns` is that.
    """
    lexical, similarity = with_previous(columns)
    if scales is None:
        scales = scale_of(lexical), scale_of(similarity)
    score = _standard(lexical, scales[0])
    score = score + np.float32(_SIMILARITY_WEIGHT) * _standard(similarity, scales[1])
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
    half of the places; the other half goes to the best of all the rest. Each leg's own best are
    kept too, whatever the other says of them.

    Args:
        score: Coarse score of every row.
        legs: Scores of words alone, of meaning alone.
        allowed: Rows that passed the query's filters.
        assistant: Rows an assistant said.
        limit: How many rows are wanted; the legs' best may come on top.
    """
    everyone = np.flatnonzero(allowed)
    people = best(score, np.flatnonzero(allowed & ~assistant), limit // 2)
    rest = allowed.copy()
    rest[people] = False
    kept = [
        people,
        best(score, np.flatnonzero(rest), limit - len(people)),
        *(best(leg, everyone, min(_OF_EACH_LEG, limit)) for leg in legs),
    ]
    return distinct(np.concatenate(kept))


def best(score: NDArray[np.floating], rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the `count` highest-scored of `rows`, in no order."""
    if len(rows) <= count:
        return rows
    if not count:
        return rows[:0]
    return rows[np.argpartition(score[rows], len(rows) - count)[len(rows) - count :]]


def _standard(values: Floats, scale: Scale) -> Floats:
    """Return the values on a scale; zeros if its values are all alike."""
    if scale.deviation == 0:
        return np.zeros_like(values)
    standard: Floats = (values - np.float32(scale.mean)) / np.float32(scale.deviation)
    return standard
