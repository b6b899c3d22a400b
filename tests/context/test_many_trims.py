"""Ten thousand random trims of every strategy break no law; `make torture` runs a million."""

from __future__ import annotations

import pytest

from tests.context.random_trims import STRATEGIES, judge, naive, run
from tools.trim_storm import storm

LAWS = {"order", "system", "newest turn", "pinned", "openai", "anthropic", "gemini"}


def test_no_trim_breaks_a_law() -> None:
    tally = run(seed=20260501, count=10_000)
    assert dict(tally.broken) == {}
    assert tally.trims.keys() == STRATEGIES.keys()
    # Neither is refused all of the time, or never: the budgets drawn are near what is needed.
    for name in STRATEGIES:
        assert 0.02 < tally.refused[name] / tally.trims[name] < 0.6, name


def test_the_usual_trimmer_breaks_every_law() -> None:
    tally = run(seed=7, count=3_000, judged=naive)
    assert {law for _, law in tally.broken} >= LAWS


def test_what_one_seed_draws_is_always_the_same() -> None:
    assert run(5, 200, judge).refused == run(5, 200, judge).refused


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_a_million_trims_break_no_law() -> None:
    tally, _ = storm(count=1_000_000, seed=1, processes=2)
    assert tally.trims.total() == 1_000_000
    assert dict(tally.broken) == {}
