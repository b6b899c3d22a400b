"""Numbers in as few bytes as they need."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.columns.narrow_array import NarrowArray

_NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31) - 2, 2**31 + 2), st.integers(-130, 130)
)


@given(parts=st.lists(st.lists(_NUMBERS, max_size=5), max_size=8))
def test_every_number_comes_back(parts: list[list[int]]) -> None:
    column = NarrowArray()
    for part in parts:
        column.extend(part)
    wanted = [number for part in parts for number in part]
    assert column.view.tolist() == wanted
    rows = np.arange(0, len(wanted), 2)
    column.keep(rows)
    assert column.view.tolist() == wanted[::2]


@pytest.mark.parametrize(
    ("number", "width"),
    [(-128, 1), (128, 2), (-32_769, 4), (1 << 31, 8), (-(1 << 31), 4), (-(1 << 31) - 1, 8)],
)
def test_a_number_takes_no_more_than_it_needs(number: int, width: int) -> None:
    column = NarrowArray()
    column.extend([1, 2])
    column.extend([number])
    column.extend([3])
    assert column.view.dtype.itemsize == width
    assert column.view.tolist() == [1, 2, number, 3]


def test_room_that_was_made_stays() -> None:
    column = NarrowArray()
    column.reserve(1_000)
    column.extend([1 << 20])
    assert column.nbytes == 4_000
