"""Fit a linear ranking model: softmax over each question's rows, L2, weights kept non-negative.

Deterministic: Newton steps from zero, no sampling. Where weights are bounded, the quadratic of a
step is minimised by coordinate descent (proximal Newton).
Source: Lee, Sun & Saunders, SIAM J. Optimization 2014, https://doi.org/10.1137/130921428.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "fit_weights"]

_ROUNDS = 30
_SWEEPS = 200
_SETTLED = 1e-7
_SHORTEST = 1e-6
_TINY = 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One question's rows.

    Attributes:
        features: Shape (rows, features).
        gold: Which rows are evidence; at least one.
        weight: How much the question counts.
    """

    features: NDArray[np.float32]
    gold: NDArray[np.bool_]
    weight: float


class _Problem:
    """Mean cross entropy between each question's evidence and the softmax of its scores."""

    def __init__(self, blocks: list[Block], l2: float) -> None:
        sizes = np.array([len(block.gold) for block in blocks])
        self._starts = np.cumsum(sizes) - sizes
        self._question = np.repeat(np.arange(len(blocks)), sizes)
        stacked = np.concatenate([block.features for block in blocks]).astype(np.float64)
        spread = stacked.std(axis=0)
        self.scale = np.where(spread > _TINY, spread, 1.0)
        self._rows = stacked / self.scale
        target = np.concatenate([block.gold / block.gold.sum() for block in blocks])
        share = np.array([block.weight for block in blocks])
        share = (share / share.sum())[self._question]
        self._target = target * share
        self._share = share
        self._l2 = l2

    def loss(self, weights: Floats) -> float:
        """Return the loss."""
        scores = self._rows @ weights
        scores -= np.maximum.reduceat(scores, self._starts)[self._question]
        total = np.add.reduceat(np.exp(scores), self._starts)[self._question]
        penalty = 0.5 * self._l2 * float(weights @ weights)
        return penalty - float((scores - np.log(total)) @ self._target)

    def slopes(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return gradient and second derivatives."""
        scores = self._rows @ weights
        scores -= np.maximum.reduceat(scores, self._starts)[self._question]
        raised = np.exp(scores)
        chance = raised / np.add.reduceat(raised, self._starts)[self._question]
        weighted = self._rows * (chance * self._share)[:, None]
        gradient = weighted.sum(axis=0) - self._target @ self._rows + self._l2 * weights
        means = np.add.reduceat(weighted, self._starts)
        shares = self._share[self._starts]
        curvature = self._rows.T @ weighted - (means / shares[:, None]).T @ means
        return gradient, curvature + self._l2 * np.eye(len(weights))


def fit_weights(
    blocks: list[Block], *, l2: float, non_negative: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return one weight for each feature, on the features' own scale.

    Args:
        blocks: The questions.
        l2: Strength of the pull to zero, on features divided by their deviation.
        non_negative: Features whose weight must not be negative.
    """
    problem = _Problem(blocks, l2)
    low = np.where(non_negative, 0.0, -np.inf)
    here = np.zeros(len(low))
    loss = problem.loss(here)
    for _ in range(_ROUNDS):
        gradient, curvature = problem.slopes(here)
        step = _bounded_minimum(gradient, curvature, low - here)
        length = 1.0
        while (reached := problem.loss(here + length * step)) > loss and length > _SHORTEST:
            length /= 2
        if reached > loss:
            break
        here = here + length * step
        settled = loss - reached < _SETTLED
        loss = reached
        if settled:
            break
    weights: Floats = here / problem.scale
    return weights


def _bounded_minimum(gradient: Floats, curvature: Floats, low: Floats) -> Floats:
    """Return the step that minimises gradient @ s + s @ curvature @ s / 2 with s >= low."""
    step: Floats = np.maximum(-np.linalg.solve(curvature, gradient), low)
    if not np.isfinite(low).any():
        return step
    slope = gradient + curvature @ step
    for _ in range(_SWEEPS):
        largest = 0.0
        for i in range(len(step)):
            moved = max(step[i] - slope[i] / curvature[i, i], low[i])
            change = moved - step[i]
            if change:
                slope += change * curvature[i]
                step[i] = moved
                largest = max(largest, abs(change))
        if largest < _TINY:
            break
    return step
