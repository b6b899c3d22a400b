"""What opening a folder does to it, and what it refuses."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.errors import ConfigError, SchemaVersionError
from daybook.registry import open_engine
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, start_session
from tests.engines.file.stores import engine_at


async def test_a_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="not a Daybook store"):
        async with engine_at(tmp_path / "s"):
            pass
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["letter.txt"]


async def test_an_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "a")
    async with engine_at(tmp_path / "s") as engine:
        assert len(await engine.log.read(ALICE, "s")) == 1


async def test_a_store_that_another_made_between_two_looks_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes open a new folder at once; one finds no marker, then the other's files."""
    whole = tmp_path / "whole"
    async with engine_at(whole) as engine:
        await start_session(engine.log, FakeClock(), "a")
    listed = Path.iterdir

    def made_meanwhile(folder: Path) -> Iterator[Path]:
        monkeypatch.undo()
        shutil.copytree(whole, folder, dirs_exist_ok=True)
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", made_meanwhile)
    async with engine_at(tmp_path / "s") as engine:
        assert len(await engine.log.read(ALICE, "s")) == 1


async def test_a_folder_whose_parent_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="create it first"):
        async with engine_at(tmp_path / "none" / "s"):
            pass


async def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("x")
    with pytest.raises(ConfigError):
        async with engine_at(tmp_path / "s"):
            pass


@pytest.mark.parametrize("body", ["", "{}", "[1]", '{"daybook": 1}'])
async def test_a_marker_of_something_else_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "daybook.json").write_text(body)
    with pytest.raises(ConfigError, match="not one of Daybook's"):
        async with engine_at(tmp_path / "s"):
            pass


async def test_a_store_of_a_newer_form_is_refused(tmp_path: Path) -> None:
    async with engine_at(tmp_path / "s"):
        pass
    marker = tmp_path / "s" / "daybook.json"
    marker.write_text(marker.read_text().replace('"version":1', '"version":2'))
    with pytest.raises(SchemaVersionError):
        async with engine_at(tmp_path / "s"):
            pass


async def test_temporary_files_of_the_dead_go_and_those_in_use_stay(tmp_path: Path) -> None:
    async with engine_at(tmp_path / "s"):
        pass
    (tmp_path / "s" / "tmp").mkdir(exist_ok=True)
    left, used = tmp_path / "s" / "tmp" / "left", tmp_path / "s" / "tmp" / "used"
    left.write_bytes(b"x")
    with used.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        async with engine_at(tmp_path / "s"):
            assert not left.exists()
            assert used.exists()


async def test_after_a_restart_of_the_machine_every_session_is_pending(tmp_path: Path) -> None:
    """Marks are not synced with each append: the last ones may not have reached the disk."""
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "a")
        await start_session(engine.log, FakeClock(), session_id="empty")
        await engine.log.settle(await engine.log.pending(limit=9))
        assert await engine.log.pending(limit=9) == []
    async with engine_at(tmp_path / "s") as engine:
        assert await engine.log.pending(limit=9) == []
    (tmp_path / "s" / "generation").write_text("another run of the machine")
    async with engine_at(tmp_path / "s") as engine:
        assert [one.session_id for one in await engine.log.pending(limit=9)] == ["s"]
        await engine.log.settle(await engine.log.pending(limit=9))
    async with engine_at(tmp_path / "s") as engine:
        assert await engine.log.pending(limit=9) == []


async def test_marks_that_a_power_loss_tore_are_made_again(tmp_path: Path) -> None:
    """The name of a mark may have reached the disk, and not what stands in it."""
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "a")
    [mark] = (tmp_path / "s").glob("tenants/*/pending/*")
    mark.write_bytes(b"")
    (tmp_path / "s" / "generation").unlink()
    async with engine_at(tmp_path / "s") as engine:
        found = await engine.log.pending(limit=9)
        assert [(one.tenant, one.user_id, one.session_id) for one in found] == [
            ("acme", "alice", "s")
        ]


async def test_a_copy_of_the_folder_is_a_store(tmp_path: Path) -> None:
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "a", "b")
    shutil.copytree(tmp_path / "s", tmp_path / "t")
    async with engine_at(tmp_path / "t") as engine:
        assert len(await engine.log.read(ALICE, "s")) == 2
        await engine.log.append(ALICE, "s", entries("c"))
    async with engine_at(tmp_path / "s") as engine:
        assert len(await engine.log.read(ALICE, "s")) == 2


@pytest.mark.parametrize(
    "url",
    ["file://", "file:///", "file:///x?fsync=maybe", "file:///x?readers=two", "file:///x?y=1"],
)
async def test_urls_that_are_wrong(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        await open_engine(url, clock=FakeClock())
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - a test may look


async def test_urls_name_relative_and_absolute_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    near = await open_engine("file:///near", clock=FakeClock())
    far = await open_engine(f"file:///{tmp_path}/far?fsync=false", clock=FakeClock())
    assert (near.capabilities.ack, far.capabilities.ack) == ("durable", "volatile")
    await near.close()
    await far.close()
    assert (tmp_path / "near" / "daybook.json").exists()
    assert (tmp_path / "far" / "daybook.json").exists()
