from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.columns import postings
from daybook.recall.columns.postings import Postings

_HASHES = st.sampled_from([1, 7, 2**31, 2**32 - 2, 2**32 - 1])
_ROWS = st.lists(st.dictionaries(_HASHES, st.integers(1, 255), max_size=4), max_size=30)


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make runs, and merge them, after a handful of entries."""
    monkeypatch.setattr(postings, "_MOST_WAITING", 5)


def filled(rows: list[dict[int, int]]) -> Postings:
    held = Postings()
    for row, counts in enumerate(rows):
        held.add(
            np.array(list(counts), np.uint32),
            np.full(len(counts), row),
            np.array(list(counts.values()), np.uint8),
        )
    return held


def lists(held: Postings, hashes: list[int]) -> list[list[tuple[int, float]]]:
    return [
        sorted(zip(rows.tolist(), counts.tolist(), strict=True))
        for rows, counts in held.find(hashes)
    ]


@given(_ROWS)
def test_finds_what_was_added(rows: list[dict[int, int]]) -> None:
    hashes = [2**32 - 1, 1, 99]
    expected = [[(row, c[h]) for row, c in enumerate(rows) if h in c] for h in hashes]
    assert lists(filled(rows), hashes) == expected


@given(_ROWS, st.data())
def test_renumbering_drops_and_moves_rows(rows: list[dict[int, int]], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    new_rows = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int64)
    held = filled(rows)
    held.renumber(new_rows)
    survivors = [row for row, keep in zip(rows, kept, strict=True) if keep]
    hashes = [1, 7, 2**31, 2**32 - 2, 2**32 - 1]
    assert lists(held, hashes) == lists(filled(survivors), hashes)
