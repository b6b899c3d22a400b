"""Search by query: Daybook's own index, or a store's `IndexConfig`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langgraph.store.memory import InMemoryStore

from daybook import Daybook
from daybook.adapters.langgraph import DaybookStore
from daybook.errors import ConfigError
from tests.adapters.langgraph.stores import ENGINES, daybook_store

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class LetterEmbeddings(Embeddings):
    """A vector says how often each letter occurs."""

    def __init__(self) -> None:
        self.documents: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.documents += texts
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [float(text.count(letter)) for letter in _LETTERS]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_query_ranks_on_every_engine(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Without any configuration, extension or model; filters and pages apply."""
    with daybook_store(engine, request, tmp_path) as (open_store, _):
        store = open_store()
        store.put(("alice", "food"), "1", {"text": "She likes spicy noodles", "n": 1})
        store.put(("alice", "work"), "2", {"text": "She writes compilers", "n": 2})
        store.put(("bob",), "3", {"text": "He likes mild noodles", "n": 3})
        first, *rest = store.search(("alice",), query="spicy noodles")
        assert (first.key, first.namespace) == ("1", ("alice", "food"))
        assert all(first.score > item.score for item in rest)
        assert [
            item.key for item in store.search(("alice",), query="noodles", filter={"n": 2})
        ] in (
            [],
            ["2"],
        )
        everywhere = store.search((), query="noodles", limit=2)
        assert {item.key for item in everywhere} == {"1", "3"}
        pages = [store.search((), query="noodles", limit=1, offset=at) for at in (0, 1)]
        assert [item.key for page in pages for item in page] == [item.key for item in everywhere]
        assert store.search(("alice",))[0].score is None


def test_fields_decide_what_is_searched(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with daybook_store("sqlite", request, tmp_path) as (open_store, _):
        store = open_store(index={"fields": ["chapters[*].title", "meta.topic"]})
        value = {"chapters": [{"title": "rhubarb", "text": "granite"}], "meta": {"topic": "pies"}}
        store.put(("a",), "default", value)
        store.put(("a",), "own", value, index=["chapters[0].text"])
        store.put(("a",), "none", value, index=False)

        def best(query: str) -> str:
            return str(store.search(("a",), query=query)[0].key)

        assert (best("rhubarb"), best("pies"), best("granite")) == ("default", "default", "own")
        found = {item.key for item in store.search(("a",), query="rhubarb granite", limit=99)}
        assert found == {"default", "own"}
        store.put(("a",), "own", value, index=False)
        assert {item.key for item in store.search(("a",), query="granite")} == {"default"}


def test_the_embeddings_of_a_store_are_used(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    embeddings = LetterEmbeddings()
    with daybook_store("sqlite", request, tmp_path) as (open_store, _):
        store = open_store(index={"dims": 26, "embed": embeddings, "fields": ["t"]})
        store.put(("a",), "1", {"t": "zzzz"})
        store.put(("a",), "2", {"t": "qqqq"})
        assert sorted(embeddings.documents) == ["qqqq", "zzzz"]
        assert store.search(("a",), query="zqz", limit=1)[0].key == "1"
        assert store.embeddings is embeddings


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="dims"):
        DaybookStore("inmemory://", index={"embed": LetterEmbeddings()})
    with Daybook.open("inmemory://") as book, pytest.raises(ConfigError, match="embedder"):
        DaybookStore(book, index={"dims": 26, "embed": LetterEmbeddings()})
    with pytest.raises(ConfigError):
        DaybookStore("chat.db")


def test_without_an_index_a_query_is_passed_over(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """As LangGraph's stores do."""
    with daybook_store("sqlite", request, tmp_path) as (open_store, _):
        store = open_store(index_url="none")
        store.put(("a",), "1", {"t": "x"})
        store.put(("a",), "2", {"t": "y"})
        found = store.search(("a",), query="x")
        assert [(item.key, item.score) for item in found] == [("2", None), ("1", None)]


def _pages(store: Any) -> list[str]:
    return [
        item.key
        for at in (0, 4, 8)
        for item in store.search(("a",), query="zz", limit=4, offset=at)
    ]


def test_pages_of_a_query_hold_nothing_twice(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    index: Any = {"dims": 26, "embed": LetterEmbeddings(), "fields": ["t"]}
    with daybook_store("inmemory", request, tmp_path) as (open_store, _):
        ours, theirs = open_store(index=index), InMemoryStore(index=index)
        for store in (ours, theirs):
            for number in range(6):
                store.put(("a",), str(number), {"t": "z" * (number + 1)})
            for number in range(6, 10):
                store.put(("a",), str(number), {"t": "z"}, index=False)
        assert sorted(_pages(ours)) == [str(number) for number in range(6)]
        assert len(set(_pages(theirs))) < len(_pages(theirs))


def test_an_opened_book_is_shared() -> None:
    """What an agent stores is in the application's own book, and the other way round."""
    with Daybook.open("inmemory://") as book:
        with DaybookStore(book) as store:
            store.put(("alice", "prefs"), "tea", {"likes": True})
            record = book.records.get(("alice", "prefs"), "tea")
            assert record is not None
            assert record.value == {"likes": True}
            store.put(("alice", "prefs"), "tea", {"likes": False})
            assert len(book.records.versions(("alice", "prefs"), "tea")) == 2
        assert book.records.get(("alice", "prefs"), "tea") is not None  # closing leaves it open
