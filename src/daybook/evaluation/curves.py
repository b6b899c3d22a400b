"""Recall by depth, R@1 to R@k, with its interval: what a plot shows of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daybook.evaluation.bootstrap import estimates
from daybook.evaluation.metrics import TURN_METRICS, recall_curve
from daybook.evaluation.scoring import Resampling, Scored

__all__ = ["Curve", "curves_of"]

_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Curve:
    """Recall of one run on one data set's answerable questions, in shares.

    Attributes:
        name: The run.
        dataset: The data set.
        values: R@1, R@2 …
        lows: The lower ends of their 95 % intervals.
        highs: The upper ends.
    """

    name: str
    dataset: str
    values: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


def curves_of(name: str, scored: Sequence[Scored], resampling: Resampling) -> list[Curve]:
    """Return a curve for each data set of a run; none where it ranks sessions only."""
    found = []
    for dataset in dict.fromkeys(one.dataset for one in scored):
        some = [
            one
            for one in scored
            if one.dataset == dataset and one.question.answerable and TURN_METRICS[0] in one.scores
        ]
        if not some:
            continue
        depth = max(1, min(_DEPTH, max(len(one.ranked) for one in some)))
        values = np.array([recall_curve(one.ranked, one.question.evidence, depth) for one in some])
        clusters = resampling.clusters(some)
        points = estimates(values, clusters, seed=resampling.seed)
        found.append(
            Curve(
                name,
                dataset,
                tuple(one.value for one in points),
                tuple(one.low for one in points),
                tuple(one.high for one in points),
            )
        )
    return found
