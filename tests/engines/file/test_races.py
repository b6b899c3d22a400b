"""What another process, or another thread, does between two system calls of this one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from daybook.engines.file import file_lock
from daybook.engines.file.folders import Folders
from daybook.engines.file.session_store import SessionStore
from daybook.errors import CorruptRecordError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, make_session, message_ids, start_session
from tests.engines.file.stores import engine_at, only_session


async def test_a_temporary_file_that_an_opening_took_for_a_dead_ones_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks like one between its making and its locking."""
    root, clock = tmp_path / "s", FakeClock()
    lock = file_lock.try_lock
    cleared = []

    def lock_late(descriptor: int) -> bool:
        monkeypatch.undo()
        [young] = (root / "tmp").iterdir()
        asyncio.run(_open_and_close(root))
        cleared.append(not young.exists())
        return lock(descriptor)

    async with engine_at(root, clock) as engine:
        monkeypatch.setattr(f"{Folders.__module__}.try_lock", lock_late)
        await start_session(engine.log, clock, "a")
        assert cleared == [True]
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
    assert not list((root / "tmp").iterdir())


async def _open_and_close(root: Path) -> None:
    async with engine_at(root):
        pass


async def test_a_fork_that_goes_while_it_is_read_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own file is open; what it shared was the last part of a session that is gone."""
    root, clock = tmp_path / "s", FakeClock()
    share = SessionStore.shared

    async with engine_at(root, clock) as engine, engine_at(root, clock) as other:
        await start_session(engine.log, clock, "a", "b")
        await engine.log.fork_session(ALICE, "s", make_session("f", clock))
        await engine.log.delete_session(ALICE, "s")
        await engine.log.append(ALICE, "f", entries("c"))

        def delete_first(self: SessionStore, tenant: str, stream: str) -> Any:
            monkeypatch.undo()
            assert asyncio.run(other.log.delete_session(ALICE, "f"))
            return share(self, tenant, stream)

        monkeypatch.setattr(SessionStore, "shared", delete_first)
        assert await engine.log.read(ALICE, "f") == []


async def test_a_fork_whose_past_is_missing_is_damaged(tmp_path: Path) -> None:
    """The control: what stands and has lost its past is no session that was removed."""
    root, clock = tmp_path / "s", FakeClock()
    async with engine_at(root, clock) as engine:
        await start_session(engine.log, clock, "a", "b")
        gone = only_session(root)
        await engine.log.fork_session(ALICE, "s", make_session("f", clock))
        gone.unlink()
        with pytest.raises(CorruptRecordError):
            await engine.log.read(ALICE, "f")
