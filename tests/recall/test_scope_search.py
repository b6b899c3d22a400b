from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.ranking.features import standardise
from daybook.recall.search import scope_search
from daybook.recall.search.bm25 import inverse_document_frequency, length_penalty, saturated
from daybook.recall.search.scope_columns import ScopeColumns
from daybook.recall.search.session_scores import top_means
from tests.recall.made_documents import ANALYZER, document, question

_WORDS = [f"word{i}" for i in range(120)]


def made_scope(count: int, seed: int = 5) -> tuple[ScopeColumns, list[str]]:
    """Return a scope of sessions of ten turns, and its texts."""
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    texts = [" ".join(rng.choices(_WORDS, k=rng.randint(1, 9))) for _ in range(count)]
    columns = ScopeColumns()
    columns.add(
        [
            document(
                f"k{i}",
                text,
                group=f"s{i // 10}",
                position=i % 10,
                created_at=i,
                role=1 + i % 2,
                speaker=["Ann", "Bob"][i % 2],
            )
            for i, text in enumerate(texts)
        ]
    )
    return columns, texts


def slow_bm25(texts: list[str], query: str) -> list[float]:
    """Score texts word by word, straight from the formula."""
    lengths = [len(text.split()) for text in texts]
    mean = sum(lengths) / len(lengths)
    scores = [0.0] * len(texts)
    for word in dict.fromkeys(query.split()):
        frequency = sum(word in text.split() for text in texts)
        idf = math.log(1 + (len(texts) - frequency + 0.5) / (frequency + 0.5))
        for i, text in enumerate(texts):
            count = text.split().count(word)
            penalty = 0.9 * (1 - 0.4 + 0.4 * lengths[i] / mean)
            scores[i] += idf * count * 1.9 / (count + penalty)
    return scores


def test_bm25_is_the_formula() -> None:
    columns, texts = made_scope(60)
    query = "word1 word2 word3 word4"
    found = columns.candidates(question(query))
    idf = inverse_document_frequency(found.document_frequency, found.document_count)
    scores = idf @ saturated(found.term_counts, length_penalty(found.lengths, found.mean_length))
    assert scores.tolist() == pytest.approx(slow_bm25(texts, query), rel=1e-4)


def test_session_scores_are_means_of_the_three_best() -> None:
    columns, texts = made_scope(60)
    query = "word1 word2 word3 word4"
    found = columns.candidates(question(query))
    scores = slow_bm25(texts, query)
    for row, group in enumerate(found.groups.tolist()):
        best = sorted(scores[group * 10 : group * 10 + 10], reverse=True)[:3]
        assert float(found.session_lexical[row]) == pytest.approx(sum(best) / 3, abs=1e-4)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(-50, 50, width=32)), min_size=1, max_size=40)
)
def test_top_means_equal_a_slow_reference(members: list[tuple[int, float]]) -> None:
    groups = np.array([group for group, _ in members], np.int32)
    means = top_means(np.array([score for _, score in members], np.float32), groups)
    for group in set(groups.tolist()):
        best = sorted((score for held, score in members if held == group), reverse=True)[:3]
        assert float(means[group]) == pytest.approx(sum(best) / len(best), abs=1e-3)


class TestCut:
    """Scopes too large to be handed over whole."""

    @pytest.fixture(autouse=True)
    def small_limits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scope_search, "ALL_ROWS", 100)
        monkeypatch.setattr(scope_search, "_SAMPLE", 80)

    def test_holds_the_best_of_each_leg(self) -> None:
        columns, texts = made_scope(1_500)
        query = "word5 word6 word7"
        found = columns.candidates(question(query, limit=60))
        eligible = set(found.keys[found.eligible].tolist())
        assert len(eligible) < 200
        scores = slow_bm25(texts, query)
        best = sorted(range(len(texts)), key=scores.__getitem__, reverse=True)[:10]
        assert {f"k{i}" for i in best} <= eligible
        every = question(query, limit=5_000)
        similarity = columns.candidates(every)
        order = np.argsort(-similarity.similarity, kind="stable")[:10]
        assert set(similarity.keys[order].tolist()) <= eligible

    def test_weights_stand_for_the_whole_scope(self) -> None:
        columns, _ = made_scope(1_500)
        found = columns.candidates(question("word5 word6", limit=60))
        assert float(found.weight.sum()) == pytest.approx(1_500, rel=1e-5)
        assert np.all(found.weight[found.eligible] == 1)

    def test_moments_are_close_to_those_of_all_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        columns, _ = made_scope(3_000)
        asked = question("word5 word6", limit=60)
        cut = columns.candidates(asked)
        monkeypatch.setattr(scope_search, "ALL_ROWS", 10_000)
        whole = columns.candidates(asked)
        assert len(cut.keys) < len(whole.keys) / 2
        spread = float(whole.similarity.std())
        mean = float(np.average(cut.similarity, weights=cut.weight))
        assert mean == pytest.approx(float(whole.similarity.mean()), abs=0.15 * spread)
        variance = float(np.average((cut.similarity - mean) ** 2, weights=cut.weight))
        assert math.sqrt(variance) == pytest.approx(spread, rel=0.15)

    def test_brings_two_neighbours_on_each_side(self) -> None:
        columns, _ = made_scope(1_500)
        found = columns.candidates(question("word5 word6", limit=60))
        for row in np.flatnonzero(found.eligible).tolist():
            position = int(found.positions[row])
            one, two = int(found.previous[row]), -1
            if one >= 0:
                two = int(found.previous[one])
            assert (one >= 0, two >= 0) == (position >= 1, position >= 2)
            one, two = int(found.following[row]), -1
            if one >= 0:
                two = int(found.following[one])
            assert (one >= 0, two >= 0) == (position <= 8, position <= 7)

    def test_a_filter_comes_before_the_cut(self) -> None:
        columns, _ = made_scope(1_500)
        # The words that are asked for occur anywhere; only one session may answer.
        asked = question("word5 word6", limit=60, groups=frozenset({"s7"}))
        found = columns.candidates(asked)
        assert sorted(found.keys[found.eligible].tolist()) == [f"k{i}" for i in range(70, 80)]
        assert found.document_count == 1_500

    def test_people_keep_half_of_the_places(self) -> None:
        columns = ScopeColumns()
        columns.add([document(f"a{i}", "tea tea", position=i, role=2) for i in range(200)])
        columns.add([document(f"u{i}", "tea snow", position=200 + i) for i in range(200)])
        found = columns.candidates(question("tea", limit=40))
        kept = found.keys[found.eligible].tolist()
        assert sum(key.startswith("u") for key in kept) >= 20

    def test_a_named_span_of_time_draws_its_turns_in(self) -> None:
        columns, _ = made_scope(1_500)
        plain = columns.candidates(question("word5", limit=40))
        near = columns.candidates(question("word5", limit=40, near=((100, 130),)))

        def inside(found: object) -> int:
            created = found.created_at[found.eligible]  # type: ignore[attr-defined]
            return int(((created >= 100) & (created < 130)).sum())

        assert inside(near) > inside(plain)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"k0", "k1", "k2", "k3"}),
        ({"since": 20}, {"k2", "k3"}),
        ({"until": 20}, {"k0", "k1"}),
        ({"since": 10, "until": 30}, {"k1", "k2"}),
        ({"groups": frozenset({"a/x"})}, {"k0", "k1"}),
        ({"groups": frozenset()}, set()),
        ({"group_prefix": "a/"}, {"k0", "k1", "k2"}),
        ({"group_prefix": "a/", "groups": frozenset({"b", "a/y"})}, {"k2"}),
    ],
)
def test_filters(fields: dict[str, object], expected: set[str]) -> None:
    columns = ScopeColumns()
    groups = ["a/x", "a/x", "a/y", "b"]
    columns.add(
        [
            document(f"k{i}", "tea", group=group, position=i, created_at=10 * i)
            for i, group in enumerate(groups)
        ]
    )
    found = columns.candidates(question("tea", **fields))
    assert set(found.keys[found.eligible].tolist()) == expected
    assert found.document_count == 4


@given(st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=50))
def test_standardised_values_have_mean_0_and_deviation_1(values: list[float]) -> None:
    given_ = np.array(values, np.float32)
    standard = standardise(given_, np.ones(len(values), np.float32))
    if float(given_.std()) < 1e-2:
        return
    # Numbers that hardly differ leave few of their digits.
    lost = 1e-3 + 1e-5 * float(np.abs(given_).max() / given_.std())
    assert float(standard.mean(dtype=np.float64)) == pytest.approx(0, abs=lost)
    assert float(standard.std(dtype=np.float64)) == pytest.approx(1, abs=lost)


def test_a_weight_counts_like_so_many_equal_rows() -> None:
    once = standardise(np.array([1, 5, 2], np.float32), np.array([1, 1, 3], np.float32))
    thrice = standardise(np.array([1, 5, 2, 2, 2], np.float32), np.ones(5, np.float32))
    assert once.tolist() == pytest.approx(thrice[:3].tolist(), abs=1e-5)


def test_equal_values_standardise_to_zero() -> None:
    assert not standardise(np.full(4, 3, np.float32), np.ones(4, np.float32)).any()


def test_stems_without_any_document_are_harmless() -> None:
    columns, _ = made_scope(20)
    found = columns.candidates(question("unheard"))
    assert found.document_frequency.tolist() == [0]
    assert ANALYZER.stems("unheard")
