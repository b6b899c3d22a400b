"""A process that holds the write lock and dies, or stops: what the others see."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook import AsyncDaybook
from daybook.engines.sqlite.write_lock import WriteLock
from daybook.errors import StoreUnavailableError
from tools.crash.store import USER, make_message, observe, open_book
from tools.crash.zygote import Child, Zygote

TIMEOUT_S = 0.4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file they share."""
    return tmp_path / "book.db"


@pytest.fixture
def holder(path: Path, zygote: Zygote) -> Iterator[Child]:
    """A process that is in the middle of a transaction."""
    child = zygote.spawn("hold", path=path)
    child.go()
    assert child.read_line() == "holding"
    yield child
    child.kill()


async def test_a_killed_holder_holds_nothing(path: Path, holder: Child) -> None:
    opening = asyncio.create_task(append_one(path, "first"))
    done, _ = await asyncio.wait([opening], timeout=0.2)
    assert not done
    holder.send_signal(signal.SIGKILL)
    await opening  # an error if it had waited for the whole of its time
    observed = await observe(path, ["held", "first"])
    assert observed.faults == []
    assert [one for _, one in observed.stored["held"]] == ["held-0-0"]
    assert [one for _, one in observed.stored["first"]] == ["first-0-0"]


async def append_one(path: Path, session: str) -> None:
    async with open_book(path) as book:
        await book.history.append(session, make_message(f"{session}-0-0"), user_id=USER)


async def test_opening_beside_a_stopped_holder_gives_up(path: Path, holder: Child) -> None:
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(StoreUnavailableError):
        async with open_book(path, lock_timeout_s=TIMEOUT_S):
            pass


async def test_appends_beside_a_stopped_holder_give_up_and_lose_nothing(
    path: Path, zygote: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_book(path, lock_timeout_s=TIMEOUT_S) as book:
        child = zygote.spawn("hold", path=path)
        child.go()
        assert await asyncio.to_thread(child.read_line) == "holding"
        child.send_signal(signal.SIGSTOP)
        waits = count_waits(monkeypatch)
        calls = [
            book.history.append("refused", make_message(f"refused-{number}-0"), user_id=USER)
            for number in range(8)
        ]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailableError] * 8
        # One for whoever came first, one for all who came meanwhile; a machine that stands still
        # while they come may make it more.
        assert len(waits) <= 4, "callers waited one after another"
        assert len(await book.history.list("held", user_id=USER)) == 1  # reads go on

        child.send_signal(signal.SIGCONT)
        child.tell()
        assert await asyncio.to_thread(child.read_line) == "released"
        assert child.wait() == 0
        await book.history.append("after", make_message("after-0-0"), user_id=USER)
    observed = await observe(path, ["held", "refused", "after"])
    assert observed.faults == []
    assert {session: len(stored) for session, stored in observed.stored.items()} == {
        "held": 1,
        "refused": 0,
        "after": 1,
    }


def count_waits(monkeypatch: pytest.MonkeyPatch) -> list[WriteLock]:
    """Return a list that grows by one whenever a lock is waited for."""
    waits: list[WriteLock] = []
    enter = WriteLock.__enter__

    def counted(lock: WriteLock) -> None:
        waits.append(lock)
        enter(lock)

    monkeypatch.setattr(WriteLock, "__enter__", counted)
    return waits


async def test_closing_beside_a_stopped_holder_ends(path: Path, zygote: Zygote) -> None:
    book = await AsyncDaybook.open(
        f"sqlite:///{path}?lock_timeout_s={TIMEOUT_S}", embedder=None, background=False
    )
    await book.history.append("before", make_message("before-0-0"), user_id=USER)
    child = zygote.spawn("hold", path=path)
    child.go()
    assert await asyncio.to_thread(child.read_line) == "holding"
    child.send_signal(signal.SIGSTOP)
    await book.close()
    await book.close()
    child.kill()
    observed = await observe(path, ["before", "held"])
    assert observed.faults == []
    assert [one for _, one in observed.stored["before"]] == ["before-0-0"]


def test_a_forked_child_keeps_no_lock(tmp_path: Path) -> None:
    """The child lives on after its parent let go without unlocking: the lock must be free."""
    name = tmp_path / "book.db-lock"
    lock = WriteLock(name, TIMEOUT_S)
    release, hold = os.pipe()
    lock.__enter__()
    child = os.fork()
    if child == 0:  # pragma: no cover - runs in the child
        os.read(release, 1)
        os._exit(0)
    lock.close()  # what the kernel does when the parent dies
    try:
        with WriteLock(name, TIMEOUT_S):
            pass
    finally:
        os.write(hold, b"x")
        os.waitpid(child, 0)
