"""The shipped table: loading, vectors, odd texts, and the check of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.embedders.static_table import StaticTable
from daybook.embedders.table_file import TableArrays, read_table, write_table
from daybook.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ODD_TEXTS = ["\x00", "a\x00b", "🎉🎉", "\ud800", "\udfff dog \ud800", "\u202e dog", "?!", " \n\t "]


@pytest.fixture
def small() -> TableArrays:
    generator = np.random.default_rng(7)
    return TableArrays(
        id="static-test-8",
        vectors=generator.integers(-127, 128, (5, 8), dtype=np.int8),
        scales=np.linspace(0.001, 0.01, 5).astype(np.float16),
        weights=np.linspace(0.1, 1, 5).astype(np.float16),
        vocabulary=["dog", "cat", "##s", "été", "tax"],
    )


def test_is_read_once() -> None:
    assert StaticTable.load() is StaticTable.load()


def test_describes_itself() -> None:
    table = StaticTable.load()
    assert table.id == "static-1-256"
    assert table.dimensions == 256


def test_rows_are_unit_or_zero() -> None:
    rows = StaticTable.load().encode(["I walked the dog", "", "tax", *ODD_TEXTS])
    assert rows.dtype == np.float32
    norms = np.linalg.norm(rows, axis=1)
    assert np.all((np.abs(norms - 1) < 1e-5) | (norms == 0))
    assert norms[0] > 0
    assert norms[1] == 0


def test_no_texts_give_no_rows() -> None:
    table = StaticTable.load()
    assert table.encode([]).shape == (0, 256)
    assert table.encode_ids([]).shape == (0, 256)
    assert table.token_vectors(table.token_ids("")).shape == (0, 256)


def test_meaning_is_near() -> None:
    table = StaticTable.load()
    rows = table.encode(
        ["My sister adopted a puppy.", "Her dog is young.", "The invoice is due on Friday."]
    )
    near, far = rows[0] @ rows[1], rows[0] @ rows[2]
    assert near > far + 0.2


def test_word_order_does_not_matter_but_words_do() -> None:
    rows = StaticTable.load().encode(["dog bites man", "man bites dog", "dog bites cat"])
    assert rows[0] @ rows[1] == pytest.approx(1, abs=1e-6)
    assert rows[0] @ rows[2] < 0.99


def test_a_text_has_one_vector_whatever_else_is_in_the_batch() -> None:
    table = StaticTable.load()
    texts = [f"the {word} number {n}" * (n % 7) for n, word in enumerate(["dog", "tax"] * 400)]
    together = table.encode(texts)
    alone = np.concatenate([table.encode([text]) for text in texts])
    assert np.array_equal(together, alone)


def test_ids_and_texts_agree() -> None:
    table = StaticTable.load()
    texts = ["a dog", "", "two cats and a dog", "unhappinesses", *ODD_TEXTS]
    from_ids = table.encode_ids([table.token_ids(text) for text in texts])
    assert np.array_equal(from_ids, table.encode(texts))


def test_a_megabyte_of_text() -> None:
    table = StaticTable.load()
    long = "the quick brown fox " * 50_000
    (row, short) = table.encode([long, "the quick brown fox"])
    assert row @ short == pytest.approx(1, abs=1e-4)
    assert table.encode(["x" * 1_000_000, "\u0301" * 100_000]).shape == (2, 256)


def test_token_vectors_are_unit_and_rare_words_weigh_more() -> None:
    table = StaticTable.load()
    ids = table.token_ids("the photosynthesis")
    assert np.linalg.norm(table.token_vectors(ids), axis=1) == pytest.approx([1, 1], abs=1e-5)
    common, rare = table.token_weights(ids)
    assert 0 < common < rare <= 1


@settings(deadline=None)
@given(st.lists(st.text(), max_size=8))
def test_any_texts_give_finite_rows(texts: list[str]) -> None:
    rows = StaticTable.load().encode(texts)
    assert rows.shape == (len(texts), 256)
    assert np.isfinite(rows).all()


def test_the_file_keeps_what_was_written(tmp_path: Path, small: TableArrays) -> None:
    write_table(tmp_path / "a.table", small)
    back = read_table(tmp_path / "a.table")
    assert back.id == small.id
    assert back.vocabulary == small.vocabulary
    assert np.array_equal(back.vectors, small.vectors)
    assert np.array_equal(back.scales, small.scales)
    assert np.array_equal(back.weights, small.weights)


def test_writing_is_deterministic(tmp_path: Path, small: TableArrays) -> None:
    write_table(tmp_path / "a.table", small)
    write_table(tmp_path / "b.table", small)
    assert (tmp_path / "a.table").read_bytes() == (tmp_path / "b.table").read_bytes()


@pytest.mark.parametrize("place", [0, 9, 50, 100, -1])
def test_a_changed_byte_is_noticed(tmp_path: Path, small: TableArrays, place: int) -> None:
    path = tmp_path / "a.table"
    write_table(path, small)
    content = bytearray(path.read_bytes())
    content[place] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"a\.table is damaged"):
        StaticTable.from_file(path)


@pytest.mark.parametrize("length", [0, 4, 12, 60, 100, -1])
def test_a_cut_file_is_noticed(tmp_path: Path, small: TableArrays, length: int) -> None:
    path = tmp_path / "a.table"
    write_table(path, small)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ConfigError, match=r"a\.table"):
        StaticTable.from_file(path)


def test_an_absent_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.table cannot be read"):
        StaticTable.from_file(tmp_path / "none.table")
