"""A read of several statements sees the file at one moment, whoever writes between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec import Struct

from daybook.engines.sqlite import (
    SQLiteEngine,
    reader_pool,
    record_jobs,
    session_jobs,
    stream_jobs,
)
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, make_session, record, start_session

_HOME = ("alice",)


class Case(Struct, frozen=True):
    """A read, what is written in its middle, and the function that it calls there."""

    read: Callable[[SQLiteEngine], Awaitable[Any]]
    write: Callable[[SQLiteEngine], Coroutine[Any, Any, Any]]
    module: ModuleType
    function: str


async def _put(engine: SQLiteEngine) -> None:
    await engine.records.put(ALICE, [record(key, {"n": 2}) for key in "ab"])


async def _append(engine: SQLiteEngine) -> None:
    await engine.log.append(ALICE, "s", entries("new"))


async def _clear_fork(engine: SQLiteEngine) -> None:
    await engine.log.clear(ALICE, "fork")


CASES = {
    "records": Case(
        lambda engine: engine.records.get(ALICE, [(_HOME, "a"), (_HOME, "b")]),
        _put,
        record_jobs,
        "_to_record",
    ),
    "versions": Case(
        lambda engine: engine.records.versions(ALICE, _HOME, "a", limit=9),
        _put,
        record_jobs,
        "_to_record",
    ),
    "messages": Case(
        lambda engine: engine.log.read(ALICE, "fork"), _clear_fork, stream_jobs, "read"
    ),
    "places": Case(
        lambda engine: engine.log.read_at(ALICE, [("fork", 1, 9)]),
        _clear_fork,
        stream_jobs,
        "read",
    ),
    "counts": Case(lambda engine: engine.log.stats(ALICE, "s"), _append, session_jobs, "_roles"),
}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture
async def engines(tmp_path: Path) -> AsyncIterator[tuple[SQLiteEngine, SQLiteEngine]]:
    """A file with a session, a fork of it and two records, opened twice."""
    clock = FakeClock()
    one, other = (SQLiteEngine(tmp_path / "book.db", clock=clock) for _ in range(2))
    await start_session(one.log, clock, "a", "b")
    await one.log.fork_session(ALICE, "s", make_session("fork", clock))
    await one.log.append(ALICE, "fork", entries("c"))
    await one.records.put(ALICE, [record(key, {"n": 1}) for key in "ab"])
    yield one, other
    await one.close()
    await other.close()


def interrupt(patch: pytest.MonkeyPatch, case: Case, writer: SQLiteEngine) -> None:
    """Have the write done where the next read calls the function, by another connection."""
    whole = getattr(case.module, case.function)
    waiting = [case.write]

    def interrupted(*args: Any, **named: Any) -> Any:
        if waiting:
            asyncio.run(waiting.pop()(writer))
        return whole(*args, **named)

    patch.setattr(case.module, case.function, interrupted)


@each
async def test_a_write_in_the_middle_of_a_read_is_seen_by_the_next(
    case: Case, engines: tuple[SQLiteEngine, SQLiteEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = engines
    before = await case.read(one)
    interrupt(monkeypatch, case, other)
    assert await case.read(one) == before
    assert await case.read(one) != before


@each
async def test_without_a_moment_of_its_own_a_read_would_see_a_mixture(
    case: Case, engines: tuple[SQLiteEngine, SQLiteEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the write above does come between two statements."""
    one, other = engines
    before = await case.read(one)
    monkeypatch.setattr(reader_pool, "one_moment", nullcontext)
    interrupt(monkeypatch, case, other)
    mixed = await case.read(one)
    assert mixed not in (before, await case.read(one))
