"""The names of speakers that an opened index remembers are never older than its last write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from daybook.enginekit.known_speakers import KnownSpeakers
from daybook.engines.postgresql import PostgreSQLEngine
from daybook.engines.sqlite import SQLiteEngine
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE
from daybook.testing.sample_documents import document, query
from tests.engines.postgresql_index.prepared import prepared

Engine = SQLiteEngine | PostgreSQLEngine
Write = Callable[[Engine], Coroutine[Any, Any, object]]


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    if request.param == "sqlite":
        opened = SQLiteEngine(tmp_path / "book.db", clock=FakeClock())
        await opened.index.put(ALICE, "turns", [document("a", speaker="Ann")])
        yield opened
        await opened.close()
        return
    with prepared(request.getfixturevalue("postgres_url")) as place:
        remote = await place.open(FakeClock())
        await remote.index.put(ALICE, "turns", [document("a", speaker="Ann")])
        yield remote
        await remote.close()


async def _bob_speaks(engine: Engine) -> None:
    await engine.index.put(ALICE, "turns", [document("b", position=2, speaker="Bob")])


@pytest.mark.parametrize(
    ("write", "names"),
    [(_bob_speaks, ["Ann", "Bob"]), (lambda engine: engine.index.erase(ALICE), [])],
    ids=["put", "erase"],
)
async def test_a_search_that_a_write_overtakes_leaves_no_old_names(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, write: Write, names: list[str]
) -> None:
    note = KnownSpeakers.note

    def overtaken(*found: Any) -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, write(engine)).result()
        note(*found)

    with monkeypatch.context() as patch:
        patch.setattr(KnownSpeakers, "note", overtaken)
        await engine.index.candidates(ALICE, "turns", query("a"))
    assert await engine.index.speakers(ALICE, "turns") == names


@pytest.mark.parametrize("write", [_bob_speaks, lambda engine: engine.index.erase(ALICE)])
async def test_names_are_forgotten_after_a_write(engine: Engine, write: Write) -> None:
    await engine.index.candidates(ALICE, "turns", query("a"))
    await write(engine)
    assert await engine.index.speakers(ALICE, "turns") != ["Ann"]


async def test_names_are_remembered_from_a_search(engine: Engine) -> None:
    await engine.index.candidates(ALICE, "turns", query("a"))
    known = await engine.index.speakers(ALICE, "turns")
    assert known == ["Ann"]
    assert await engine.index.speakers(ALICE, "turns") is known
