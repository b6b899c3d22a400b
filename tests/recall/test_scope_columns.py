from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.model.index_document import IndexDocument
from daybook.recall.columns import document_columns
from daybook.recall.search.scope_columns import ScopeColumns
from tests.recall.made_documents import differences, document, question, reading, statistics

_WORDS = "river stone lamp tea violin garden snow bread".split()
_ASKED = question("river tea violin")

_TEXTS = st.lists(st.sampled_from(_WORDS), min_size=0, max_size=5).map(" ".join)
_PLACES = st.tuples(st.sampled_from("abc"), st.integers(1, 9))


@pytest.fixture(autouse=True)
def eager_compaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove dead rows when a handful is dead, so that both states are met."""
    monkeypatch.setattr(document_columns, "_FEWEST_DEAD", 4)


@st.composite
def documents(draw: st.DrawFn) -> list[IndexDocument]:
    """Draw documents of three sessions, one for each position, in any order."""
    places = draw(st.lists(_PLACES, unique=True, max_size=14))
    return [
        document(
            f"k{position}",
            draw(_TEXTS),
            group=group,
            position=position,
            created_at=position * 10,
            speaker=draw(st.sampled_from(["", "Ann", "Bob"])),
            role=draw(st.sampled_from([1, 2])),
        )
        for group, position in places
    ]


def built(*parts: Sequence[IndexDocument], linked: bool = True) -> ScopeColumns:
    columns = ScopeColumns(linked=linked)
    for part in parts:
        columns.add(part)
    return columns


def assert_same(one: ScopeColumns, other: ScopeColumns) -> None:
    found, expected = one.candidates(_ASKED), other.candidates(_ASKED)
    here, there = reading(found), reading(expected)
    assert here.keys() == there.keys()
    assert {name: differences(row, there[name]) for name, row in here.items()} == {
        name: [] for name in here
    }
    assert statistics(found) == statistics(expected)
    assert len(one) == len(other)


@given(documents(), st.integers(1, 4))
def test_adding_piece_by_piece_is_building_at_once(made: list[IndexDocument], piece: int) -> None:
    pieces = [made[i : i + piece] for i in range(0, len(made), piece)]
    assert_same(built(*pieces), built(sorted(made, key=lambda one: (one.group, one.position))))


@given(documents(), st.data())
def test_what_was_removed_was_never_there(made: list[IndexDocument], data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.sampled_from(made), unique_by=id) if made else st.just([]))
    columns = built(made)
    for one in gone:
        assert columns.remove(one.group, keys=[one.key]) == 1
        assert columns.remove(one.group, keys=[one.key]) == 0
    assert_same(columns, built([one for one in made if one not in gone]))


@given(documents(), st.integers(0, 10))
def test_removing_below_a_position(made: list[IndexDocument], before: int) -> None:
    columns = built(made)
    removed = columns.remove("a", before=before)
    kept = [one for one in made if one.group != "a" or one.position >= before]
    assert removed == len(made) - len(kept)
    assert_same(columns, built(kept))


@given(documents(), st.data())
def test_a_document_replaces_the_one_of_its_key(
    made: list[IndexDocument], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(made), max_size=5) if made else st.just([]))
    newer = [
        document(old.key, f"snow {i}", group=old.group, position=old.position)
        for i, old in enumerate(again)
    ]
    latest = {(one.group, one.key): one for one in [*made, *newer]}
    assert_same(built(made, newer), built(list(latest.values())))
    assert_same(built([*made, *newer]), built(list(latest.values())))


def test_appending_after_everything_was_removed() -> None:
    columns = built([document("k1", "tea"), document("k2", "bread", position=2)])
    assert columns.remove("s") == 2
    columns.add([document("k3", "river", position=3)])
    assert_same(columns, built([document("k3", "river", position=3)]))


def test_a_key_may_come_again_in_another_group() -> None:
    columns = built([document("k", "tea", group="a")], [document("k", "tea", group="b")])
    assert len(columns) == 2


def test_records_have_no_neighbours_and_no_session() -> None:
    columns = built(
        [document(f"k{i}", text, position=0) for i, text in enumerate(_WORDS)], linked=False
    )
    for row in reading(columns.candidates(_ASKED)).values():
        assert (row["previous"], row["following"], row["session_lexical"]) == (None, None, 0)


def test_a_record_is_replaced_at_the_same_position() -> None:
    columns = built(
        [document("k", "tea", position=0)], [document("k", "snow", position=0)], linked=False
    )
    assert len(columns) == 1
    assert columns.candidates(_ASKED).document_frequency.tolist() == [0, 0, 0]


def test_only_vectors_of_the_asked_embedder_are_compared() -> None:
    columns = built(
        [
            document("k1", "tea"),
            document("k2", "tea", position=2, embedder="other", vector=np.ones(3, np.float32)),
            document("k3", "tea", position=3),
        ]
    )
    rows = reading(columns.candidates(_ASKED))
    assert [rows["s", key]["has_vector"] for key in ("k1", "k2", "k3")] == [True, False, True]
    assert rows["s", "k2"]["similarity"] == 0
    assert rows["s", "k3"]["previous_dot"] == 0
    assert rows["s", "k2"]["skip_dot"] == pytest.approx(1, abs=1e-4)


def test_a_query_of_another_width_compares_nothing() -> None:
    asked = question("tea", vector=np.ones(3, np.float32))
    found = built([document("k1", "tea")]).candidates(asked)
    assert not found.has_vector.any()


def test_an_empty_scope_has_no_candidates() -> None:
    found = ScopeColumns().candidates(_ASKED)
    assert (len(found.keys), found.document_count) == (0, 0)


def test_speakers_come_once() -> None:
    names = ["Bob", "", "Ann", "Bob"]
    columns = built([document(f"k{i}", "tea", position=i, speaker=n) for i, n in enumerate(names)])
    assert columns.speakers == ["Bob", "Ann"]


def test_a_difference_is_seen() -> None:
    """The control: rows that differ by a word differ in what is compared."""
    (one,), (other,) = (
        reading(built([document("k1", text)]).candidates(_ASKED)).values()
        for text in ("river tea", "river snow")
    )
    assert {"counts", "similarity", "session_similarity"} <= {*differences(one, other)}


def test_candidates_do_not_change_with_the_columns() -> None:
    columns = built([document(f"k{i}", text, position=i) for i, text in enumerate(_WORDS)])
    found = columns.candidates(_ASKED)
    before = reading(found)
    columns.add([document("late", "river tea", position=99)])
    columns.remove("s", before=5)
    assert reading(found) == before


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_interleaved_sessions_keep_their_own_order(rng: random.Random) -> None:
    made = [
        document(f"{group}{i}", "tea", group=group, position=i)
        for group in "abcd"
        for i in range(1, 6)
    ]
    rng.shuffle(made)
    for (group, key), row in reading(built(*[[one] for one in made]).candidates(_ASKED)).items():
        i = int(key[1:])
        assert row["previous"] == ((group, f"{group}{i - 1}") if i > 1 else None)
        assert row["following"] == ((group, f"{group}{i + 1}") if i < 5 else None)


def test_memory_grows_with_the_vectors() -> None:
    columns = built([document(f"k{i}", "river tea", position=i) for i in range(200)])
    assert columns.memory_bytes > 200 * 16 * 4
