from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.ranking.query_cleaning import cut_names, cut_request, name_words, named_speakers
from daybook.recall.text.words import words

_ORDER = (
    "List the order in which I brought up different aspects of gardening tools across our "
    "conversations, in order. Mention ONLY three items."
)
_NAMES = name_words(["Marianne Holt", "Theo", "user", "May"])


@pytest.mark.parametrize(
    ("question", "cut"),
    [
        ("What did Marianne cook for the party?", "What did cook for the party?"),
        ("What is Theo's favourite old film?", "What is favourite old film?"),
        ("What is Theo\u2019s favourite old film?", "What is favourite old film?"),
        ("what did theo say about boats", "what did say about boats"),
        ("Is the theo of old kept in Paris?", "Is the theo of old kept in Paris?"),
        ("Which boat may sail in autumn, Theo?", "Which boat may sail in autumn,?"),
        ("Did Mari like the opera evening?", "Did like the opera evening?"),
        ("What did the user ask for then?", "What did the user ask for then?"),
        ("Who is Theo?", "Who is Theo?"),
    ],
)
def test_names_are_cut(question: str, cut: str) -> None:
    assert cut_names(question, _NAMES) == cut


@pytest.mark.parametrize(
    ("question", "speakers"),
    [
        ("What did Marianne and Theo plan?", ["Marianne Holt", "Theo"]),
        ("What did Ms Holt plan?", ["Marianne Holt"]),
        ("What did Mari plan?", ["Marianne Holt"]),
        ("What did Ma plan?", []),
        ("May we go in May?", []),
        ("What may be planned?", []),
        ("What did the user plan?", []),
    ],
)
def test_named_speakers(question: str, speakers: list[str]) -> None:
    assert named_speakers(question, _NAMES) == speakers


def test_the_beginning_of_two_names_means_neither() -> None:
    names = name_words(["Martin", "Martha"])
    assert named_speakers("Did Mart call?", names) == []


@pytest.mark.parametrize(
    ("question", "cut"),
    [
        ("Can you list the rivers near my old house?", "the rivers near my old house?"),
        ("Could you please walk me through my tax plans", "my tax plans"),
        ("Tell me about the red boat races", "the red boat races"),
        (_ORDER, "List gardening tools"),
        ("Give me a short overview of my music lessons please", "my music lessons"),
        ("Do you remember when the boiler broke down?", "the boiler broke down?"),
        ("Which song did she sing in the choir?", "Which song did she sing in the choir?"),
        ("Can you help me?", "Can you help me?"),
    ],
)
def test_request_phrasing_is_cut(question: str, cut: str) -> None:
    result = cut_request(question)
    assert [word for word in words(result) if word != "list"] == [
        word for word in words(cut) if word != "list"
    ]


_PIECES = st.sampled_from(
    "can you please list tell me about the order in which I brought up Theo Theo's Marianne boats "
    "throughout our conversations mention only , ? . summary of a".split()
)


@given(st.lists(_PIECES, max_size=14).map(" ".join))
def test_cleaning_never_leaves_nothing(question: str) -> None:
    for cleaned in (cut_request(question), cut_names(question, _NAMES)):
        assert cleaned == question or len(words(cleaned)) >= 3


@given(st.text())
def test_any_text_can_be_cleaned(question: str) -> None:
    cleaned = cut_names(cut_request(question), _NAMES)
    assert bool(cleaned.strip()) == bool(question.strip()) or cleaned == question
