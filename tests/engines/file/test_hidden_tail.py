"""What is written and not yet on the disk is seen by nobody: not here, not in another process.

Another process could read it, and a later read of this one would not show it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from daybook.engines.file import locked_file
from daybook.engines.file.sync_pool import SyncPool
from daybook.protocols.record_store import RecordStore
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, message_ids, record, start_session
from tests.engines.file.stores import engine_at


def _before_syncing(patch: pytest.MonkeyPatch, method: str, look: Any) -> list[Any]:
    """Have the next sync look at the store first; return what it will have seen."""
    sync = getattr(SyncPool, method)
    seen: list[Any] = []

    def look_first(*arguments: Any) -> Any:
        patch.setattr(SyncPool, method, sync)
        seen.append(asyncio.run(look()))
        return sync(*arguments)

    patch.setattr(SyncPool, method, look_first)
    return seen


async def _appended(root: Path, patch: pytest.MonkeyPatch) -> list[Any]:
    """Append "b"; return what another engine has read meanwhile, read before or not, and after."""
    clock = FakeClock()
    async with (
        engine_at(root, clock) as engine,
        engine_at(root, clock) as knowing,
        engine_at(root, clock) as fresh,
    ):
        await start_session(engine.log, clock, "a")
        await knowing.log.read(ALICE, "s")

        async def look() -> list[Any]:
            logs = (engine.log, knowing.log, fresh.log)
            return [message_ids(await log.read(ALICE, "s")) for log in logs]

        seen = _before_syncing(patch, "sync", look)
        await engine.log.append(ALICE, "s", entries("b"))
        return [*seen, await look()]


async def test_an_append_is_seen_once_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile, after = await _appended(tmp_path / "s", monkeypatch)
    assert meanwhile == [["a"]] * 3
    assert after == [["a", "b"]] * 3


async def test_without_hiding_others_see_it_before_this_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(locked_file, "hide_from", lambda *_: None)
    meanwhile, _ = await _appended(tmp_path / "s", monkeypatch)
    assert meanwhile == [["a"], ["a", "b"], ["a", "b"]]


async def test_a_record_is_seen_once_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, clock = tmp_path / "s", FakeClock()
    async with engine_at(root, clock) as engine, engine_at(root, clock) as other:
        await engine.records.put(ALICE, [record("k", {"n": 1})])

        async def look() -> list[Any]:
            return [await _value(engine.records), await _value(other.records)]

        seen = _before_syncing(monkeypatch, "sync_all", look)
        await engine.records.put(ALICE, [record("k", {"n": 2})])
        assert seen == [[{"n": 1}] * 2]
        assert await look() == [{"n": 2}] * 2


async def _value(records: RecordStore) -> Any:
    [found] = await records.get(ALICE, [(("alice",), "k")])
    return None if found is None else found.value
