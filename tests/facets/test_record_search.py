"""Searching records by query: filters, pages and what is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from daybook import AsyncDaybook
from daybook.facets.records import RecordWrite
from daybook.testing.fake_clock import FakeClock

_MANY = 2500


@pytest.fixture(params=["inmemory", "sqlite"])
async def book(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncDaybook]:
    url = "inmemory://" if request.param == "inmemory" else f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash", clock=FakeClock()) as opened:
        yield opened


def _text(number: int) -> str:
    """The higher the number, the less it is about tea."""
    return "green tea " + f"other{number} " * (number // 50)


async def _fill(book: AsyncDaybook, count: int) -> None:
    await book.records.put_many(
        [
            RecordWrite(namespace=("alice",), key=f"k{n}", value={"text": _text(n), "n": n})
            for n in range(count)
        ]
    )


async def test_a_filter_finds_the_one_among_thousands(book: AsyncDaybook) -> None:
    """However it ranks."""
    await _fill(book, _MANY)
    for number in (0, 1234, _MANY - 1):
        found = await book.records.search(("alice",), query="tea", filter={"n": number})
        assert [hit.record.value["n"] for hit in found] == [number]


async def test_pages_hold_everything_once(book: AsyncDaybook) -> None:
    """Also where most of the best match no filter."""
    await _fill(book, 300)
    seen: list[int] = []
    while page := await book.records.search(
        ("alice",), query="green", filter={"n": {"$gte": 100}}, limit=70, offset=len(seen)
    ):
        seen += [hit.record.value["n"] for hit in page]
    assert sorted(seen) == [*range(100, 300)]


async def test_what_expired_takes_no_place(book: AsyncDaybook) -> None:
    await _fill(book, 3)
    soon = timedelta(minutes=1)
    for number in range(100):
        await book.records.put(("alice",), f"e{number}", {"text": "tea tea"}, ttl=soon)
    clock = book.clock
    assert isinstance(clock, FakeClock)
    clock.advance(soon)
    found = await book.records.search(("alice",), query="tea", limit=10)
    assert sorted(hit.record.key for hit in found) == ["k0", "k1", "k2"]
