"""Order candidates: features, a linear score, late interaction for the best, the score again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from daybook.model.candidates import Candidates
from daybook.protocols.embedder import QueryTokens, TokenEmbedder
from daybook.recall.ranking.features import compute_features, standardise
from daybook.recall.ranking.late_interaction import late_interaction
from daybook.recall.ranking.query import AnalysedQuery
from daybook.recall.ranking.token_vectors import best_cosines
from daybook.recall.ranking.weights import RankerWeights, weights_for

__all__ = [
    "Ranked",
    "Survivors",
    "comparable_places",
    "late_by_table",
    "late_by_vectors",
    "rank",
    "rank_survivors",
    "survivors_of",
]

# 100 lost a point of recall in our measurements, all rows gained nothing.
_RERANKED = 200

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Ranked(Struct, frozen=True, kw_only=True):
    """One candidate in its place.

    Attributes:
        key: The document's key.
        group: Its session, or encoded namespace.
        position: Its sequence number.
        score: Higher is better; comparable within one search only.
        contributions: What each feature added to the score, largest amount first, zeros left out.
    """

    key: str
    group: str
    position: int
    score: float
    contributions: dict[str, float]


class Survivors(Struct, frozen=True, eq=False):
    """What the first stage keeps.

    Attributes:
        rows: Which candidates, ascending.
        features: Their features, late interaction not among them.
        weights: Those that the first stage went by: without vectors, those of words alone.
    """

    rows: Rows
    features: dict[str, Floats]
    weights: RankerWeights


def rank(
    query: AnalysedQuery,
    candidates: Candidates,
    *,
    token_embedder: TokenEmbedder | None,
    weights: RankerWeights,
    limit: int,
) -> list[Ranked]:
    """Return the best eligible candidates, best first.

    Ties go to the later document, then to the smaller group and key, so the order does not depend
    on the order of arrival.

    Args:
        query: The question, read.
        candidates: What the index found for it.
        token_embedder: For late interaction; None leaves that feature out.
        weights: Those of the embedder's family.
        limit: How many at most.

    Cost: measured by `benchmarks/recall_quality/latency.py`. Pure.
    """
    survivors = survivors_of(query, candidates, weights=weights, limit=limit)
    late = None
    if token_embedder is not None:
        late = late_by_table(query, candidates, survivors, token_embedder)
    return rank_survivors(query, candidates, survivors, late, limit=limit)


def survivors_of(
    query: AnalysedQuery, candidates: Candidates, *, weights: RankerWeights, limit: int
) -> Survivors:
    """Return the eligible candidates that the first stage keeps: 200, or `limit` if that is more.

    Cost: most of `rank`. Pure.
    """
    if not candidates.similarity.any():
        weights = weights_for("")
    features = compute_features(query, candidates)
    rows = np.flatnonzero(candidates.eligible)
    scores = weighted_sum({name: leg[rows] for name, leg in features.items()}, weights.first)
    keep = max(_RERANKED, limit)
    if len(rows) > keep:
        rows = np.sort(rows[np.argpartition(-scores, keep - 1)[:keep]])
    return Survivors(rows, {name: leg[rows] for name, leg in features.items()}, weights)


def late_by_table(
    query: AnalysedQuery, candidates: Candidates, survivors: Survivors, table: TokenEmbedder
) -> Floats:
    """Return each survivor's late interaction by a table's rows, standardised. Pure."""
    rows = survivors.rows
    if not len(rows):
        return np.zeros(0, np.float32)
    best = late_interaction(
        query.subject,
        candidates.token_ids,
        candidates.token_starts[rows],
        candidates.token_ends[rows],
        table,
    )
    return standardise(best, np.ones(len(rows), np.float32))


def comparable_places(
    candidates: Candidates, survivors: Survivors
) -> dict[int, tuple[str, str, int]]:
    """Return group, key and position of survivors with a comparable vector, by their place. Pure.

    What another embedder made of the others' tokens lies in another space.
    """
    return {
        place: (
            candidates.group_names[candidates.groups[row]],
            str(candidates.keys[row]),
            int(candidates.positions[row]),
        )
        for place, row in enumerate(survivors.rows.tolist())
        if candidates.has_vector[row]
    }


def late_by_vectors(
    asked: QueryTokens, survivors: int, packed: Mapping[int, bytes]
) -> Floats | None:
    """Return each survivor's late interaction by vectors of its own tokens, standardised.

    One that has none stands where the mean is; None if no survivor has any. Pure.

    Args:
        asked: The question's tokens.
        survivors: How many there are.
        packed: Token vectors by the survivor's place.
    """
    blobs = [packed.get(place, b"") for place in range(survivors)]
    best, there = best_cosines(asked.vectors, asked.worth, blobs)
    return standardise(best, there) * there if there.any() else None


def rank_survivors(
    query: AnalysedQuery,
    candidates: Candidates,
    survivors: Survivors,
    late: Floats | None,
    *,
    limit: int,
) -> list[Ranked]:
    """Return the best survivors, best first; ties as in `rank`.

    Args:
        query: The question, read.
        candidates: What the index found for it.
        survivors: What the first stage kept of them.
        late: Late interaction of each survivor, standardised; None for none.
        limit: How many at most.
    """
    rows, weights = survivors.rows, survivors.weights
    ones = np.ones(len(rows), np.float32)
    if late is None:
        late = np.zeros(len(rows), np.float32)
    if query.foreign or not late.any():
        # The table knows other languages in pieces or not at all: whole words count beside them.
        late = standardise(late + standardise(survivors.features["b_raw"], ones), ones)
    features = survivors.features | {"li": late}
    scores = weighted_sum(features, weights.final)
    order = _order(scores, rows, candidates)[:limit]
    parts = contributions(features, weights.final, order)
    return [
        Ranked(
            key=candidates.keys[rows[i]],
            group=candidates.group_names[candidates.groups[rows[i]]],
            position=int(candidates.positions[rows[i]]),
            score=float(scores[i]),
            contributions=part,
        )
        for i, part in zip(order.tolist(), parts, strict=True)
    ]


def weighted_sum(features: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Return the linear score; a weight whose feature is absent counts nothing."""
    length = len(next(iter(features.values())))
    scores = np.zeros(length, np.float32)
    for name, weight in weights.items():
        if name in features:
            scores += np.float32(weight) * features[name]
    return scores


def contributions(
    features: Mapping[str, Floats], weights: Mapping[str, float], rows: Rows
) -> list[dict[str, float]]:
    """Return what each feature adds to the score of each of `rows`, largest amount first."""
    names = [name for name in weights if name in features]
    values = np.array([features[name].take(rows) for name in names], np.float64)
    parts = np.array([weights[name] for name in names])[:, None] * values
    return [
        {names[at]: amounts[at] for at in order if amounts[at]}
        for amounts, order in zip(
            parts.T.tolist(), np.argsort(-np.abs(parts), axis=0, kind="stable").T.tolist(),
            strict=True,
        )
    ]  # fmt: skip


def _order(scores: Floats, rows: Rows, candidates: Candidates) -> Rows:
    """Return places in `rows`, best first; only full ties look at keys."""
    order = np.lexsort((-candidates.created_at[rows], -scores))
    tied = np.flatnonzero(np.diff(scores[order]) == 0)
    if not len(tied):
        return order

    def standing(i: int) -> tuple[float, int, str, int, str]:
        row = rows[i]
        group = candidates.group_names[candidates.groups[row]]
        position = int(candidates.positions[row])
        return (-float(scores[i]), -int(candidates.created_at[row]), group, -position,
                candidates.keys[row])  # fmt: skip

    return np.array(sorted(order.tolist(), key=standing), np.int64)
