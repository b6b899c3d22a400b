"""The names of speakers that an opened index remembers are never older than its last write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from daybook.engines.sqlite import SQLiteEngine
from daybook.engines.sqlite.search_index import SQLiteSearchIndex
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE
from daybook.testing.sample_documents import document, query


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SQLiteSearchIndex]:
    engine = SQLiteEngine(tmp_path / "book.db", clock=FakeClock())
    await engine.index.put(ALICE, "turns", [document("a", speaker="Ann")])
    yield engine.index
    await engine.close()


def _bob_speaks(index: SQLiteSearchIndex) -> Coroutine[Any, Any, None]:
    return index.put(ALICE, "turns", [document("b", position=2, speaker="Bob")])


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (_bob_speaks, ["Ann", "Bob"]),
        (lambda index: index.erase(ALICE), []),
    ],
    ids=["put", "erase"],
)
async def test_a_search_that_a_write_overtakes_leaves_no_old_names(
    index: SQLiteSearchIndex, monkeypatch: pytest.MonkeyPatch, write: Any, names: list[str]
) -> None:
    note = index._note_speakers

    def overtaken(*found: Any) -> None:
        asyncio.run(write(index))
        note(*found)

    with monkeypatch.context() as patch:
        patch.setattr(index, "_note_speakers", overtaken)
        await index.candidates(ALICE, "turns", query("a"))
    assert await index.speakers(ALICE, "turns") == names


async def test_names_are_remembered_from_a_search(index: SQLiteSearchIndex) -> None:
    await index.candidates(ALICE, "turns", query("a"))
    known = await index.speakers(ALICE, "turns")
    assert known == ["Ann"]
    assert await index.speakers(ALICE, "turns") is known
