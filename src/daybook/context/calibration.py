"""How far an estimate of tokens is from what a provider counts, learned from its own reports.

Each call says how many tokens were estimated for what was sent, and its reply how many the provider
counted. The ratio of the two moves little for one model and one kind of text; its median corrects
the estimate, and a bound that nearly all ratios keep to says how full a window may be made.
"""

from __future__ import annotations

import math

from msgspec import Struct

__all__ = ["LARGEST_FACTOR", "LEAST_SAMPLES", "MOST_SAMPLES", "SMALLEST_FACTOR", "Calibration"]

MOST_SAMPLES = 64
LEAST_SAMPLES = 3
SMALLEST_FACTOR, LARGEST_FACTOR = 0.25, 4.0

# Of 20 calls 19 must fit. With so many samples the bound is one of them (the rank below); with
# fewer it is computed from their spread, by Student's distribution.
_SHARE = 0.95
_RANKED_FROM = 39
# One-sided 95 % points of Student's t by degrees of freedom; later ones barely differ.
_STUDENT = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812)
_STUDENT_LATER = 1.75
_UNLEARNED_FACTOR = 1.5
# Ratios that happen to be alike say little of the next one: never less spread than this (in ln).
_LEAST_SPREAD = 0.01


class Calibration(Struct, frozen=True, omit_defaults=True):
    """What was learned of one model; a new value for each observation.

    Attributes:
        ratios: Reported tokens by estimated ones, of the last calls, oldest first.
        seen: How many were ever observed.
    """

    ratios: tuple[float, ...] = ()
    seen: int = 0

    @property
    def ready(self) -> bool:
        """Whether enough was observed to say anything; until then all factors are 1."""
        return len(self.ratios) >= LEAST_SAMPLES

    @property
    def factor(self) -> float:
        """What an estimate is multiplied by to be right in the middle: the median ratio."""
        return _bounded(_median(sorted(self.ratios))) if self.ready else 1.0

    @property
    def upper_factor(self) -> float:
        """What an estimate is multiplied by to be enough in 95 of 100 cases."""
        if not self.ready:
            return 1.0
        ranked = sorted(self.ratios)
        if len(ranked) >= _RANKED_FROM:
            # The next of n + 1 alike values is at most the k-th of n with probability k / (n + 1).
            rank = math.ceil(_SHARE * (len(ranked) + 1))
            return _bounded(ranked[rank - 1])
        return _bounded(max(_student_bound(ranked), self.factor))

    def observe(self, estimated: int, actual: int) -> Calibration:
        """Return the calibration with a call more.

        Args:
            estimated: Tokens that were estimated for everything that was sent.
            actual: Input tokens that the provider reported; 0 or less where it did not: unchanged.
        """
        if estimated <= 0 or actual <= 0:
            return self
        ratio = round(_bounded(actual / estimated), 4)
        return Calibration((*self.ratios, ratio)[-MOST_SAMPLES:], self.seen + 1)

    def corrected(self, estimated: int) -> int:
        """Return the most likely count of the provider for an estimate."""
        return round(estimated * self.factor)

    def at_most(self, estimated: int) -> int:
        """Return what the provider hardly counts more than, in 95 of 100 calls: for reservations.

        Until three calls were observed it is half as much again as the estimate.
        """
        return math.ceil(estimated * (self.upper_factor if self.ready else _UNLEARNED_FACTOR))

    def budget_in_estimate(self, max_tokens: int) -> int:
        """Return how many estimated tokens may be sent so that the provider counts `max_tokens`.

        In at least 95 of 100 cases it counts no more, as long as what is sent is of the same kind
        as what was observed; with fewer than three observations the budget is given back as it is.
        """
        return max(0, math.floor(max_tokens / self.upper_factor))


def _student_bound(ratios: list[float]) -> float:
    """Return what the next ratio stays under, were their logarithms distributed normally."""
    logs = [math.log(ratio) for ratio in ratios]
    count = len(logs)
    at = count - 2
    student = _STUDENT[at] if at < len(_STUDENT) else _STUDENT_LATER
    mean = sum(logs) / count
    deviation = math.sqrt(sum((one - mean) ** 2 for one in logs) / (count - 1))
    spread = max(deviation, _LEAST_SPREAD)
    return math.exp(mean + student * spread * math.sqrt(1 + 1 / count))


# Own, because `statistics` takes longer to import than all of this package's arithmetic.
def _median(ranked: list[float]) -> float:
    half = len(ranked) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2


def _bounded(ratio: float) -> float:
    return min(max(ratio, SMALLEST_FACTOR), LARGEST_FACTOR)
