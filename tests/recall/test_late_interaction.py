from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.ranking.late_interaction import late_interaction
from tests.recall.made_documents import TOKENS

_TEXTS = st.lists(
    st.lists(st.sampled_from("river stone lamp tea violin snow".split()), max_size=5).map(" ".join),
    max_size=6,
)


def slow(subject: str, text: str) -> float:
    """Take the best cosine for each distinct token of the subject, weighted."""
    asked, held = np.unique(TOKENS.token_ids(subject)), TOKENS.token_ids(text)
    weights = TOKENS.token_weights(asked)
    if not len(held) or not weights.sum():
        return 0.0
    best = (TOKENS.token_vectors(asked) @ TOKENS.token_vectors(held).T).max(axis=1)
    return float(best @ weights / weights.sum())


def scored(subject: str, texts: list[str]) -> list[float]:
    ids = [TOKENS.token_ids(text) for text in texts]
    ends = np.cumsum([len(one) for one in ids]).astype(np.int64)
    starts = np.append(0, ends[:-1]).astype(np.int64)[: len(ids)]
    joined = np.concatenate([*ids, np.empty(0, np.uint16)])
    found: list[float] = late_interaction(subject, joined, starts, ends, TOKENS).tolist()
    return found


@given(_TEXTS, st.sampled_from(["river", "tea snow violin", "lamp lamp stone", ""]))
def test_equals_a_slow_reference(texts: list[str], subject: str) -> None:
    expected = [slow(subject, text) for text in texts]
    assert scored(subject, texts) == pytest.approx(expected, abs=1e-5)


def test_a_repeated_token_changes_nothing() -> None:
    once, again = (scored("tea snow", [text]) for text in ("river tea", "river tea tea river"))
    assert once == pytest.approx(again, abs=1e-6)


def test_documents_may_be_any_of_many() -> None:
    ids = TOKENS.token_ids("river stone lamp tea")
    starts, ends = np.array([2, 0]), np.array([4, 2])
    found = late_interaction("tea snow", ids, starts, ends, TOKENS).tolist()
    assert found == pytest.approx([slow("tea snow", "lamp tea"), slow("tea snow", "river stone")])
