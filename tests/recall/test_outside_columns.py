"""Columns whose words and vectors stay in a store find what columns that hold them find."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.index_document import IndexDocument
from daybook.recall.document_batch import batches
from daybook.recall.outside_columns import NumberedVectors, OutsideColumns
from daybook.recall.scope_columns import ScopeColumns
from daybook.recall.scope_search import Legs
from daybook.recall.term_blobs import unpack_many_terms
from tests.recall.made_documents import document, question

_WORDS = [f"word{i}" for i in range(40)]


class Store:
    """A store's part, done by hand: numbers documents and answers both legs."""

    def __init__(self, *, linked: bool = True) -> None:
        self.columns = OutsideColumns(linked=linked)
        self.held: dict[int, IndexDocument] = {}
        self.last = 0
        self.asked: list[int] = []

    def put(self, documents: list[IndexDocument]) -> None:
        for one in documents:
            same = [n for n, d in self.held.items() if (d.group, d.key) == (one.group, one.key)]
            for number in same:
                del self.held[number]
            self.last += 1
            self.held[self.last] = one
        first = self.last - len(documents) + 1
        for batch in batches(documents):
            numbers = range(first, first + len(batch.keys))
            self.columns.add_columns(replace(batch, numbers=list(numbers)))
            first += len(batch.keys)

    def settle(self) -> None:
        wanted = self.columns.wanted().tolist()
        self.asked += wanted
        self.columns.settle([self.vector(number) for number in wanted if self.has_vector(number)])

    def has_vector(self, number: int) -> bool:
        return number in self.held and self.held[number].vector is not None

    def vector(self, number: int) -> NumberedVectors:
        one = self.held[number]
        assert one.vector is not None
        return one.embedder, np.array([number]), one.vector[None, :]

    def legs(self, query: CandidateQuery) -> Legs:
        worded = [
            number
            for number, one in self.held.items()
            if set(unpack_many_terms([one.terms])[0].tolist()) & set(query.full_terms)
        ]
        near = [
            number
            for number, one in self.held.items()
            if query.vector is not None and one.vector is not None
            and one.embedder == query.embedder
        ]  # fmt: skip
        cosines = [float(self.held[number].vector @ query.vector) for number in near]  # type: ignore[operator] # not None
        return self.columns.legs(
            query.full_terms,
            (np.array(worded, np.int64), [self.held[number].terms for number in worded]),
            (np.array(near, np.int64), np.array(cosines, np.float32)),
        )

    def candidates(self, query: CandidateQuery) -> Candidates:
        self.settle()
        return self.columns.candidates(query, self.legs(query))[0]


def assert_same(one: Candidates, other: Candidates) -> None:
    for field in fields(Candidates):
        if field.name.startswith("token_"):
            continue
        here, there = getattr(one, field.name), getattr(other, field.name)
        if isinstance(here, np.ndarray) and here.dtype == np.float32:
            np.testing.assert_allclose(here, there, atol=1e-5, err_msg=field.name)
        else:
            assert list(np.atleast_1d(here)) == list(np.atleast_1d(there)), field.name


turns = st.builds(
    lambda group, at, words, maker: document(
        f"k{at}",
        " ".join(words),
        group=f"s{group}",
        position=at,
        created_at=at,
        embedder=f"e{maker}",
        **({} if maker else {"vector": None}),
    ),
    st.integers(0, 2),
    st.integers(0, 12),
    st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6),
    st.integers(0, 2),
)


@given(st.lists(st.lists(turns, min_size=1, max_size=8), min_size=1, max_size=6))
def test_they_find_the_same(puts: list[list[IndexDocument]]) -> None:
    store, whole = Store(), ScopeColumns()
    query = replace_embedder(question("word1 word2 word3 word7"), "e1")
    for put in puts:
        put = list({(one.group, one.key): one for one in put}.values())  # noqa: PLW2901 - distinct
        store.put(put)
        whole.add(put)
        assert_same(store.candidates(query), whole.candidates(query))


def replace_embedder(query: CandidateQuery, embedder: str) -> CandidateQuery:
    from msgspec.structs import replace as changed  # noqa: PLC0415

    return changed(query, embedder=embedder)


def test_vectors_that_came_with_the_documents_are_not_asked_for_again() -> None:
    store = Store()
    store.put([document(f"k{i}", _WORDS[i], position=i) for i in range(20)])
    store.settle()
    assert store.asked == []
    store.put([document("k20", "word1", position=20)])
    store.settle()
    assert store.asked == [19, 20]  # the turns before: their products changed


def test_products_are_unknown_until_they_are_settled() -> None:
    store = Store()
    store.put([document(f"k{i}", "word1 word2", position=i) for i in range(3)])
    assert not store.columns.is_settled
    query = question("word1")
    assert store.columns.candidates(query, store.legs(query))[0].previous_dot.max() == 0
    assert store.candidates(query).previous_dot.tolist() == pytest.approx([0, 1, 1], abs=1e-5)
    assert store.columns.is_settled


def test_records_have_no_neighbours_to_settle() -> None:
    store = Store(linked=False)
    store.put([document(f"k{i}", "word1", position=0) for i in range(3)])
    assert store.columns.is_settled


def test_what_is_left_is_small() -> None:
    documents = [
        document(f"k{i}", " ".join(_WORDS[i % 30 : i % 30 + 10]), position=i) for i in range(500)
    ]
    store, whole = Store(), ScopeColumns()
    store.put(documents)
    store.settle()
    whole.add(documents)
    assert store.columns.memory_bytes < whole.memory_bytes / 2  # with 16 numbers a vector


def test_documents_the_columns_do_not_know_are_left_out() -> None:
    store = Store()
    store.put([document("k1", "word1", position=1)])
    legs = store.columns.legs(
        question("word1").full_terms,
        (np.array([1, 7]), [store.held[1].terms] * 2),
        (np.array([1, 7]), np.ones(2, np.float32)),
    )
    assert [rows.tolist() for rows, _ in legs.found] == [[0]]
    assert legs.similarity.tolist() == [1.0]
