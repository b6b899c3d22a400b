"""Scopes held as codes answer like exact ones."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from daybook.model.candidates import CandidateQuery
from daybook.model.index_document import IndexDocument
from daybook.recall.columns.document_batch import batches
from daybook.recall.columns.vector_space import VectorSpace
from daybook.recall.search import large_search, large_sessions, nearness
from daybook.recall.search.large_columns import LargeColumns, fitting
from daybook.recall.search.scope_columns import ScopeColumns
from tests.recall.made_documents import differences, document, question, reading, statistics

_MANY = 5_000
_FIRST_NUMBER = 1 << 40
_WORDS = [f"word{number}" for number in range(500)]
_SHARES = 1 / (np.arange(500) + 5.0)
# What codes of vectors change nothing about.
_EXACT = {"position", "created_at", "role", "speaker", "traits", "length", "counts", "has_vector",
          "session_lexical", "tokens"}  # fmt: skip
_FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "time": {"since": 2_000_000, "until": 3_000_000},
    "late": {"since": 1_000_000},
    "sessions": {"groups": frozenset(["s3", "s77", "s90"])},
    "prefix": {"group_prefix": "s1"},
    "date": {"near": ((2_000_000, 2_100_000),)},
    "speaker": {"speaker": "Ben"},
}


def made(count: int, first: int = 0) -> list[IndexDocument]:
    """Return turns of two speakers in sessions of forty, one of four without words of its own."""
    rng = np.random.default_rng(first)
    texts = [
        " ".join(rng.choice(_WORDS, rng.integers(3, 30), p=_SHARES / _SHARES.sum()))
        for _ in range(count)
    ]
    return [
        document(
            f"k{number}" if number % 3 else f"0b5c7a52-1111-4222-8333-{number:012x}",
            text,
            group=f"s{number // 40}",
            position=number % 40 + 1,
            created_at=number * 1_000,
            role=1 + number % 2,
            speaker=("Ann", "Ben")[number % 2],
        )
        for number, text in enumerate(texts, first)
    ]


@pytest.fixture(scope="module")
def documents() -> list[IndexDocument]:
    return made(_MANY)


@pytest.fixture(scope="module")
def exact(documents: list[IndexDocument]) -> ScopeColumns:
    columns = ScopeColumns()
    columns.add(documents)
    return columns


@pytest.fixture(scope="module")
def large(documents: list[IndexDocument]) -> LargeColumns:
    half = ScopeColumns()
    half.add(documents[:3_000])
    columns = fitting(half, 2_000)
    assert isinstance(columns, LargeColumns)
    columns.add(documents[3_000:])
    return columns


@pytest.fixture(autouse=True)
def small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every shortcut a shortcut for some thousand documents."""
    monkeypatch.setattr(large_search, "_NEAREST", 600)
    monkeypatch.setattr(large_search, "_OF_EACH_LEG", 400)
    monkeypatch.setattr(large_search, "_FEWEST_PEOPLE", 100)
    monkeypatch.setattr(large_sessions, "_CLOSELY", 24)
    monkeypatch.setattr(nearness, "_WIDER", 3)


def questions(count: int, **only: Any) -> list[CandidateQuery]:
    rng = np.random.default_rng(11)
    return [question(" ".join(rng.choice(_WORDS[20:], 5)), **only) for _ in range(count)]


@pytest.mark.parametrize("name", _FILTERS)
def test_most_candidates_are_those_of_the_exact_search(
    exact: ScopeColumns, large: LargeColumns, name: str
) -> None:
    shares = []
    for asked in questions(6, **_FILTERS[name]):
        one, other = exact.candidates(asked), large.candidates(asked)
        here, there = set(one.keys[one.eligible]), set(other.keys[other.eligible])
        shares.append(len(here & there) / len(here))
        assert statistics(one) == statistics(other)
        assert float(other.weight.sum()) == pytest.approx(_MANY, rel=1e-4)
    assert np.mean(shares) > 0.9


@pytest.mark.parametrize("name", _FILTERS)
def test_a_search_leaves_earlier_answers_alone(
    exact: ScopeColumns, large: LargeColumns, name: str
) -> None:
    """Searches use the same scratch arrays; nothing that they return is one of those."""
    first, second = questions(2, **_FILTERS[name])
    for columns in (exact, large):
        found = columns.candidates(first)
        arrays = {
            part.name: value
            for part in fields(found)
            if isinstance(value := getattr(found, part.name), np.ndarray)
        }
        before = {part: value.copy() for part, value in arrays.items()}
        columns.candidates(second)
        for part, value in arrays.items():
            np.testing.assert_array_equal(value, before[part], err_msg=part)


def test_what_is_known_of_a_candidate_is_the_same(exact: ScopeColumns, large: LargeColumns) -> None:
    for asked in questions(3):
        one, other = reading(exact.candidates(asked)), large.candidates(asked)
        there = reading(other)
        shared = [name for name in there if name[1] and name in one and there[name]["eligible"]]
        assert len(shared) > 200
        for name in shared:
            assert not _EXACT.intersection(differences(there[name], one[name])), name
            for field in ("similarity", "previous_dot", "skip_dot"):
                assert there[name][field] == pytest.approx(one[name][field], abs=0.2)
        errors = [there[name]["similarity"] - one[name]["similarity"] for name in shared]
        assert np.std(errors) < 0.05  # of vectors of 16 numbers
        scores = [
            (there[name]["session_similarity"], one[name]["session_similarity"]) for name in shared
        ]
        assert np.corrcoef(np.array(scores).T)[0, 1] > 0.85


def test_deviations_are_those_of_the_scope(exact: ScopeColumns, large: LargeColumns) -> None:
    """The sample stands for everything: means and deviations of both legs hardly differ."""
    for asked in questions(6):
        other = large.candidates(asked)
        space = exact.spaces[asked.embedder]
        assert isinstance(space, VectorSpace)
        assert asked.vector is not None
        vector, _ = space.similarity(asked.vector, _MANY)
        mean = np.average(other.similarity, weights=other.weight)
        spread = np.sqrt(np.average((other.similarity - mean) ** 2, weights=other.weight))
        assert mean == pytest.approx(vector.mean(), abs=0.1 * float(vector.std()))
        assert spread == pytest.approx(vector.std(), rel=0.12)


def test_deleted_documents_leave_large_columns(documents: list[IndexDocument]) -> None:
    columns = ScopeColumns()
    columns.add(documents)
    large = LargeColumns.of(columns)
    [asked] = questions(1)
    before = large.candidates(asked)
    best = str(before.keys[before.eligible][0])
    group = before.group_names[before.groups[before.eligible][0]]
    assert large.remove(group, keys=[best]) == 1
    assert best not in set(large.candidates(asked).keys)
    assert large.remove(group) == 39
    assert large.candidates(asked).document_count == _MANY - 40


def test_compacting_changes_no_answer(documents: list[IndexDocument]) -> None:
    columns = ScopeColumns()
    columns.add(documents)
    large = LargeColumns.of(columns)
    kept = ScopeColumns()
    kept.add([one for one in documents if int(one.group[1:]) % 2])
    for session in range(0, _MANY // 40, 2):
        large.remove(f"s{session}")
    assert large.row_count < _MANY
    for asked in questions(3):
        one, other = kept.candidates(asked), large.candidates(asked)
        assert statistics(one) == statistics(other)
        here, there = set(one.keys[one.eligible]), set(other.keys[other.eligible])
        assert len(here & there) > 0.85 * len(here)


def test_numbers_that_are_gone_from_the_store_are_left_out() -> None:
    """`retain` keeps what the store has, and what is newer than it said."""
    columns = ScopeColumns()
    for number, one in enumerate(made(30), 1):
        [batch] = batches([one])
        columns.add_columns(replace(batch, numbers=[_FIRST_NUMBER + number]))
    left = _FIRST_NUMBER + np.arange(1, 11)
    assert columns.retain(left, up_to=_FIRST_NUMBER + 20) == 10
    assert len(columns) == 20
    [asked] = questions(1)
    held = set(columns.candidates(asked).keys)
    assert held == {one.key for at, one in enumerate(made(30), 1) if at <= 10 or at > 20}
    assert columns.retain(np.empty(0, np.int64)) == 20


def test_a_very_long_session_is_no_exception() -> None:
    """One session with everything in it: its score is that of its best turns."""
    columns = ScopeColumns()
    columns.add([
        document(f"k{number}", f"word{number % 97} word{number % 13}", position=number + 1)
        for number in range(3_000)
    ])  # fmt: skip
    large = LargeColumns.of(columns)
    asked = question("word3 word11")
    one, other = columns.candidates(asked), large.candidates(asked)
    assert other.session_lexical.max() == pytest.approx(one.session_lexical.max(), rel=1e-3)
    assert set(other.keys[other.eligible]) <= {f"k{number}" for number in range(3_000)}


def test_questions_without_vector_or_words_find_something(large: LargeColumns) -> None:
    for asked in (question("word30", vector=None), question("nothing of these", vector=None)):
        found = large.candidates(asked)
        assert found.eligible.sum() >= 300
        assert not found.has_vector.any()


def test_a_cut_before_the_filter_would_be_seen(exact: ScopeColumns, large: LargeColumns) -> None:
    """Negative control: the comparison above tells such a search from a sound one."""
    only = _FILTERS["sessions"]
    shares = []
    for asked, bare in zip(questions(6, **only), questions(6), strict=True):
        one, other = exact.candidates(asked), large.candidates(bare)
        wanted = set(one.keys[one.eligible])
        shares.append(len(wanted & set(other.keys[other.eligible])) / len(wanted))
    assert np.mean(shares) < 0.9
