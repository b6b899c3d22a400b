"""A full or failing disk, too many open files: typed errors, and nothing half stored."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daybook.engines.file import FileEngine
from daybook.errors import StoreFullError, StoreUnavailableError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    entries,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.file.stores import engine_at


class FailingDisk:
    """System calls that fail as long as it is told so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing: dict[str, int] = {}
        for name in ("pwrite", "fdatasync", "fsync", "ftruncate", "link", "rename"):
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            number = self.failing.get(name)
            if number is None:
                return real(*args, **named)
            if name == "pwrite":  # half of it arrives
                descriptor, body, offset = args
                if len(body) > 1:
                    return real(descriptor, body[: len(body) // 2], offset)
            raise OSError(number, os.strerror(number))

        return call


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FailingDisk:
    return FailingDisk(monkeypatch)


CASES = [
    ("pwrite", errno.ENOSPC, StoreFullError),
    ("pwrite", errno.EDQUOT, StoreFullError),
    ("pwrite", errno.EIO, StoreUnavailableError),
    ("fdatasync", errno.ENOSPC, StoreFullError),
    ("fdatasync", errno.EIO, StoreUnavailableError),
]


@pytest.mark.parametrize(("call", "number", "expected"), CASES)
async def test_a_failed_append_stores_nothing(
    call: str, number: int, expected: type[Exception], tmp_path: Path, disk: FailingDisk
) -> None:
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "a")
        before = await engine.log.get_session(ALICE, "s")
        disk.failing = {call: number}
        with pytest.raises(expected):
            await engine.log.append(ALICE, "s", entries("b", "c"))
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
        disk.failing = {call: number, "ftruncate": errno.EIO}  # it cannot even be taken back
        with pytest.raises(expected):
            await engine.log.append(ALICE, "s", entries("b", "c"))
        disk.failing = {}
        assert await engine.log.get_session(ALICE, "s") == before
        result = await engine.log.append(ALICE, "s", entries("d"))
        assert result is not None
        assert (result.first_seq, result.duplicates) == (2, 0)
    async with engine_at(tmp_path / "s") as engine:
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "d"]


@pytest.mark.parametrize("call", ["pwrite", "fdatasync", "fsync", "link"])
async def test_a_failed_creation_stores_nothing(
    call: str, tmp_path: Path, disk: FailingDisk
) -> None:
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "a")
        disk.failing = {call: errno.ENOSPC}
        made = make_session("new", FakeClock())
        with pytest.raises(StoreFullError):
            await engine.log.append(ALICE, "new", entries("b"), create=made)
        disk.failing = {}
        assert await engine.log.get_session(ALICE, "new") is None
        page = await engine.log.list_sessions(ALICE, limit=9)
        assert [one.id for one in page.items] == ["s"]
        assert not list((tmp_path / "s" / "tmp").iterdir())
        await engine.log.append(ALICE, "new", entries("b"), create=made)
        assert message_ids(await engine.log.read(ALICE, "new")) == ["b"]


@pytest.mark.parametrize(("call", "number", "expected"), CASES)
async def test_a_failed_put_stores_nothing(
    call: str, number: int, expected: type[Exception], tmp_path: Path, disk: FailingDisk
) -> None:
    both = [record("k", {"n": 2}), record("k", {"n": 2}, namespace=("other",))]
    async with engine_at(tmp_path / "s") as engine:
        await engine.records.put(ALICE, [record("k", {"n": 1})])
        disk.failing = {call: number}
        with pytest.raises(expected):
            await engine.records.put(ALICE, both)
        disk.failing = {}
        found = await engine.records.list(ALICE, (), limit=9)
        assert [(one.value, one.version) for one in found] == [({"n": 1}, 1)]
        await engine.records.put(ALICE, both)
    async with engine_at(tmp_path / "s") as engine:
        found = await engine.records.list(ALICE, (), limit=9)
        assert {one.version for one in found} == {1, 2}


async def test_one_failing_session_fails_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share a round of syncs."""
    async with engine_at(tmp_path / "s") as engine:
        for name in "xyz":
            await start_session(engine.log, FakeClock(), "a", session_id=name)
        bad = next(
            path for path in (tmp_path / "s").rglob("*.log") if b'"id":"y"' in path.read_bytes()
        )
        real = os.fdatasync

        def sync(descriptor: int) -> None:
            if os.path.samestat(os.fstat(descriptor), bad.stat()):
                raise OSError(errno.EIO, "bad block")
            real(descriptor)

        monkeypatch.setattr(os, "fdatasync", sync)
        results = await asyncio.gather(
            *(engine.log.append(ALICE, name, entries("b")) for name in "xyz"),
            return_exceptions=True,
        )
        monkeypatch.undo()
        assert [isinstance(one, StoreUnavailableError) for one in results] == [False, True, False]
        assert message_ids(await engine.log.read(ALICE, "y")) == ["a"]
        assert message_ids(await engine.log.read(ALICE, "z")) == ["a", "b"]


_FEW_FILES = """
import asyncio, os, resource, sys
from pathlib import Path
from daybook.engines.file import FileEngine
from daybook.errors import StoreUnavailableError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, start_session

async def main():
    engine = FileEngine(Path(sys.argv[1]), clock=FakeClock(), fsync=False)
    names = [f"s{number}" for number in range(60)]
    for name in names:
        await start_session(engine.log, FakeClock(), "a", session_id=name)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(3, used + int(sys.argv[2])), hard))
    results = await asyncio.gather(
        *(engine.log.append(ALICE, name, entries("b")) for name in names), return_exceptions=True
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    failed = [isinstance(one, StoreUnavailableError) for one in results]
    assert all(bad or one is not None for bad, one in zip(failed, results))
    assert not any(isinstance(one, BaseException) and not bad for bad, one in zip(failed, results))
    for bad, name in zip(failed, names):
        assert len(await engine.log.read(ALICE, name)) == (1 if bad else 2), name
        await engine.log.append(ALICE, name, entries("c"))
    await engine.close()
    print(sum(failed))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("spare", "refused"), [(-1000, range(60, 61)), (0, range(61)), (14, range(1))]
)
def test_too_many_open_files(spare: int, refused: range, tmp_path: Path) -> None:
    """A call is done or refused, with a typed error; with some to spare, all are done."""
    ran = subprocess.run(
        [sys.executable, "-c", _FEW_FILES, str(tmp_path / "s"), str(spare)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) in refused


async def test_reads_need_no_room(tmp_path: Path, disk: FailingDisk) -> None:
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "a")
        disk.failing = dict.fromkeys(("pwrite", "fdatasync", "fsync", "link"), errno.ENOSPC)
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
        assert len((await engine.log.list_sessions(ALICE, limit=9)).items) == 1
        disk.failing = {}


def test_engines_are_closed_when_opening_fails(tmp_path: Path, disk: FailingDisk) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    disk.failing = {"fsync": errno.EIO, "fdatasync": errno.EIO}
    with pytest.raises(StoreUnavailableError):
        FileEngine(tmp_path / "s", clock=FakeClock())
    disk.failing = {}
    assert len(list(Path("/proc/self/fd").iterdir())) == before
