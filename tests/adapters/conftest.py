"""Where the books of adapter tests are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook import Daybook
from daybook.adapters import opened


@pytest.fixture(params=["inmemory", "sqlite", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | Daybook]:
    """A URL, or an opened book for what lives in RAM; one per test, also for its second holder."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/book.db"
    elif request.param == "file":
        yield f"file:///{tmp_path}/book"
    else:
        with Daybook.open("inmemory://") as book:
            yield book


def _with_its_books(url: str) -> Iterator[str]:
    """Give a server's URL; close what frameworks left open on it before the server ends.

    They close nothing by themselves, and a book that loses its server says so.
    """
    yield url
    for shared in list(opened._books._shared.values()):
        shared.close()


@pytest.fixture(scope="session")
def redis_url(redis_url: str) -> Iterator[str]:
    """A Redis server; use keys of your own."""
    yield from _with_its_books(redis_url)


@pytest.fixture(scope="session")
def mongodb_url(mongodb_url: str) -> Iterator[str]:
    """A MongoDB replica set; use databases or collections of your own."""
    yield from _with_its_books(mongodb_url)


@pytest.fixture(scope="session")
def postgres_url(postgres_url: str) -> Iterator[str]:
    """A PostgreSQL database with pgvector at hand; use schemas or databases of your own."""
    yield from _with_its_books(postgres_url)
