"""Several processes share a store: nothing is lost, and each sees what the others wrote."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daybook.errors import ConflictError, StoreUnavailableError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    entries,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.file.stores import engine_at, only_session, sessions_in

_WRITER = """
import asyncio, sys
from pathlib import Path
from daybook.engines.file import FileEngine
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, make_session, record

async def main(root, name):
    engine = FileEngine(Path(root), clock=FakeClock(), fsync=False)
    made = make_session("s", FakeClock())
    for number in range(30):
        batch = entries(*(f"{name}.{number}.{part}" for part in range(3)))
        results = await asyncio.gather(
            engine.log.append(ALICE, "s", batch, create=made),
            engine.log.append(ALICE, "s", batch, create=made),
            engine.log.append(ALICE, name, batch, create=make_session(name, FakeClock())),
            engine.records.put(ALICE, [record("k"), record(name)]),
        )
        assert sorted(one.duplicates for one in results[:2]) == [0, 3], results
    await engine.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_append_to_one_session(tmp_path: Path) -> None:
    """Each batch once, whole and in its writer's order; record versions are counted in one row."""
    root = tmp_path / "s"
    command = (sys.executable, "-c", _WRITER, str(root))
    writers = [
        await asyncio.create_subprocess_exec(*command, f"w{number}", stderr=subprocess.PIPE)
        for number in range(3)
    ]
    for writer in writers:
        _, said = await writer.communicate()
        assert writer.returncode == 0, said.decode()
    async with engine_at(root) as engine:
        ids = message_ids(await engine.log.read(ALICE, "s"))
        assert len(ids) == len(set(ids)) == 3 * 30 * 3
        for name in ("w0", "w1", "w2"):
            mine = [one for one in ids if one.startswith(name)]
            assert mine == [f"{name}.{number}.{part}" for number in range(30) for part in range(3)]
            assert message_ids(await engine.log.read(ALICE, name)) == mine
        for at in range(0, len(ids), 3):
            assert len({one.rpartition(".")[0] for one in ids[at : at + 3]}) == 1
        [counted] = await engine.records.get(ALICE, [(("alice",), "k")])
        assert counted is not None
        assert counted.version == 3 * 30


async def test_openings_see_each_others_writes(tmp_path: Path) -> None:
    """Two openings hold what they know of a session in memory, and never an old state of it."""
    clock = FakeClock()
    async with engine_at(tmp_path / "s", clock) as one, engine_at(tmp_path / "s", clock) as two:
        await start_session(one.log, clock, "a")
        assert message_ids(await two.log.read(ALICE, "s")) == ["a"]
        await two.log.append(ALICE, "s", entries("b"))
        assert message_ids(await one.log.read(ALICE, "s")) == ["a", "b"]
        again = await one.log.append(ALICE, "s", entries("b", "c"))
        assert again is not None
        assert (again.first_seq, again.last_seq, again.duplicates) == (2, 3, 1)
        await two.log.clear(ALICE, "s")
        assert await one.log.read(ALICE, "s") == []
        await one.log.append(ALICE, "s", entries("d"))
        assert [entry.seq for entry in await two.log.read(ALICE, "s")] == [4]
        await one.log.delete_session(ALICE, "s")
        assert await two.log.get_session(ALICE, "s") is None
        await two.log.append(ALICE, "s", entries("a"), create=make_session("s", clock))
        assert message_ids(await one.log.read(ALICE, "s")) == ["a"]
        assert len(await one.log.pending(limit=9)) == 1
        await two.log.settle(await one.log.pending(limit=9))
        assert await one.log.pending(limit=9) == []


async def test_openings_see_each_others_forks(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_at(tmp_path / "s", clock) as one, engine_at(tmp_path / "s", clock) as two:
        await start_session(one.log, clock, "a", "b", "c")
        await two.log.fork_session(ALICE, "s", make_session("f", clock), at=2)
        assert message_ids(await one.log.read(ALICE, "f")) == ["a", "b"]
        await one.log.delete_session(ALICE, "s")
        assert message_ids(await two.log.read(ALICE, "f")) == ["a", "b"]
        await two.log.append(ALICE, "f", entries("x", "a"))
        assert message_ids(await one.log.read(ALICE, "f")) == ["a", "b", "x"]


async def test_openings_see_each_others_records(tmp_path: Path) -> None:
    clock = FakeClock()
    home = ("alice",)
    async with engine_at(tmp_path / "s", clock) as one, engine_at(tmp_path / "s", clock) as two:
        await one.records.put(ALICE, [record("k", expected_version=0)])
        with pytest.raises(ConflictError):
            await two.records.put(ALICE, [record("k", expected_version=0)])
        await two.records.put(ALICE, [record("k", {"n": 2}, expected_version=1)])
        found = (await one.records.get(ALICE, [(home, "k")]))[0]
        assert found is not None
        assert found.value == {"n": 2}
        assert await one.records.delete(ALICE, [(home, "k")]) == 1
        assert await two.records.list(ALICE, (), limit=9) == []
        await two.records.put(ALICE, [record("k", expected_version=0)])
        assert len(await one.records.list(ALICE, (), limit=9)) == 1


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file as another process would."""
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


async def test_a_busy_session_holds_up_no_other(tmp_path: Path) -> None:
    """Its own calls wait for their time; calls on other sessions go through meanwhile."""
    clock = FakeClock()
    async with engine_at(tmp_path / "s", clock, lock_timeout_s=0.5) as engine:
        await start_session(engine.log, clock, "a")
        with _locked(only_session(tmp_path / "s")):
            waiting = asyncio.ensure_future(engine.log.append(ALICE, "s", entries("b")))
            await start_session(engine.log, clock, "a", session_id="free")
            assert await engine.log.append(ALICE, "free", entries("b"))
            assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
            with pytest.raises(StoreUnavailableError, match="another process"):
                await waiting
        assert await engine.log.append(ALICE, "s", entries("b"))


async def test_a_call_that_waited_is_done_when_the_lock_is_free(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_at(tmp_path / "s", clock) as engine:
        await start_session(engine.log, clock, "a")
        # One after the other: which of two that wait finds the lock free first, nobody says.
        with _locked(only_session(tmp_path / "s")):
            appending = asyncio.ensure_future(engine.log.append(ALICE, "s", entries("b")))
            await engine.log.create_session(ALICE, make_session("other", clock))
            assert not appending.done()
        assert await appending is not None
        assert await engine.log.delete_session(ALICE, "other")
        with _locked(only_session(tmp_path / "s")):
            deleting = asyncio.ensure_future(engine.log.delete_session(ALICE, "s"))
            await engine.log.create_session(ALICE, make_session("other", clock))
            assert not deleting.done()
        assert await deleting
        assert len(sessions_in(tmp_path / "s")) == 1
