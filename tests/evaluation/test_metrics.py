from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.evaluation.bootstrap import RESAMPLES, Floats, estimates
from daybook.evaluation.metrics import (
    SESSION_METRICS,
    TURN_METRICS,
    as_sessions,
    recall_curve,
    session_scores,
    turn_scores,
)

TURNS = [f"t{at}" for at in range(30)]
WORDS = dict.fromkeys(TURNS, 100)
SESSIONS = {turn: f"s{at // 3}" for at, turn in enumerate(TURNS)}

rankings = st.lists(st.sampled_from(TURNS), max_size=60)
golds = st.sets(st.sampled_from(TURNS), min_size=1, max_size=8)


def test_one_ranking_by_hand() -> None:
    ranked = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11"]
    scores = turn_scores(ranked, ["t1", "t6", "t11", "absent"], WORDS)
    assert set(scores) == set(TURN_METRICS)
    assert (scores["R@5"], scores["R@10"], scores["R@20"]) == (0.25, 0.5, 0.75)
    assert (scores["any@5"], scores["all@20"]) == (1.0, 0.0)
    assert scores["MRR"] == 1 / 2
    ideal = 1 + 1 / log2(3) + 1 / log2(4) + 1 / log2(5)
    assert scores["NDCG@10"] == pytest.approx((1 / log2(3) + 1 / log2(8)) / ideal)
    assert scores["RB@500"] == 0.25  # five turns of a hundred words


def test_sessions_stand_where_their_first_turn_does() -> None:
    ranked = ["t0", "t1", "t9", "t2", "t6", "t3"]
    assert as_sessions(ranked, SESSIONS) == ["s0", "s3", "s2", "s1"]
    scores = session_scores(ranked, ["s1", "s8"], SESSIONS)
    assert set(scores) == set(SESSION_METRICS)
    assert (scores["session R@5"], scores["session any@5"]) == (0.5, 1.0)
    assert session_scores(["s1"], ["s1"], SESSIONS)["session R@5"] == 1.0


def test_chunks_count_as_one_and_their_words_once() -> None:
    chunks = [("t0", "t1", "t2"), ("t2", "t3"), ("t4", "t5")]
    scores = turn_scores(chunks, ["t3", "t5"], WORDS)
    assert scores["R@5"] == 1.0
    assert scores["MRR"] == 0.5
    assert scores["RB@500"] == 0.5  # 300 words, then 100 more, then 200 too many


def test_the_budget_ends_at_the_first_turn_that_does_not_fit() -> None:
    words = {"a": 400, "b": 200, "c": 50}
    assert turn_scores(["a", "b", "c"], ["c"], words)["RB@500"] == 0.0
    assert turn_scores(["a", "c", "b"], ["c"], words)["RB@500"] == 1.0


def naive_recall(ranked: list[str], gold: set[str], cut: int) -> float:
    """Return recall as one who counts each hit would: a turn that comes twice counts twice."""
    return sum(one in gold for one in ranked[:cut]) / len(gold)


def test_a_turn_that_comes_twice_counts_once() -> None:
    ranked = ["t0", "t0", "t1"]
    assert turn_scores(ranked, ["t0", "t9"], WORDS)["R@5"] == 0.5
    assert recall_curve(ranked, ["t0", "t1"], 3) == [0.5, 1.0, 1.0]
    # The control: a measure that counts it twice says otherwise, above 1 even.
    assert naive_recall(ranked, {"t0"}, 5) == 2.0
    assert turn_scores(ranked, ["t0"], WORDS)["R@5"] == 1.0


@given(rankings, golds)
def test_recall_rises_with_depth_and_shares_are_shares(ranked: list[str], gold: set[str]) -> None:
    scores = turn_scores(ranked, gold, WORDS) | session_scores(
        ranked, {SESSIONS[one] for one in gold}, SESSIONS
    )
    assert all(0 <= value <= 1 for value in scores.values())
    curve = recall_curve(ranked, gold, 40)
    assert curve == sorted(curve)
    assert curve[9] == scores["R@10"]
    assert scores["R@5"] <= scores["R@10"] <= scores["R@20"] <= scores["any@20"]
    assert scores["all@10"] <= scores["R@10"] <= scores["any@10"]


@given(golds, st.lists(st.sampled_from(TURNS), unique=True))
def test_a_perfect_ranking_scores_one(gold: set[str], others: list[str]) -> None:
    ranked = [*sorted(gold), *(one for one in others if one not in gold)]
    scores = turn_scores(ranked, gold, dict.fromkeys(TURNS, 10))
    assert {scores[name] for name in ("R@10", "all@10", "NDCG@10", "MRR", "RB@500")} == {1.0}


@given(rankings, golds)
def test_better_places_never_score_less(ranked: list[str], gold: set[str]) -> None:
    lifted = sorted(ranked, key=lambda one: one not in gold)
    before, after = (turn_scores(one, gold, WORDS) for one in (ranked, lifted))
    assert all(after[name] >= before[name] - 1e-12 for name in before)


def shares(count: int, mean: float) -> Floats:
    drawn = np.random.default_rng(7).random((count, 1))
    return (drawn < mean).astype(np.float64)


def test_an_interval_holds_the_mean_and_has_the_width_that_theory_says() -> None:
    (found,) = estimates(shares(1_000, 0.3), seed=1)
    assert found.low < found.value < found.high
    half = 1.96 * (found.value * (1 - found.value) / 1_000) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert found.count == 1_000
    assert RESAMPLES >= 1_000


def test_the_same_seed_gives_the_same_interval() -> None:
    values = shares(50, 0.5)
    assert estimates(values, seed=4) == estimates(values, seed=4)


def test_equal_runs_differ_by_nothing() -> None:
    values = shares(100, 0.5)
    (found,) = estimates(values - values, seed=1)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_whole_clusters_are_drawn() -> None:
    """Questions that all go the same way within a conversation tell less than they seem to."""
    values = np.repeat(np.array([[0.0], [1.0]] * 5), 100, axis=0)
    clusters = np.repeat(np.arange(10), 100).tolist()
    (alone,) = estimates(values, seed=1)
    (together,) = estimates(values, clusters, seed=1)
    assert alone.value == together.value == 0.5
    assert together.high - together.low > 5 * (alone.high - alone.low)


def test_a_column_that_does_not_apply_is_left_out() -> None:
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [0.0, np.nan]])
    first, second = estimates(values, seed=1)
    assert (first.value, first.count) == (0.5, 2)
    assert second.count == 0
