"""One book per place, for whoever asks, until the last one is done."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from daybook import AsyncDaybook, Daybook, Message
from daybook.adapters.opened import OpenedBook, Place, aopened, opened
from daybook.errors import ConfigError, DaybookError, StoreClosedError


def test_who_names_the_same_place_and_options_shares_a_book(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    one, two = opened(url, embedder=None), opened(url, embedder=None)
    other = opened(url, embedder=None, tenant="other")
    assert one.blocking is two.blocking
    assert other.blocking is not one.blocking
    for held in (one, two, other):
        held.close()


def test_a_relative_place_is_another_one_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        held.append(opened("sqlite:///a.db", embedder=None))
    assert held[0].blocking is not held[1].blocking
    for one in held:
        one.close()
    assert all((tmp_path / name / "a.db").exists() for name in ("one", "other"))


def test_threads_that_open_at_once_get_one_book(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: opened(url, embedder=None), range(8)))
    assert len({id(one.blocking) for one in held}) == 1
    for one in held:
        one.close()


def test_threads_that_open_one_place_at_once_hold_its_book_once(tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path}/a.db", {"embedder": None})
    all_are_here = threading.Barrier(8)

    def use(_: int) -> OpenedBook:
        all_are_here.wait(60)
        return place.open()

    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(use, range(8)))
    assert len({id(one) for one in held}) == 1
    place.close()
    with pytest.raises(StoreClosedError):
        held[0].blocking.history.list("s")


def test_the_last_one_closes_it_and_no_earlier_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    one, two = opened(url, embedder=None), opened(url, embedder=None)
    one.close()
    one.close()  # once more counts once
    two.blocking.history.append("s", Message.user("still open"), user_id="u")
    two.close()
    with pytest.raises(StoreClosedError):
        two.blocking.history.list("s")
    again = opened(url, embedder=None)
    assert len(again.blocking.history.list("s")) == 1
    again.close()


async def test_sync_and_async_callers_use_the_same_book(tmp_path: Path) -> None:
    held = await aopened(f"sqlite:///{tmp_path}/a.db", embedder=None)
    await held.awaited.history.append("s", Message.user("one"), user_id="u")
    listed = await asyncio.to_thread(held.blocking.history.list, "s")
    assert held.run(held.awaited.history.list("s")) == listed
    await asyncio.to_thread(held.close)


def test_a_book_that_was_handed_in_stays_open(tmp_path: Path) -> None:
    with Daybook.open(f"sqlite:///{tmp_path}/a.db", embedder=None) as book:
        held = opened(book)
        assert held.blocking is book
        held.close()
        assert book.history.list("s") == []


async def test_an_async_book_serves_sync_callers(tmp_path: Path) -> None:
    async with AsyncDaybook.open(f"sqlite:///{tmp_path}/a.db", embedder=None) as book:
        held = opened(book)
        assert held.awaited is book
        assert held.blocking is opened(book).blocking
        assert await asyncio.to_thread(held.blocking.history.list, "s") == []


def test_a_place_opens_when_it_is_used(tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path}/a.db", {"embedder": None})
    assert not (tmp_path / "a.db").exists()
    assert place.open() is place.open()
    assert asyncio.run(place.aopen()) is place.open()
    place.close()
    place.close()


@pytest.mark.parametrize(("given", "options"), [("nowhere", {}), (3, {}), (None, {})])
def test_what_is_no_place_is_refused(given: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Place(given, options)


def test_options_beside_a_book_are_refused(tmp_path: Path) -> None:
    with (
        Daybook.open(f"sqlite:///{tmp_path}/a.db", embedder=None) as book,
        pytest.raises(ConfigError, match="tenant"),
    ):
        opened(book, tenant="x")


def test_a_place_that_cannot_be_opened_can_be_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    url = f"sqlite:///{folder}/a.db"
    for _ in range(2):
        with pytest.raises(DaybookError):
            opened(url, embedder=None)
    folder.mkdir()
    opened(url, embedder=None).close()
