"""Fit and score both stages on examples, as `daybook.recall.ranking.ranker` runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.fit_ranker.examples import Example
from tools.fit_ranker.linear_fit import Block, fit_weights

__all__ = ["TwoStages", "fit_two_stages", "mean_recall"]

# As in `daybook.recall.ranking.ranker`.
RERANKED = 200
_FIRST_ROWS = 120
_ALIKE = 1e-6
FALSE_PREMISE = 0.25
_BACKGROUND_STEP = 17
# Any sensible start will do: it only picks hard negatives for the first fit.
_START = {
    "b_prev": 0.5,
    "d_prev": 1.0,
    "spk": 0.5,
    "date": 1.5,
    "prev_qm": 0.5,
    "asst": -0.5,
    "asked_asst": 2.0,
}
# A higher value of these is evidence for a turn, never against it.
SUPPORTING = frozenset(
    """
    b_raw b_prev b_ctx b_ses3 b_name d_raw d_prev d_ctx d_ses3 li cov spk date when_temp many_num
    asked_asst prev_qm qa_b qa_d
    """.split()
)


@dataclass(frozen=True, slots=True, eq=False)
class TwoStages:
    """Weights of both stages; `final` has one more, for late interaction."""

    names: tuple[str, ...]
    first: NDArray[np.float64]
    final: NDArray[np.float64]

    def recall(self, example: Example, depth: int = 10) -> float:
        """Return the share of the example's evidence among the `depth` best turns."""
        rows = self.survivors(example)
        scores = final_features(example, rows) @ self.final
        best = rows[np.argsort(-scores, kind="stable")[:depth]]
        return float(example.gold[best].sum()) / len(example.question.evidence)

    def survivors(self, example: Example) -> NDArray[np.int64]:
        """Return the rows that reach the final stage."""
        scores = example.features[:, :-1] @ self.first
        return np.sort(np.argsort(-scores, kind="stable")[:RERANKED])


def final_features(example: Example, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the rows' features with late interaction standardised among them."""
    features = example.features[rows].copy()
    late = features[:, -1]
    spread = float(late.std())
    features[:, -1] = (late - late.mean()) / spread if spread > _ALIKE else 0
    return features


def fit_two_stages(examples: Sequence[Example], *, l2: float, constrained: bool) -> TwoStages:
    """Return both stages fitted on the examples; every data set counts the same.

    A question whose premise is false (it asks one speaker about what the other did) has evidence
    too and teaches not to trust a named speaker blindly; it counts a quarter of another.

    Args:
        examples: The questions; of a data set cut in several ways, all cuts.
        l2: See `fit_weights`.
        constrained: Whether weights of supporting features must not be negative.
    """
    names = examples[0].names
    used = [one for one in examples if one.gold.any()]
    sizes = Counter(one.dataset for one in used)
    weights = [
        one.share * (1.0 if one.question.answerable else FALSE_PREMISE) / sizes[one.dataset]
        for one in used
    ]
    signs = np.array([constrained and name in SUPPORTING for name in names])
    start = np.array([_START.get(name, 0.0) for name in names[:-1]])
    blocks = [_first_block(one, start, weight) for one, weight in zip(used, weights, strict=True)]
    first = fit_weights(blocks, l2=l2, non_negative=signs[:-1])
    stages = TwoStages(names, first, np.append(first, 0.0))
    blocks = list(_final_blocks(used, weights, stages))
    return TwoStages(names, first, fit_weights(blocks, l2=l2, non_negative=signs))


def _first_block(example: Example, start: NDArray[np.float64], weight: float) -> Block:
    """Return the hardest rows, the evidence and a spread sample of the rest."""
    scores = example.features[:, :-1] @ start
    kept = example.gold.copy()
    kept[np.argsort(-scores, kind="stable")[:_FIRST_ROWS]] = True
    kept[::_BACKGROUND_STEP] = True
    return Block(example.features[kept, :-1], example.gold[kept], weight)


def _final_blocks(
    examples: Iterable[Example], weights: Iterable[float], stages: TwoStages
) -> Iterable[Block]:
    for example, weight in zip(examples, weights, strict=True):
        rows = stages.survivors(example)
        if example.gold[rows].any():
            yield Block(final_features(example, rows), example.gold[rows], weight)


def mean_recall(stages: TwoStages, examples: Iterable[Example]) -> dict[str, float]:
    """Return recall at 10 of each data set, unanswerable questions left out, in percent."""
    found: dict[str, list[float]] = {}
    for example in examples:
        if example.question.answerable:
            found.setdefault(example.dataset, []).append(stages.recall(example))
    return {name: 100 * float(np.mean(values)) for name, values in found.items()}
