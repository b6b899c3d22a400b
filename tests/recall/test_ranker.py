from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.recall.ranking.query import plan_query
from daybook.recall.ranking.ranker import Ranked, rank
from daybook.recall.ranking.weights import load_weights
from daybook.recall.search.scope_columns import ScopeColumns
from tests.recall.made_documents import ANALYZER, MAKER, TOKENS, document, vector_of

_NOW = datetime(2024, 6, 1, tzinfo=UTC)
_TALK = {
    "a": ["I adopted a grey cat", "What is it called?", "Her name is Pepper", "Lovely"],
    "b": ["We hiked up the volcano", "How was the view?", "Clouds everywhere", "Pity"],
    "c": ["My violin needs new strings", "Take it to the shop on Mill Lane", "Thanks"],
}
_DOCUMENTS = [
    document(f"{group}{i}", text, group=group, position=i, speaker=["Ann", "Bob"][i % 2])
    for group, texts in _TALK.items()
    for i, text in enumerate(texts)
]


def answered(columns: ScopeColumns, text: str, *, limit: int = 5, weights: str = "static",
             vectors: bool = True) -> list[Ranked]:  # fmt: skip
    query = plan_query(text, analyzer=ANALYZER, now=_NOW, speaker_names=sorted(columns.speakers))
    vector = vector_of(query.subject) if vectors else None
    candidates = columns.candidates(query.candidate_query(vector, MAKER))
    return rank(
        query,
        candidates,
        token_embedder=TOKENS if vectors else None,
        weights=load_weights(weights),
        limit=limit,
    )


def built(documents: list[object] | None = None) -> ScopeColumns:
    columns = ScopeColumns()
    columns.add(documents or _DOCUMENTS)  # type: ignore[arg-type]
    return columns


@pytest.mark.parametrize("weights", ["static", "minilm", "lexical"])
@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("Which animal did Ann adopt? A cat?", "a0"),
        ("Who hiked up a volcano", "b0"),
        ("Which instrument needs new strings, a violin", "c0"),
    ],
)
def test_finds_the_turn(question: str, key: str, weights: str) -> None:
    found = answered(built(), question, weights=weights, vectors=weights != "lexical")
    assert key in [one.key for one in found[:3]]


def test_a_score_is_the_sum_of_its_contributions_largest_first() -> None:
    for one in answered(built(), "What is the name of the cat"):
        parts = list(one.contributions.values())
        assert one.score == pytest.approx(sum(parts), abs=1e-4)
        assert [abs(part) for part in parts] == sorted(map(abs, parts), reverse=True)
        assert all(parts)


def test_no_more_than_the_limit_best_first() -> None:
    found = answered(built(), "volcano cat violin", limit=3)
    scores = [one.score for one in found]
    assert len(found) == 3
    assert scores == sorted(scores, reverse=True)
    assert [one.key for one in answered(built(), "volcano cat violin", limit=20)][:3] == [
        one.key for one in found
    ]


def test_an_empty_scope_has_no_answer() -> None:
    assert answered(ScopeColumns(), "anything at all here") == []


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(rng: random.Random) -> None:
    shuffled = list(_DOCUMENTS)
    rng.shuffle(shuffled)
    columns = ScopeColumns()
    for one in shuffled:
        columns.add([one])
    asked = "What is the grey cat of Ann called"
    found, expected = (answered(each, asked, limit=11) for each in (columns, built()))
    assert [one.key for one in found] == [one.key for one in expected]
    assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=1e-3)


def test_ties_go_to_the_later_then_to_the_smaller_name() -> None:
    copies = [
        document("x", "tea", group="g2", created_at=5),
        document("x", "tea", group="g1", created_at=5),
        document("y", "tea", group="g3", created_at=9),
        document("z", "snow", group="g4", created_at=1),
    ]
    for order in (copies, copies[::-1]):
        columns = ScopeColumns()
        columns.add(order)
        found = answered(columns, "where is the tea", limit=3)
        assert [one.group for one in found] == ["g3", "g1", "g2"]


def test_records_are_ranked_too() -> None:
    columns = ScopeColumns(linked=False)
    columns.add(
        [
            document("tea", "prefers green tea", group="likes", position=0),
            document("pet", "has a grey cat", group="facts", position=0),
        ]
    )
    assert answered(columns, "which tea do they like")[0].key == "tea"
