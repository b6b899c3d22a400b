from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.text.words import words


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("user_id=42", ["user", "id", "42"]),
        ("Zoë's CAFÉ", ["zoe's", "cafe"]),
        ("it\u2019s", ["it's"]),
        ("\ufb01ne", ["fine"]),
        ("東京都", ["東", "京", "都", "東京", "京都"]),
        ("Ruby言語", ["ruby", "言", "語", "言語"]),
        ("\U0001f600 ok \U0001f44d\ufe0f", ["ok"]),
        ("", []),
        ("?!… —", []),
    ],
)
def test_cuts(text: str, cut: list[str]) -> None:
    assert words(text) == cut


def test_composed_and_decomposed_accents_are_one_word() -> None:
    assert words("caf\u00e9") == words("cafe\u0301") == words("cafe")


def test_a_korean_word_shares_pairs_with_the_same_word_inflected() -> None:
    assert "학교" in words("학교")
    assert "학교" in words("학교에서")


@given(st.text())
def test_any_text_gives_words_without_spaces(text: str) -> None:
    assert all(word and not any(map(str.isspace, word)) for word in words(text))
