"""Lives in minutes, their renewal by reads, and the sweeper."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from daybook.adapters.langgraph import AsyncDaybookStore
from tests.adapters.langgraph.stores import ENGINES, daybook_store, incumbent_store

_MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_read_lets_an_item_live_as_long_again(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """By get, search and query; not by listing namespaces, nor where it is not wanted."""
    with daybook_store(engine, request, tmp_path, alone=True) as (open_store, clock):
        store = open_store()
        for name in ("got", "found", "ranked", "left"):
            store.put(("a", name), "k", {"what": "rhubarb"}, ttl=1.5)
        store.put(("a", "ever"), "k", {})
        clock.advance(_MINUTE)
        before = store.get(("a", "got"), "k")
        store.search(("a", "found"))
        assert len(store.search(("a", "ranked"), query="rhubarb")) == 1
        store.get(("a", "left"), "k", refresh_ttl=False)
        store.search(("a", "left"), refresh_ttl=False)
        store.list_namespaces()
        clock.advance(_MINUTE)
        left = {item.namespace[1] for item in store.search(("a",), refresh_ttl=False)}
        assert left == {"got", "found", "ranked", "ever"}
        after = store.get(("a", "got"), "k", refresh_ttl=False)
        assert (after.updated_at, after.value) == (before.updated_at, before.value)
        clock.advance(_MINUTE)
        assert [item.namespace for item in store.search(("a",))] == [("a", "ever")]
        assert store.list_namespaces() == [("a", "ever")]
        assert store.sweep_ttl() == 4
        assert store.sweep_ttl() == 0


def test_a_write_decides_anew(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with daybook_store("sqlite", request, tmp_path) as (open_store, clock):
        store = open_store(ttl={"default_ttl": 1, "refresh_on_read": False})
        store.put(("a",), "default", {})
        store.put(("a",), "none", {}, ttl=None)
        store.put(("a",), "long", {}, ttl=0.25)
        store.put(("a",), "long", {}, ttl=5)
        clock.advance(timedelta(seconds=30))
        store.search(("a",))  # renews nothing
        clock.advance(timedelta(seconds=31))
        assert sorted(item.key for item in store.search(("a",))) == ["long", "none"]
        with pytest.raises(ValueError, match="ttl"):
            store.put(("a",), "k", {}, ttl=0)


async def test_the_sweeper_runs_and_ends(tmp_path: Path) -> None:
    async with AsyncDaybookStore.from_conn_string(":memory:") as store:
        await store.setup()
        task = await store.start_ttl_sweeper(60)
        assert await store.start_ttl_sweeper(60) is task
        assert await store.stop_ttl_sweeper()
        assert task.cancelled()
        assert await store.sweep_ttl() == 0


def test_a_sweeper_on_a_thread_runs_and_ends(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with daybook_store("inmemory", request, tmp_path) as (open_store, _):
        store = open_store(ttl={"sweep_interval_minutes": 60})
        running = store.start_ttl_sweeper()
        assert store.start_ttl_sweeper() is running
        assert not running.done()
        assert store.stop_ttl_sweeper(timeout=60)
        assert running.done()
        assert store.stop_ttl_sweeper()


# The incumbents, where they are otherwise.


def _end_in_sqlite(folder: Path) -> str:
    with sqlite3.connect(f"{folder}/incumbent.db") as connection:
        [(end,)] = connection.execute("SELECT expires_at FROM store").fetchall()
    connection.close()
    return str(end)


def _backdate(folder: Path) -> None:
    with sqlite3.connect(f"{folder}/incumbent.db") as connection:
        connection.execute("UPDATE store SET expires_at = '2020-01-01 00:00:00'")
    connection.close()


def test_sqlite_store_never_renews_by_default(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Although LangGraph's own default is to renew."""
    with incumbent_store("SqliteStore", request, tmp_path) as store:
        store.put(("a",), "k", {}, ttl=5)
        _backdate(tmp_path)
        store.get(("a",), "k", refresh_ttl=True)
        assert _end_in_sqlite(tmp_path).startswith("2020")


def test_sqlite_store_returns_what_has_expired(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Even where it is told to omit it."""
    ttl = {"omit_expired": True, "refresh_on_read": False}
    with incumbent_store("SqliteStore", request, tmp_path, ttl=ttl) as store:
        store.put(("a",), "k", {}, ttl=5)
        _backdate(tmp_path)
        assert store.get(("a",), "k") is not None


def test_postgres_store_rounds_lives_to_minutes(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A life of 24 seconds is one of none after the first read."""

    with incumbent_store("PostgresStore", request, tmp_path) as store:
        store.put(("a",), "k", {}, ttl=0.4)
        rows = store.conn.execute("SELECT ttl_minutes FROM store").fetchall()
        assert [row["ttl_minutes"] for row in rows] == [0]
