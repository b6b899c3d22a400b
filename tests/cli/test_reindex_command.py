"""``daybook reindex`` as people run it: workers, Ctrl-C, kill -9, going on."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daybook import AsyncDaybook, Message
from daybook.indexing.worker_name import has_died
from tests.cli.conftest import Daybook

COMMAND = [sys.executable, "-m", "daybook.cli", "--embedder", "hash", "reindex", "--json"]
SESSIONS, MESSAGES = 12, 120
LIMIT_S = 60.0

# Every process of the command embeds twice and then waits for a file, with two shares in hand, and
# says so by a file for each; shares are small, and a worker may take its time to stop.
SLOW = """
import asyncio, os, pathlib
from daybook.cli import reindex_crew
from daybook.indexing import reindex_plan
from daybook.indexing.models import Models

reindex_crew._STOP_S = 60
reindex_plan._LEAST = 100
real, calls = Models.embed, []

async def slow(self, texts, **how):
    calls.append(1)
    number = len(calls)
    while number > 2 and not pathlib.Path("go").exists():
        pathlib.Path(f"waits-{os.getpid()}-{number}").touch()
        await asyncio.sleep(0.01)
    return await real(self, texts, **how)

Models.embed = slow
"""


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "slow"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


@pytest.fixture
def long_talks(folder: Path) -> Path:
    """A store that is not indexed before a file called go is there."""

    async def fill() -> None:
        async with AsyncDaybook.open("sqlite:///daybook.db", index="none") as book:
            for number in range(SESSIONS):
                said = [Message.user(f"word{number} {one}") for one in range(MESSAGES)]
                await book.history.append(f"s{number}", said, user_id=f"u{number % 3}")

    asyncio.run(fill())
    (folder / "slow").mkdir()
    (folder / "slow" / "sitecustomize.py").write_text(SLOW)
    return folder


def at_work(event: dict[str, Any], workers: int) -> bool:
    """Tell whether so many workers have begun, and something is done."""
    return bool(event.get("workers") == workers and event["messages_done"])


def indexed() -> int:
    async def count() -> int:
        async with AsyncDaybook.open("sqlite:///daybook.db", background=False) as book:
            return (await book.recall.state()).documents

    return asyncio.run(count())


def waiting() -> list[int]:
    """Return the two workers once both wait: a moment ago one may have been between two shares."""
    end = time.monotonic() + LIMIT_S
    while len(found := list(Path().glob("waits-*"))) < 4:
        assert time.monotonic() < end, "the workers do not come to where they wait"
        time.sleep(0.01)
    return sorted({int(one.name.split("-")[1]) for one in found})


def holders() -> list[int]:
    """Return the processes that have a share at the moment."""

    async def look() -> list[int]:
        async with AsyncDaybook.open(
            "sqlite:///daybook.db", embedder="hash", background=False
        ) as book:
            work = book.reindexing
            assert work is not None
            worker = work.turns()
            if not await worker.begin():
                return []
            return [int(one.rpartition(":")[2]) for one in (await worker.progress()).holders]

    return asyncio.run(look())


def test_it_indexes_messages_and_records(filled: Daybook) -> None:
    result = filled("reindex", "--fresh")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "6 messages and 0 records indexed\n"
    said = [json.loads(line) for line in filled("reindex", "--json").stdout.splitlines()]
    assert said[-1] == {"event": "done", "messages": 6, "records": 0}
    assert {one["event"] for one in said} == {"progress", "done"}


def test_bad_counts_of_workers_are_refused(filled: Daybook) -> None:
    for count in ("0", "65", "many"):
        assert filled("reindex", "--workers", count).exit_code == 2


def test_workers_share_it_and_one_that_is_killed_is_stood_in_for(long_talks: Path) -> None:
    with started("--workers", "2") as process:
        for event in events(process):
            if at_work(event, 2):
                victim, other = waiting()
                assert set(holders()) == {victim, other}
                assert process.pid not in (victim, other)
                os.kill(victim, signal.SIGKILL)
                (long_talks / "go").touch()
                break
        assert [event["event"] for event in events(process)][-1] == "done"
        assert process.wait() == 0
        assert process.stderr is not None
        assert "ended by itself (exit code -9)" in process.stderr.read()
    assert indexed() == SESSIONS * MESSAGES


def test_ctrl_c_stops_the_workers_and_the_next_run_goes_on(long_talks: Path) -> None:
    workers: list[int] = []
    with started("--workers", "2") as process:
        for event in events(process):
            if at_work(event, 2):
                workers = waiting()
                process.send_signal(signal.SIGINT)
                break
        assert process.wait() == 130
        assert process.stderr is not None
        assert process.stderr.read() == "stopped: run the same command again to go on\n"
    assert len(workers) == 2, "it never came to work"
    for worker in workers:
        assert has_died(f"{platform.node()}:{worker}:")
    assert holders() == []
    (long_talks / "go").touch()
    with started() as process:
        said = list(events(process))
        assert process.wait() == 0
    assert (said[0]["event"], said[0]["total"]) == ("resumed", SESSIONS)
    assert said[-1]["messages"] < SESSIONS * MESSAGES
    assert indexed() == SESSIONS * MESSAGES


def test_killed_with_all_it_has_it_goes_on_and_its_workers_do_not(long_talks: Path) -> None:
    workers: list[int] = []
    with started("--workers", "2") as process:
        for event in events(process):
            if at_work(event, 2):
                workers = waiting()
                process.kill()
                break
        assert process.wait() == -9
    (long_talks / "go").touch()
    with started("--workers", "1") as process:
        said = list(events(process))
        assert process.wait() == 0
    assert said[0]["event"] == "resumed"
    assert indexed() == SESSIONS * MESSAGES
    assert len(workers) == 2, "it never came to work"
    for worker in workers:
        wait_until_gone(worker)


def wait_until_gone(process: int) -> None:
    """Wait for a process that is nobody's child any more."""
    end = time.monotonic() + LIMIT_S
    while not has_died(f"{platform.node()}:{process}:"):
        assert time.monotonic() < end, "a worker goes on although nobody waits for it"
        time.sleep(0.01)


def test_doctor_tells_what_an_old_embedder_made_and_of_a_run_that_was_broken_off(
    filled: Daybook,
) -> None:
    async def begin() -> None:
        async with AsyncDaybook.open(
            "sqlite:///daybook.db", embedder="hash:32", background=False
        ) as book:
            assert book.reindexing is not None
            await book.reindexing.turns().begin()

    asyncio.run(begin())
    new = ("--embedder", "hash:32")
    told = filled(*new, "doctor").stdout
    assert "to re-embed   6 of another embedder" in told
    assert "0 of 3 sessions: `daybook reindex` goes on" in told
    result = filled(*new, "reindex")
    assert result.stderr.startswith("going on with a run: 0 of 3 sessions are done")
    told = filled(*new, "doctor").stdout
    assert "to re-embed" not in told
    assert "goes on" not in told
