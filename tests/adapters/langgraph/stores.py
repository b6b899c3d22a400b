"""Stores under test: ours on every engine, and LangGraph's own beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.store.postgres import PostgresStore
from langgraph.store.sqlite import SqliteStore

from daybook.adapters.langgraph import DaybookStore
from daybook.testing.fake_clock import FakeClock
from tests.adapters.places import own_place, own_store

ENGINES = ("inmemory", "sqlite", "file", "redis", "postgresql", "mongodb", "dynamodb")
Opener = Callable[..., Any]


class TickingClock(FakeClock):
    """A clock that goes on a little at each look."""

    def now(self) -> datetime:
        return self.advance(timedelta(microseconds=1))


@contextmanager
def daybook_store(
    engine: str, request: pytest.FixtureRequest, folder: Path, *, alone: bool = False
) -> Iterator[tuple[Opener, FakeClock]]:
    """Give what opens stores on one engine, all on one clock; a tenant of its own each time.

    With `alone` nobody else's tenants are there: what sweeps, sweeps those of all.
    """
    urls = {"inmemory": "inmemory://", "sqlite": f"sqlite:///{folder}/store.db"}
    fixtures = {"redis": "redis_url", "postgresql": "postgres_url"}
    if engine == "file":
        url = f"file:///{folder}/book"
    elif engine in urls:
        url = urls[engine]
    else:
        server = request.getfixturevalue(fixtures.get(engine, f"{engine}_url"))
        url = own_store(server) if alone else own_place(server)
    clock, tenant = TickingClock(), f"t{uuid4().hex}"
    with ExitStack() as stack:

        def open_store(**options: Any) -> DaybookStore:
            common = {"clock": clock, "tenant": tenant, **options}
            if engine in ("file", "redis", "mongodb", "dynamodb"):
                common = {"index_url": "inmemory://", **common}
            return stack.enter_context(DaybookStore(url, **common))

        yield open_store, clock


@contextmanager
def incumbent_store(
    name: str, request: pytest.FixtureRequest, folder: Path, **options: Any
) -> Iterator[BaseStore]:
    """Give one of LangGraph's own stores, empty."""
    if name == "InMemoryStore":
        options.pop("ttl", None)
        yield InMemoryStore(**options)
    elif name == "SqliteStore":
        with SqliteStore.from_conn_string(f"{folder}/incumbent.db", **options) as store:
            store.setup()
            yield store
    else:
        url = request.getfixturevalue("postgres_url")
        schema = f"lg{uuid4().hex}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        joint = "&" if "?" in url else "?"
        own = f"{url}{joint}options=-csearch_path%3D{schema}"
        with PostgresStore.from_conn_string(own, **options) as store:
            store.setup()
            yield store
