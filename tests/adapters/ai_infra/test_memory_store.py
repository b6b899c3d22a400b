from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daybook import Daybook
from daybook.adapters.ai_infra.backends import embedder_of
from daybook.adapters.ai_infra.memory import MemoryItem, MemoryStore
from daybook.errors import ConfigError, InvalidInputError, MissingDependencyError
from daybook.testing.fake_clock import FakeClock


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as made:
        yield made


def test_put_get_delete(store: MemoryStore) -> None:
    item = store.put(("u", "prefs"), "language", {"value": "Python"})
    again = store.put(("u", "prefs"), "language", {"value": "Rust"})
    assert again.created_at == item.created_at <= again.updated_at
    found = store.get(("u", "prefs"), "language")
    assert found is not None
    found.value["value"] = "changed by the caller"
    assert store.list(("u", "prefs"))[0].value == {"value": "Rust"}
    assert store.delete(("u", "prefs"), "language")
    assert not store.delete(("u", "prefs"), "language")
    assert store.get(("u", "prefs"), "language") is None


def test_labels_are_never_joined(store: MemoryStore) -> None:
    store.put(("a/b",), "k", {"n": 1})
    store.put(("a", "b"), "k", {"n": 2})
    assert [item.value for item in store.list(("a/b",))] == [{"n": 1}]
    assert [item.value for item in store.list(("a",))] == [{"n": 2}]
    assert store.namespaces() == [("a", "b"), ("a/b",)]
    with pytest.raises(InvalidInputError):
        store.put("u", "k", {})


def test_expired_memories_do_not_use_up_a_limit() -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    with MemoryStore(clock=clock) as store:
        store.put(("u",), "long", {"text": "likes tea"}, ttl=100)
        store.put(("u",), "short", {"text": "likes tea now"}, ttl=10)
        clock.advance(timedelta(seconds=10))
        assert [item.key for item in store.list(("u",), limit=1)] == ["long"]
        assert [item.key for item, _ in store.search(("u",), "tea", limit=1)] == ["long"]
        assert store.get(("u",), "short") is None
        with pytest.raises(InvalidInputError):
            store.put(("u",), "none", {}, ttl=0)


def test_results_unpack_and_have_attributes(store: MemoryStore) -> None:
    store.put(("u", "facts"), "lang", {"value": "User prefers Python for data science"})
    store.put(("u", "facts"), "pet", {"value": "User has a dog called Rex"})
    results = store.search(namespace=("u", "facts"), query="the user's dog", limit=2)
    for item, score in results:
        assert isinstance(item, MemoryItem)
        assert 0 < score < 1
    best = results[0]
    assert (best.key, best.value["value"], best.score) == ("pet", best[0].value["value"], best[1])
    assert best.item.score == best.score
    assert store.search(("u",), "dog", filter={"value": "nothing"}) == []


def test_many_more_than_a_page(store: MemoryStore) -> None:
    for at in range(1100):
        store.put(("u",), f"k{at}", {"n": at})
    assert len(store.list(("u",))) == 1100
    assert len(store.list(("u",), limit=600)) == 600
    assert store.list(("u",), limit=0) == []


def test_scopes_do_not_reach_each_other(store: MemoryStore) -> None:
    store.put_user_memory("x", "k", {"of": "user"})
    store.put_session_memory("x", "k", {"of": "session"})
    store.put_global_memory("k", {"of": "all"})
    found = [
        store.get_user_memory("x", "k"),
        store.get_session_memory("x", "k"),
        store.get_global_memory("k"),
    ]
    assert [item.value["of"] for item in found if item] == ["user", "session", "all"]
    assert store.get_app_memory("k") == store.get_global_memory("k")
    assert len(store.search_user_memories("x", "user session all")) == 1
    for owner in ("ai-infra:session", "ai-infra:everybody"):
        with pytest.raises(InvalidInputError):
            store.get_user_memory(owner, "k", category="x")


async def test_async_twins(store: MemoryStore) -> None:
    await store.aput(("u",), "k", {"text": "green tea"}, ttl=3600)
    item = await store.aget(("u",), "k")
    assert item is not None
    assert (await store.alist(("u",)))[0] == item
    assert [one.key for one in await store.asearch(("u",), "tea")] == ["k"]
    assert await store.adelete(("u",), "k")


def test_a_file_keeps_what_threads_write(tmp_path: Path) -> None:
    path = str(tmp_path / "memories.db")
    with MemoryStore.sqlite(path) as store, ThreadPoolExecutor(8) as threads:
        puts = [
            threads.submit(store.put, (f"t{at % 8}",), f"k{at}", {"n": at}) for at in range(400)
        ]
        assert len({put.result().key for put in puts}) == 400
    with MemoryStore(backend="sqlite", path=path) as again:
        assert sum(len(again.list((f"t{at}",))) for at in range(8)) == 400


def test_memory_stores_are_apart_and_a_book_can_be_shared() -> None:
    with MemoryStore() as one, MemoryStore() as other:
        one.put(("u",), "k", {})
        assert other.get(("u",), "k") is None
    with Daybook.open("inmemory://") as book:
        MemoryStore(url=book).put(("u",), "k", {"n": 1})
        record = book.records.get(("u",), "k")
        assert record is not None
        assert record.value == {"n": 1}


def test_backends_say_what_they_need() -> None:
    for wrong in ({"backend": "sqlite"}, {"backend": "postgres"}, {"backend": "cloud"}):
        with pytest.raises(ConfigError):
            MemoryStore(**wrong)


def test_a_missing_provider_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, provider in (("openai", "openai"), ("langchain.embeddings", "cohere")):
        monkeypatch.setitem(sys.modules, module, None)
        embedder_of.cache_clear()
        with pytest.raises(MissingDependencyError, match=provider):
            MemoryStore(embedding_provider=provider)


def test_postgresql(postgres_url: str) -> None:
    with MemoryStore.postgres(postgres_url, tenant="ai-infra-store") as store:
        store.put(("u", "facts"), "k", {"value": "User has a dog called Rex"})
        assert [item.key for item, _ in store.search(("u", "facts"), "dog")] == ["k"]
        assert store.delete(("u", "facts"), "k")
