"""Indexing everything anew, killed at any point: nothing is lost, and the next run goes on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daybook import Message
from tools.crash.reindexing import NEW, fill, judge, lost, open_for, traces
from tools.crash.zygote import Zygote

KILL_AT = 28  # calls: more than it takes to begin, and about half of all
MOST_RUNS = 6


def run(zygote: Zygote, url: str, index: str, **how: Any) -> dict[str, int] | None:
    """Index anew in a process; return what it says, None if it was killed."""
    child = zygote.spawn("reindex", url=url, index=index, **how)
    child.go()
    said = child.lines()
    if child.wait() == -9:
        return None
    return {name: int(count) for name, count in map(str.split, said)}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled SQLite store, to be copied."""
    folder = tmp_path_factory.mktemp("reindex")
    asyncio.run(fill(f"sqlite:///{folder}/chat.db", ""))
    return folder


@pytest.fixture
def copy(template: Path, quick_folder: Path) -> Callable[[], str]:
    """Gives the URL of a fresh copy of the template."""
    made = iter(range(999))

    def give() -> str:
        folder = quick_folder / f"copy{next(made)}"
        shutil.copytree(template, folder)
        return f"sqlite:///{folder}/chat.db"

    return give


def test_killed_anywhere_nothing_is_lost_and_the_next_run_ends_it(
    copy: Callable[[], str], zygote: Zygote
) -> None:
    whole = run(zygote, copy(), "")
    assert whole is not None
    for kill_at in range(2, whole["calls"] + 1, whole["calls"] // 3):
        url = copy()
        assert run(zygote, url, "", kill_at=kill_at, after=kill_at % 2) is None
        assert asyncio.run(lost(url, "")) == []
        assert run(zygote, url, "") is not None
        assert asyncio.run(judge(url, "")) == []
        assert asyncio.run(traces(url, "")) == []


@pytest.fixture(params=["redis", "postgresql"])
def place(
    request: pytest.FixtureRequest, url_of: Callable[[str], str], tmp_path: Path
) -> tuple[str, str]:
    """An empty store on a server, and its index."""
    index = f"sqlite:///{tmp_path}/index.db" if request.param == "redis" else ""
    return url_of(request.param), index


def until_done(zygote: Zygote, url: str, index: str, most: int, **how: Any) -> int:
    """Index anew in processes that die again and again; return how many it took."""
    for number in range(1, most + 1):
        said = run(zygote, url, index, kill_at=KILL_AT, **how)
        assert asyncio.run(lost(url, index)) == []
        if said is not None:
            return number
    pytest.fail(f"not done after {most} runs")


def test_killed_again_and_again_it_still_comes_to_its_end(
    place: tuple[str, str], zygote: Zygote
) -> None:
    asyncio.run(fill(*place))
    assert until_done(zygote, *place, most=MOST_RUNS) > 2
    assert asyncio.run(judge(*place)) == []
    assert asyncio.run(traces(*place)) == []


async def use(url: str) -> None:
    """Append, clear and delete, as people do meanwhile; then let all of it be indexed."""
    async with open_for(url, "", NEW) as book:
        for number in range(2, 14):
            owner = ("ann", "ben", "cyd")[number % 3]
            await book.history.append(f"s{number}", Message.user("a late ferry"), user_id=owner)
            await book.history.append(f"n{number}", Message.user("a new lamp"), user_id="ann")
            if number % 3 == 0:
                await book.sessions.delete(f"s{number}")
            if number % 3 == 1:
                await book.history.clear(f"s{number}")
            await book.records.put(("ben", "notes"), f"k{number}", {"about": "a late river"})
            await book.records.delete(("cyd", "notes"), f"k{3 * number + 2}")
        await book.recall.flush()


@pytest.mark.parametrize("kill_at", [0, 12])
def test_two_runs_at_once_while_messages_come_and_go(
    kill_at: int, copy: Callable[[], str], zygote: Zygote
) -> None:
    url = copy()
    pair = [zygote.spawn("reindex", url=url, index="", kill_at=kill_at * first) for first in (1, 0)]
    for child in pair:
        child.go()
    asyncio.run(use(url))
    # The first one may leave so much to the other that it never comes to the call it dies at.
    ended = pair[0].wait()
    assert ended in ((-9, 0) if kill_at else (0,))
    assert pair[1].wait() == 0
    asyncio.run(use(url))
    # It may have begun a run of its own after the other had ended: the next one goes on with that.
    assert ended == 0 or run(zygote, url, "") is not None
    assert asyncio.run(judge(url, "")) == []
    assert asyncio.run(traces(url, "")) == []


def test_beginning_anew_each_time_is_convicted(copy: Callable[[], str], zygote: Zygote) -> None:
    """The control: it never comes to its end."""
    with pytest.raises(pytest.fail.Exception, match="not done"):
        until_done(zygote, copy(), "", most=MOST_RUNS, control="anew")


def test_erasing_first_is_convicted(copy: Callable[[], str], zygote: Zygote) -> None:
    """The control: at some moment a search finds less."""
    for kill_at in range(4, 40, 4):
        url = copy()
        run(zygote, url, "", kill_at=kill_at, control="erases")
        if asyncio.run(lost(url, "")):
            return
    pytest.fail("nothing was lost")


def test_forgetting_what_is_left_over_is_convicted(copy: Callable[[], str], zygote: Zygote) -> None:
    url = copy()
    assert run(zygote, url, "", control="forgets") is not None
    assert {one.partition(" (")[0] for one in asyncio.run(judge(url, ""))} >= {"left over"}
