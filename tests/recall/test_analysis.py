from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.columns.term_blobs import pack_terms, unpack_many_terms
from daybook.recall.text.analysis import Analyzer
from daybook.recall.text.traits import Trait

ANALYZER = Analyzer()


def test_forms_of_a_word_share_a_stem() -> None:
    assert ANALYZER.stems("painting") == ANALYZER.stems("Painted!") == ANALYZER.stems("paints")


def test_stop_words_have_no_stem_and_still_count_as_length() -> None:
    assert ANALYZER.stems("what did she do about it") == []
    assert ANALYZER.analyse("what did she do about it").length == 6


def test_stems_come_once_in_order_of_appearance() -> None:
    cat, dog = ANALYZER.stems("cat")[0], ANALYZER.stems("dog")[0]
    assert ANALYZER.stems("dogs, cats and a dog") == [dog, cat]


def test_terms_count_occurrences_up_to_a_byte() -> None:
    hashes, counts, sizes = unpack_many_terms([ANALYZER.analyse("fish " * 300 + "bird").terms])
    assert sizes.tolist() == [2]
    held = dict(zip(hashes.tolist(), counts.tolist(), strict=True))
    assert held == {ANALYZER.stems("fish")[0]: 255, ANALYZER.stems("bird")[0]: 1}
    assert hashes.tolist() == sorted(hashes.tolist())


@pytest.mark.parametrize(
    ("text", "trait", "set_"),
    [
        ("Really? I see.", Trait.QUESTION, True),
        ("Really? I see.", Trait.ENDS_IN_QUESTION, False),
        ("You see? ", Trait.ENDS_IN_QUESTION, True),
        ("We met last Friday", Trait.TIME_WORD, True),
        ("We met", Trait.TIME_WORD, False),
        ("three eggs", Trait.NUMBER, True),
        ("room 4b", Trait.NUMBER, True),
        ("eggs", Trait.NUMBER, False),
        ("I'm here", Trait.FIRST_PERSON, True),
        ("I\u2019m here", Trait.FIRST_PERSON, True),
        ("they came", Trait.FIRST_PERSON, False),
        ("```x = 1```", Trait.CODE, True),
    ],
)
def test_traits(text: str, trait: Trait, set_: bool) -> None:
    assert bool(ANALYZER.analyse(text).traits & trait) is set_


def test_an_analyser_serves_threads() -> None:
    texts = [f"running number{i} tests{i % 7}" for i in range(400)]
    alone = [Analyzer().analyse(text) for text in texts]
    shared = Analyzer()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(shared.analyse, texts)) == alone


@given(st.text())
def test_any_text_can_be_analysed(text: str) -> None:
    analysis = ANALYZER.analyse(text)
    hashes, counts, _ = unpack_many_terms([analysis.terms])
    assert set(hashes.tolist()) >= set(ANALYZER.stems(text))
    assert counts.all()


_COUNTS = st.dictionaries(st.integers(1, 2**32 - 1), st.integers(1, 255), max_size=8)


@given(st.lists(_COUNTS, max_size=6))
def test_term_blobs_of_many_documents_come_apart_again(documents: list[dict[int, int]]) -> None:
    hashes, counts, sizes = unpack_many_terms([pack_terms(one) for one in documents])
    ends = np.cumsum(sizes).tolist()
    cut = [
        dict(zip(hashes[a:b].tolist(), counts[a:b].tolist(), strict=True))
        for a, b in zip([0, *ends], ends, strict=False)
    ]
    assert cut == documents
