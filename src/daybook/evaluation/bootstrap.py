"""Intervals of means by bootstrap: draw the sample again and again, look where the means fall.

Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 13 (percentile
intervals), and Davison & Hinkley, Bootstrap Methods, 1997, section 3.8 (drawing whole clusters).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESAMPLES", "Estimate", "Floats", "estimates"]

RESAMPLES = 2_000
_AT_ONCE = 200
_ENDS = (2.5, 97.5)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the ends of its 95 % interval.

    Attributes:
        value: The mean.
        low: 2.5 % of the means drawn anew are below this.
        high: 2.5 % are above this.
        count: Of how many values.
    """

    value: float
    low: float
    high: float
    count: int


def estimates(
    values: Floats, clusters: Sequence[Hashable] | None = None, *, seed: int
) -> list[Estimate]:
    """Return the mean of each column with its interval; all columns share the same draws.

    Give it the differences of two rankings of the same questions for a paired comparison.

    Args:
        values: A row for each question; NaN where a column does not apply to it.
        clusters: What each row belongs to; whole clusters are drawn. None: rows are drawn.
        seed: The same seed gives the same intervals.
    """
    applies = ~np.isnan(values)
    sums, counts = _totals(np.where(applies, values, 0.0), applies, clusters)
    drawn = np.concatenate(list(_means(sums, counts, np.random.default_rng(seed))))
    found = []
    for column, total in enumerate(counts.sum(axis=0)):
        if not total:
            found.append(Estimate(float("nan"), float("nan"), float("nan"), 0))
            continue
        low, high = np.nanpercentile(drawn[:, column], _ENDS)
        mean = float(sums[:, column].sum() / total)
        found.append(Estimate(mean, float(low), float(high), int(total)))
    return found


def _totals(
    values: Floats, applies: NDArray[np.bool_], clusters: Sequence[Hashable] | None
) -> tuple[Floats, Floats]:
    """Return sums and counts of each cluster's values."""
    if clusters is None:
        return values, applies.astype(np.float64)
    numbers: dict[Hashable, int] = {}
    rows = [numbers.setdefault(one, len(numbers)) for one in clusters]
    sums = np.zeros((len(numbers), values.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, rows, values)
    np.add.at(counts, rows, applies.astype(np.float64))
    return sums, counts


def _means(sums: Floats, counts: Floats, generator: np.random.Generator) -> list[Floats]:
    """Return the means of resamples; NaN where a resample has no value of a column."""
    size = len(sums)
    means = []
    for _ in range(RESAMPLES // _AT_ONCE):
        weights = generator.multinomial(size, np.full(size, 1 / size), size=_AT_ONCE)
        total = weights @ counts
        with np.errstate(invalid="ignore"):
            means.append((weights @ sums) / np.where(total, total, np.nan))
    return means
