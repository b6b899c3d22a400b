"""The first cut: as many rows as asked for, whoever speaks, and people are not crowded out."""

from __future__ import annotations

import numpy as np

from daybook.recall.search.first_cut import cut

_ROWS = 1_000
_LIMIT = 100
_SCORES = np.linspace(1, 0, _ROWS, dtype=np.float32)
_ALL = np.ones(_ROWS, np.bool_)


def kept(assistant: np.ndarray[tuple[int], np.dtype[np.bool_]], allowed: object = None) -> set[int]:
    """Return the rows kept of a thousand, the first ones being the best."""
    chosen = _ALL if allowed is None else np.asarray(allowed)
    return set(cut(_SCORES, [], chosen, assistant, _LIMIT).tolist())


def test_among_people_alone_the_best_are_kept_as_many_as_asked_for() -> None:
    assert kept(~_ALL) == set(range(_LIMIT))


def test_half_of_the_places_are_for_people_where_an_assistant_has_all_the_best() -> None:
    assistant = np.arange(_ROWS) < 500
    assert kept(assistant) == set(range(_LIMIT // 2)) | set(range(500, 500 + _LIMIT // 2))


def test_an_assistant_alone_has_all_the_places() -> None:
    assert kept(_ALL) == set(range(_LIMIT))


def test_what_a_filter_leaves_out_takes_no_place() -> None:
    odd = np.arange(_ROWS) % 2 == 1
    assert kept(~_ALL, odd) == set(range(1, 2 * _LIMIT, 2))


def test_the_best_of_each_leg_are_kept_beside() -> None:
    backwards = _SCORES[::-1].copy()
    found = cut(_SCORES, [backwards], _ALL, ~_ALL, _LIMIT)
    assert _ROWS - 1 in found
    assert len(found) > _LIMIT
