"""What a store must do, as checks that run on any `BaseStore`; each raises where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph.store.base import BaseStore, GetOp, ListNamespacesOp, PutOp, SearchOp

Check = Callable[[BaseStore], None]
NUMBERS = (2, 9, 10, 100)


def keys(items: list[Any]) -> list[str]:
    return sorted(item.key for item in items)


def found_by(store: BaseStore, values: list[Any], condition: dict[str, Any]) -> list[str]:
    for number, value in enumerate(values):
        store.put(("f",), str(number), value)
    return keys(store.search(("f",), filter=condition, limit=99))


def reads_of_a_batch_come_before_its_writes(store: BaseStore) -> None:
    ops = [
        PutOp(("a",), "k", {"n": 1}),
        GetOp(("a",), "k"),
        SearchOp(("a",)),
        ListNamespacesOp(),
    ]
    assert store.batch(ops) == [None, None, [], []]
    assert store.get(("a",), "k").value == {"n": 1}


def the_last_write_of_a_key_counts(store: BaseStore) -> None:
    store.put(("a",), "gone", {"n": 0})
    store.batch(
        [
            PutOp(("a",), "k", {"n": 1}),
            PutOp(("a",), "k", {"n": 2}),
            PutOp(("a",), "gone", {"n": 1}),
            PutOp(("a",), "gone", None),
            PutOp(("a",), "back", None),
            PutOp(("a",), "back", {"n": 3}),
        ]
    )
    assert {item.key: item.value["n"] for item in store.search(("a",))} == {"k": 2, "back": 3}


def values_are_nobodys_alias(store: BaseStore) -> None:
    given = {"list": [1]}
    store.put(("a",), "k", given)
    given["list"].append(2)
    store.get(("a",), "k").value["list"].append(3)
    store.search(("a",))[0].value["list"].append(4)
    assert store.get(("a",), "k").value == {"list": [1]}


def an_update_keeps_when_it_was_created(store: BaseStore) -> None:
    store.put(("a",), "k", {"n": 1})
    first = store.get(("a",), "k")
    store.put(("a",), "k", {"n": 2})
    second = store.get(("a",), "k")
    assert second.created_at == first.created_at


def times_have_a_zone_and_advance(store: BaseStore) -> None:
    store.put(("a",), "k", {"n": 1})
    first = store.get(("a",), "k")
    store.put(("a",), "k", {"n": 2})
    second = store.get(("a",), "k")
    assert first.updated_at.tzinfo is not None
    assert second.updated_at.utcoffset() == timedelta(0)
    assert second.updated_at > first.updated_at


def a_search_without_a_query_gives_the_last_updated_first(store: BaseStore) -> None:
    for name in ("one", "two", "three"):
        store.put(("a", name), name, {})
    store.put(("a", "one"), "one", {"again": True})
    assert [item.key for item in store.search(("a",))] == ["one", "three", "two"]
    pages = [store.search(("a",), limit=2, offset=at) for at in (0, 2)]
    assert [[item.key for item in page] for page in pages] == [["one", "three"], ["two"]]


def numbers_are_compared_as_numbers(store: BaseStore) -> None:
    values = [{"n": n} for n in NUMBERS]
    assert found_by(store, values, {"n": {"$gt": 9}}) == ["2", "3"]
    assert keys(store.search(("f",), filter={"n": {"$gte": 9, "$lt": 100}})) == ["1", "2"]
    assert keys(store.search(("f",), filter={"n": {"$lte": 9.5}})) == ["0", "1"]


def dates_are_compared_as_text(store: BaseStore) -> None:
    values = [{"at": f"2026-0{month}-01T00:00:00Z"} for month in (1, 5, 9)]
    assert found_by(store, values, {"at": {"$gt": "2026-04-01"}}) == ["1", "2"]


def objects_are_compared_whole(store: BaseStore) -> None:
    values = [{"u": {"a": 1, "b": 2}}, {"u": {"a": 1}}, {"u": 1}, {}]
    assert found_by(store, values, {"u": {"a": 1}}) == ["1"]


def what_is_absent_is_not_equal(store: BaseStore) -> None:
    assert found_by(store, [{"x": 1}, {"x": 2}, {}], {"x": {"$ne": 1}}) == ["1", "2"]


def true_is_not_one_and_null_is_not_absent(store: BaseStore) -> None:
    values = [{"b": True}, {"b": 1}, {"b": None}, {}]
    assert found_by(store, values, {"b": 1}) == ["1"]
    assert keys(store.search(("f",), filter={"b": True})) == ["0"]
    assert keys(store.search(("f",), filter={"b": None})) == ["2"]


def a_key_with_a_dot_is_a_key_first_and_a_path_then(store: BaseStore) -> None:
    values = [{"u.age": 3}, {"u": {"age": 3}}, {"u.age": 4, "u": {"age": 3}}]
    assert found_by(store, values, {"u.age": 3}) == ["0", "1"]


def a_filter_is_data(store: BaseStore) -> None:
    """CVE-2025-8709 and its like: names and operators never reach a query."""
    store.put(("f",), "k", {"a": 1})
    for name in ("a') OR 1=1 --", "a'); DROP TABLE store; --", '"', "$", "a[0]"):
        assert store.search(("f",), filter={name: "x"}) == []
    with pytest.raises(ValueError, match=r"\$like"):
        store.search(("f",), filter={"a": {"$like": "%"}})
    assert len(store.search(("f",))) == 1


def odd_text_is_kept(store: BaseStore) -> None:
    value = {"nul": "a\x00b", "a\x00": "é e\u0301", "big": 2**63, "f": 0.1}
    store.put(("a",), "k", value)
    assert store.get(("a",), "k").value == value


def what_is_no_json_is_refused(store: BaseStore) -> None:
    """With an error that says where, and nothing of the batch is stored."""
    for bad in (float("nan"), float("inf"), "\ud800", b"bytes", {1: 2}, object()):
        with pytest.raises(ValueError, match="value"):
            store.batch([PutOp(("a",), "good", {}), PutOp(("a",), "bad", {"x": [bad]})])
    assert store.search(("a",)) == []


def other_kinds_are_stored_as_json(store: BaseStore) -> None:
    value = {"pair": (1, (2,)), "at": datetime(2026, 1, 2, tzinfo=UTC)}
    store.put(("a",), "k", value)
    assert store.get(("a",), "k").value == {"pair": [1, [2]], "at": "2026-01-02T00:00:00Z"}


def lives_are_supported(store: BaseStore) -> None:
    assert store.supports_ttl
    store.put(("a",), "k", {}, ttl=1.5)
    assert store.get(("a",), "k") is not None


def one_object_serves_sync_and_async(store: BaseStore) -> None:
    async def use() -> Any:
        await store.aput(("a",), "k", {"n": 1})
        await store.aput(("a",), "gone", {"n": 1})
        await store.adelete(("a",), "gone")
        many = [store.aget(("a",), "k") for _ in range(20)]
        assert {item.value["n"] for item in await asyncio.gather(*many)} == {1}
        assert len(await store.asearch(("a",))) == 1
        return await store.alist_namespaces()

    assert asyncio.run(use()) == [("a",)]  # two loops, one after the other
    assert asyncio.run(use()) == [("a",)]
    assert store.get(("a",), "k").value == {"n": 1}


def a_list_is_a_prefix_too(store: BaseStore) -> None:
    store.put(("a", "b"), "k", {"n": 1})
    assert len(store.search(["a"])) == 1
    assert store.get(["a", "b"], "k").value == {"n": 1}


def a_prefix_matches_whole_labels(store: BaseStore) -> None:
    for namespace in (("a",), ("a", "b"), ("ab",), ("a_",), ("a%",), ("A",)):
        store.put(namespace, "k", {})
    assert {item.namespace for item in store.search(("a",))} == {("a",), ("a", "b")}
    assert {item.namespace for item in store.search(("a_",))} == {("a_",)}
    assert len(store.search(())) == 6


def namespaces_are_listed(store: BaseStore) -> None:
    homes = [("a", "b", "c"), ("a", "b", "d", "e"), ("a", "b", "d", "i"), ("a", "b", "f")]
    homes += [("a", "c", "f"), ("b", "a", "f"), ("users", "alice", "v1"), ("users", "bob", "v2")]
    for home in homes:
        store.put(home, "k", {})
    below = store.list_namespaces(prefix=("a", "b"), max_depth=3)
    assert below == [("a", "b", "c"), ("a", "b", "d"), ("a", "b", "f")]
    assert store.list_namespaces(suffix=("f",)) == [
        ("a", "b", "f"),
        ("a", "c", "f"),
        ("b", "a", "f"),
    ]
    assert store.list_namespaces(prefix=("users", "*", "v1")) == [("users", "alice", "v1")]
    assert store.list_namespaces(prefix=("*", "b"), suffix=("*", "f")) == [("a", "b", "f")]
    assert store.list_namespaces(suffix=("x", "a", "b", "c")) == []
    assert store.list_namespaces(max_depth=1) == [("a",), ("b",), ("users",)]
    everything = store.list_namespaces()
    assert everything == sorted(homes)
    pages = [store.list_namespaces(limit=3, offset=at) for at in (0, 3, 6)]
    assert [one for page in pages for one in page] == everything


def bad_namespaces_are_refused_everywhere(store: BaseStore) -> None:
    for bad in (("a.b",), ("",), (1,)):
        for op in (GetOp(bad, "k"), PutOp(bad, "k", {}), SearchOp(bad)):
            with pytest.raises(ValueError):  # noqa: PT011 - LangGraph's own subclass
                store.batch([PutOp(("fine",), "k", {}), op])
    with pytest.raises(ValueError):  # noqa: PT011
        store.put((), "k", {})
    with pytest.raises(ValueError):  # noqa: PT011
        store.put(("langgraph",), "k", {})
    assert store.search(()) == []


CHECKS: dict[Check, tuple[str, ...]] = {
    reads_of_a_batch_come_before_its_writes: (),
    the_last_write_of_a_key_counts: (),
    values_are_nobodys_alias: ("InMemoryStore",),
    an_update_keeps_when_it_was_created: ("InMemoryStore",),
    times_have_a_zone_and_advance: ("SqliteStore",),
    # SqliteStore keeps whole seconds: within one its order is anything.
    a_search_without_a_query_gives_the_last_updated_first: ("InMemoryStore",),
    numbers_are_compared_as_numbers: ("PostgresStore",),
    dates_are_compared_as_text: ("InMemoryStore",),
    objects_are_compared_whole: ("InMemoryStore", "SqliteStore", "PostgresStore"),
    what_is_absent_is_not_equal: ("SqliteStore", "PostgresStore"),
    true_is_not_one_and_null_is_not_absent: ("InMemoryStore", "SqliteStore"),
    a_key_with_a_dot_is_a_key_first_and_a_path_then: (
        "InMemoryStore",
        "SqliteStore",
        "PostgresStore",
    ),
    a_filter_is_data: (),
    odd_text_is_kept: ("PostgresStore",),
    what_is_no_json_is_refused: ("InMemoryStore", "SqliteStore", "PostgresStore"),
    other_kinds_are_stored_as_json: (),
    lives_are_supported: ("InMemoryStore",),
    one_object_serves_sync_and_async: ("SqliteStore",),
    a_list_is_a_prefix_too: ("InMemoryStore",),
    a_prefix_matches_whole_labels: (),
    namespaces_are_listed: (),
    bad_namespaces_are_refused_everywhere: (),
}
"""Each check, and the stores of LangGraph's that fail it."""
