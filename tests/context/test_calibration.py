"""Calibration: the factor, its bound, and budgets that providers do not count past."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.context.calibration import MOST_SAMPLES, Calibration


def observed(*pairs: tuple[int, int]) -> Calibration:
    calibration = Calibration()
    for estimated, actual in pairs:
        calibration = calibration.observe(estimated, actual)
    return calibration


def test_three_samples_are_needed() -> None:
    two = observed((100, 130), (100, 130))
    assert (two.ready, two.factor, two.upper_factor, two.budget_in_estimate(1000)) == (
        (False, 1.0, 1.0, 1000)
    )
    three = two.observe(100, 130)
    assert three.ready
    assert three.factor == 1.3
    assert three.corrected(1000) == 1300
    assert 1300 < three.at_most(1000) < 1400
    assert two.at_most(1001) == 1502
    assert 700 < three.budget_in_estimate(1000) < 1000 / 1.3


def test_one_odd_sample_does_not_move_the_factor() -> None:
    assert observed(*[(100, 110)] * 20, (100, 390)).factor == 1.1


def test_only_the_last_64_count() -> None:
    calibration = observed(*[(100, 300)] * 64, *[(100, 90)] * 64)
    assert (calibration.factor, calibration.upper_factor) == (0.9, 0.9)
    assert (len(calibration.ratios), calibration.seen) == (64, 128)


def test_what_a_provider_did_not_report_teaches_nothing() -> None:
    assert observed((100, 0), (0, 100), (-1, 5), (5, -1)) == Calibration()


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), max_size=80))
def test_factors_are_bounded_and_ordered(pairs: list[tuple[int, int]]) -> None:
    calibration = observed(*pairs)
    assert 0.25 <= calibration.factor <= calibration.upper_factor <= 4
    assert 250 <= calibration.budget_in_estimate(1000) <= 4000
    assert calibration.budget_in_estimate(0) == 0


def _lognormal(draw: random.Random) -> float:
    return 1.2 * draw.lognormvariate(0, 0.08)


def _uniform(draw: random.Random) -> float:
    return draw.uniform(0.8, 1.6)


def _two_kinds(draw: random.Random) -> float:
    """Chat, and now and then code."""
    return draw.gauss(1.0, 0.03) if draw.random() < 0.8 else draw.gauss(1.5, 0.05)


def fitted_share(ratio: Callable[[random.Random], float], samples: int, *, median: bool) -> float:
    """Return how often the next call fits after so many observed, over many tries."""
    draw = random.Random(samples)  # noqa: S311
    fits = []
    for _ in range(600):
        seen = [ratio(draw) for _ in range(samples)]
        calibration = Calibration(tuple(seen[-MOST_SAMPLES:]), samples)
        budget = calibration.budget_in_estimate(10_000)
        if median:
            budget = int(10_000 / calibration.factor)
        fits.append(budget * ratio(draw) <= 10_000)
    return fmean(fits)


@pytest.mark.parametrize("samples", [3, 5, 10, 19, 40, 64, 100])
@pytest.mark.parametrize("ratio", [_lognormal, _uniform])
def test_of_twenty_budgets_nineteen_are_kept(
    ratio: Callable[[random.Random], float], samples: int
) -> None:
    # 600 draws of a true 95 %: three standard deviations below.
    assert fitted_share(ratio, samples, median=False) >= 0.95 - 3 * 0.009


def test_two_kinds_of_text_are_kept_once_both_were_seen() -> None:
    assert fitted_share(_two_kinds, 64, median=False) >= 0.95 - 3 * 0.009


def test_the_median_alone_is_convicted() -> None:
    """The control: a budget by the median is passed every other time."""
    assert fitted_share(_lognormal, 40, median=True) < 0.7
