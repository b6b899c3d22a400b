from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daybook.recall.ranking.query import AnalysedQuery, plan_query
from tests.recall.made_documents import ANALYZER, vector_of

_NOW = datetime(2024, 5, 15, tzinfo=UTC)


def plan(text: str, *speakers: str) -> AnalysedQuery:
    return plan_query(text, analyzer=ANALYZER, now=_NOW, speaker_names=speakers)


def test_names_are_out_of_the_subject_and_behind_its_terms() -> None:
    query = plan("What did Theo paint last month?", "Theo", "Ann")
    assert query.subject == "What did paint last month?"
    assert query.full_terms[: len(query.terms)] == query.terms
    assert query.full_terms[len(query.terms) :] == tuple(ANALYZER.stems("Theo"))
    assert query.speakers == ("Theo",)


@pytest.mark.parametrize(
    ("text", "when", "many", "assistant"),
    [
        ("When was the wedding?", True, False, False),
        ("In what year did they move?", True, False, False),
        ("How many days did it take?", True, True, False),
        ("How many cats are there?", False, True, False),
        ("What did you suggest for lunch?", False, False, True),
        ("Which book had you recommended?", False, False, True),
        ("What was your advice on taxes?", False, False, True),
        ("Can you suggest a book?", False, False, False),
        ("Which book did Ann read?", False, False, False),
    ],
)
def test_what_is_asked_for(text: str, when: bool, many: bool, assistant: bool) -> None:
    query = plan(text)
    assert (query.asks_when, query.asks_how_many, query.asks_assistant) == (when, many, assistant)


def test_the_index_is_asked_for_terms_spans_and_the_one_speaker() -> None:
    query = plan("What did Theo paint in March 2024?", "Theo", "Ann")
    vector = vector_of(query.subject)
    asked = query.candidate_query(vector, "e", groups=frozenset({"s"}), since=3, limit=7)
    assert (asked.terms, asked.full_terms) == (query.terms, query.full_terms)
    assert (asked.speaker, asked.groups, asked.since, asked.limit) == (
        "Theo",
        frozenset({"s"}),
        3,
        7,
    )
    march = (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))
    assert asked.near == (tuple(round(one.timestamp() * 1e6) for one in march),)


def test_two_named_speakers_single_out_none() -> None:
    query = plan("What did Theo and Ann paint?", "Theo", "Ann")
    assert query.candidate_query(None, "").speaker == ""


@pytest.mark.parametrize("text", ["?", "\U0001f600", "the of and", "東京はどこ", "a"])
def test_odd_questions_are_read(text: str) -> None:
    assert plan(text, "Theo").subject
