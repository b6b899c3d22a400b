from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.protocols.embedder import TOKEN_WIDTH
from daybook.recall.ranking.token_vectors import as_bytes, best_cosines


def made(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, TOKEN_WIDTH)).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def slow(asked: np.ndarray, worth: np.ndarray, packed: bytes) -> float:
    """Take the best cosine for each asked token, weighted."""
    held = np.frombuffer(packed, np.int8).reshape(-1, TOKEN_WIDTH).astype(np.float64)
    best = (unit(asked.astype(np.float64)) @ unit(held).T).max(axis=1)
    return float(best @ worth / worth.sum())


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_directions_survive_packing(seed: int, rows: int) -> None:
    given_rows = made(seed, rows)
    held = as_bytes(given_rows).astype(np.float32)
    assert (unit(given_rows) * unit(held)).sum(axis=1).min() > 0.9999


def test_packing_forgets_length_and_keeps_zero() -> None:
    rows = made(1, 3)
    assert as_bytes(rows).tobytes() == as_bytes(rows * np.float32(8)).tobytes()
    assert not as_bytes(np.zeros((2, TOKEN_WIDTH), np.float32)).any()
    assert as_bytes(np.zeros((0, TOKEN_WIDTH), np.float32)).tobytes() == b""


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(1, 5))
def test_equals_a_slow_reference(sizes: list[int], tokens: int) -> None:
    packed = [as_bytes(made(7 + at, size)).tobytes() for at, size in enumerate(sizes)]
    asked, worth = as_bytes(made(3, tokens)), np.linspace(0.2, 1, tokens, dtype=np.float32)
    scores, there = best_cosines(asked, worth, packed)
    assert there.tolist() == [float(size > 0) for size in sizes]
    expected = [slow(asked, worth, one) if one else 0.0 for one in packed]
    assert scores.tolist() == pytest.approx(expected, abs=1e-5)


def test_the_order_of_documents_changes_no_bit() -> None:
    packed = [as_bytes(made(at, 1 + at % 7)).tobytes() for at in range(50)]
    asked, worth = as_bytes(made(99, 6)), np.ones(6, np.float32)
    scores, _ = best_cosines(asked, worth, packed)
    backwards, _ = best_cosines(asked, worth, packed[::-1])
    assert scores.tolist() == backwards[::-1].tolist()
    assert scores[:9].tolist() == best_cosines(asked, worth, packed[:9])[0].tolist()


def test_nothing_asked_meets_nothing() -> None:
    nothing = np.zeros((0, TOKEN_WIDTH), np.int8)
    scores, there = best_cosines(nothing, np.zeros(0, np.float32), [as_bytes(made(1, 2)).tobytes()])
    assert scores.tolist() == there.tolist() == [0.0]
