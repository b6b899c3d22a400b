"""What the word tokenizer promises, on a small vocabulary and on the shipped one."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.embedders.static_table import StaticTable
from daybook.embedders.word_tokenizer import WordTokenizer, words

VOCABULARY = [
    "un",
    "##happi",
    "##ness",
    "happy",
    "don't",
    "caroline",
    "s",
    "cafe",
    "7",
    "中",
    "##s",
]

_ASCII = st.characters(max_codepoint=127)


def entries(text: str) -> list[str]:
    rows = np.frombuffer(WordTokenizer(VOCABULARY).rows(text), np.uint16)
    return [VOCABULARY[row] for row in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("happy", ["happy"]),
        ("HAPPY, happy!", ["happy", "happy"]),
        ("unhappiness", ["un", "##happi", "##ness"]),
        ("don't", ["don't"]),
        ("DON\u2019T", ["don't"]),
        ("Caroline's", ["caroline"]),
        ("carolines", ["caroline", "##s"]),
        ("'happy'", ["happy"]),
        ("Café", ["cafe"]),
        ("Cafe\u0301", ["cafe"]),
        ("happy_happy-7", ["happy", "happy", "7"]),
        ("中中", []),
        ("happy 中", ["happy"]),
        ("happy 中中 日本", []),
        ("zzz", []),
        ("\x00happy\x00", ["happy"]),
        ("\ud800happy\udfff", ["happy"]),
        ("🎉 happy 🎉", ["happy"]),
    ],
)
def test_cuts_into_vocabulary_entries(text: str, expected: list[str]) -> None:
    assert entries(text) == expected


def test_an_endless_word_gives_nothing() -> None:
    assert entries("happy" * 100) == []


def test_the_cache_is_bounded_and_changes_nothing() -> None:
    tokenizer = WordTokenizer(VOCABULARY)
    before = tokenizer.rows("unhappiness caroline")
    for start in range(0, 140_000, 1_000):
        tokenizer.rows(" ".join(f"w{n}" for n in range(start, start + 1_000)))
    assert tokenizer.rows("unhappiness caroline") == before


@pytest.mark.parametrize(
    "text",
    ["Где мой велосипед?", "أين دراجتي", "我的自行车", "จักรยานของฉัน", "Που είναι; John", "साइकिल"],
)
def test_a_text_the_table_cannot_read_has_no_vector(text: str) -> None:
    assert not StaticTable.load().encode([text]).any()


@given(st.text(alphabet=_ASCII))
def test_rows_of_a_text_are_the_rows_of_its_words(text: str) -> None:
    table = StaticTable.load()
    joined = [row for word in words(text) for row in table.token_ids(word)]
    assert table.token_ids(text).tolist() == joined


@given(st.text(alphabet=_ASCII), st.text(alphabet=_ASCII))
def test_a_line_break_parts_words(first: str, second: str) -> None:
    table = StaticTable.load()
    parts = [*table.token_ids(first), *table.token_ids(second)]
    assert table.token_ids(f"{first}\n{second}").tolist() == parts


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_composed_and_decomposed_text_are_the_same(text: str) -> None:
    table = StaticTable.load()
    composed = unicodedata.normalize("NFC", text)
    decomposed = unicodedata.normalize("NFD", text)
    assert table.token_ids(composed).tolist() == table.token_ids(decomposed).tolist()


@given(st.text(alphabet=_ASCII))
def test_case_never_matters(text: str) -> None:
    table = StaticTable.load()
    assert table.token_ids(text.upper()).tolist() == table.token_ids(text.lower()).tolist()
