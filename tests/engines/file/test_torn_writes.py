"""What a crash leaves half written at the end is never read, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, message_ids, record, start_session
from tests.engines.file.stores import engine_at, only_session


async def _written(root: Path) -> tuple[bytes, int]:
    """Return the file of a session with three batches, and where the last one begins."""
    async with engine_at(root) as engine:
        await start_session(engine.log, FakeClock(), "a", "b")
        await engine.log.append(ALICE, "s", entries("c"))
        before = only_session(root).stat().st_size
        await engine.log.append(ALICE, "s", entries("d", "e"))
    return only_session(root).read_bytes(), before


async def _check(root: Path, where: str) -> None:
    """Read what is there, append, and read again in another opening."""
    async with engine_at(root) as engine:
        session = await engine.log.get_session(ALICE, "s")
        assert session is not None, where
        assert (session.message_count, session.last_seq) == (3, 3), where
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b", "c"], where
        again = await engine.log.append(ALICE, "s", entries("d", "e"))
        assert again is not None, where
        assert (again.first_seq, again.last_seq, again.duplicates) == (4, 5, 0), where
    async with engine_at(root) as engine:
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b", "c", "d", "e"], where


async def test_a_frame_cut_anywhere_does_not_count(tmp_path: Path) -> None:
    whole, before = await _written(tmp_path / "s")
    path = only_session(tmp_path / "s")
    for end in range(before, len(whole), 37):
        path.write_bytes(whole[:end])
        await _check(tmp_path / "s", f"cut at {end} of {len(whole)}")


@pytest.mark.parametrize("filler", [b"\0", b"@", b"\n", b"\xff"])
async def test_a_frame_with_a_hole_does_not_count(tmp_path: Path, filler: bytes) -> None:
    """A power loss may keep the size of a file and lose what was written in the middle."""
    whole, before = await _written(tmp_path / "s")
    path = only_session(tmp_path / "s")
    for start in range(before, len(whole) - 16, 61):
        path.write_bytes(whole[:start] + filler * 16 + whole[start + 16 :])
        await _check(tmp_path / "s", f"{filler!r} at {start}")


async def test_a_whole_frame_counts(tmp_path: Path) -> None:
    """The control: the same file, cut nowhere, holds all five."""
    whole, _ = await _written(tmp_path / "s")
    only_session(tmp_path / "s").write_bytes(whole)
    async with engine_at(tmp_path / "s") as engine:
        assert len(await engine.log.read(ALICE, "s")) == 5


async def test_a_record_cut_anywhere_does_not_count(tmp_path: Path) -> None:
    root = tmp_path / "s"
    async with engine_at(root) as engine:
        await engine.records.put(ALICE, [record("k", {"n": 1})])
        [path] = root.glob("tenants/*/records/*/*.log")
        before = path.stat().st_size
        await engine.records.put(ALICE, [record("k", {"n": 2}), record("j")])
    whole = path.read_bytes()
    for end in range(before, len(whole), 29):
        path.write_bytes(whole[:end])
        async with engine_at(root) as engine:
            [kept, other] = await engine.records.get(ALICE, [(("alice",), "k"), (("alice",), "j")])
            assert kept is not None
            assert (kept.value, kept.version, other) == ({"n": 1}, 1, None)
            await engine.records.put(ALICE, [record("k", {"n": 3})])
        async with engine_at(root) as engine:
            kept = (await engine.records.get(ALICE, [(("alice",), "k")]))[0]
            assert kept is not None
            assert (kept.value, kept.version) == ({"n": 3}, 2)
