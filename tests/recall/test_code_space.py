"""Codes of vectors, and keys as bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from daybook.recall.columns.code_space import CodeSpace
from daybook.recall.columns.packed_keys import PackedKeys
from daybook.recall.columns.vector_space import VectorSpace

_KEYS = st.one_of(st.uuids().map(str), st.text(max_size=40), st.uuids().map(lambda one: one.hex))


def vectors_of(count: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, width)) + 0.3
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
        np.float32
    )
    return unit


@pytest.mark.parametrize("width", [8, 33, 64, 100, 256])
def test_cosines_are_close(width: int) -> None:
    vectors = vectors_of(2_000, width)
    whole = VectorSpace(width, 0)
    whole.extend(0, vectors)
    space = CodeSpace.of(whole)
    query = vectors_of(1, width, seed=1)[0]
    rows = np.arange(2_000)
    errors = space.similarity(query, rows) - vectors @ query
    assert np.abs(errors).std() < 0.2 / np.sqrt(width)
    dots = space.dots(rows[:-1], rows[1:]) - np.vecdot(vectors[:-1], vectors[1:])
    assert dots.std() < 0.3 / np.sqrt(width)


def test_the_nearest_are_coarsely_near() -> None:
    vectors = vectors_of(4_000, 256)
    alike = vectors[17] + 0.04 * np.random.default_rng(2).normal(size=(10, 256))
    vectors[200:210] = alike / np.linalg.norm(alike, axis=1, keepdims=True)
    whole = VectorSpace(256, 0)
    whole.extend(0, vectors)
    space = CodeSpace.of(whole)
    query, rows = vectors[17], np.arange(4_000)
    for distances in (
        space.distances(query, np.empty(4_000, np.uint16)),
        space.finer_distances(query, rows),
    ):
        order = np.argsort(distances, kind="stable")
        assert order[0] == 17
        assert set(range(200, 210)) <= set(order[:20].tolist())


def test_rows_without_a_vector_are_far_from_everything() -> None:
    vectors = vectors_of(10, 64)
    vectors[3] = 0
    space = CodeSpace(64, 2)
    space.extend(2, vectors[:5])
    space.extend(9, vectors[5:])
    query = vectors[0]
    missing = [0, 1, 5, 7, 8]
    present = [row for row in range(14) if row not in missing]
    rows = np.arange(14)
    assert space.presence(rows).tolist() == [row in present for row in rows]
    assert (space.distances(query, np.empty(14, np.uint16))[missing] == 65_535).all()
    assert (space.finer_distances(query, rows)[missing] == 65_535).all()
    assert (space.similarity(query, rows)[missing] == 0).all()
    assert (space.dots(rows, np.full(14, 2))[missing] == 0).all()
    assert space.similarity(query, np.array([2]))[0] == pytest.approx(1, abs=0.05)


def test_kept_rows_keep_their_codes() -> None:
    vectors = vectors_of(100, 64)
    space = CodeSpace(64, 0)
    space.extend(0, vectors)
    rows = np.arange(1, 100, 3)
    kept = space.kept(rows)
    query = vectors[4]
    found = kept.similarity(query, np.arange(len(rows)))
    assert found.tolist() == space.similarity(query, rows).tolist()


@given(st.lists(st.lists(_KEYS, max_size=6), max_size=5), st.data())
def test_packed_keys_come_back(batches: list[list[str]], data: st.DataObject) -> None:
    held = PackedKeys()
    for batch in batches:
        held.extend(batch)
    keys = [key for batch in batches for key in batch]
    assert len(held) == len(keys)
    assert held.take(np.arange(len(keys))).tolist() == keys
    rows = sorted(data.draw(st.sets(st.integers(0, len(keys) - 1)))) if keys else []
    held.keep(np.array(rows, np.int64))
    left = [keys[row] for row in rows]
    assert held.take(np.arange(len(rows))).tolist() == left
    for batch in reversed(batches):
        held.extend(batch)
        left += batch
    assert held.take(np.arange(len(left))).tolist() == left
