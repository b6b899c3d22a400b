"""Bytes that changed on the disk cost the message they stand in, not the conversation."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from daybook.errors import CorruptRecordError
from daybook.model.codec import decode_entry
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, entry, make_session, start_session
from tests.engines.file.stores import engine_at, only_session, sessions_in


async def _three(root: Path) -> Path:
    async with engine_at(root) as engine:
        await start_session(engine.log, FakeClock(), "first", "second")
        await engine.log.append(ALICE, "s", entries("third", "fourth"))
        await engine.log.append(ALICE, "s", entries("fifth"))
    return only_session(root)


def _change(path: Path, old: bytes, new: bytes) -> None:
    whole = path.read_bytes()
    assert whole.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(whole.replace(old, new))


async def _read(root: Path) -> list[str]:
    async with engine_at(root) as engine:
        found = [decode_entry(one) for one in await engine.log.read(ALICE, "s")]
    assert [one.seq for one in found] == [1, 2, 3, 4, 5]
    return ["?" if one.corrupt else one.message.text for one in found]


async def test_a_changed_body_costs_its_own_message(tmp_path: Path) -> None:
    path = await _three(tmp_path / "s")
    _change(path, b'"content":"third"', b'"content":"thjrd"')
    assert await _read(tmp_path / "s") == ["first", "second", "?", "fourth", "fifth"]


async def test_a_body_that_changes_while_the_store_is_open(tmp_path: Path) -> None:
    """Each read looks at the checksum, not only the first."""
    root = tmp_path / "s"
    await _three(root)
    async with engine_at(root) as engine:
        assert all(one.body for one in await engine.log.read(ALICE, "s"))
        path = only_session(root)
        start = path.read_bytes().index(b'"content":"second"')
        with path.open("r+b") as file:
            file.seek(start)
            file.write(b'"content":"sedond"')
        found = await engine.log.read(ALICE, "s")
    assert [bool(one.body) for one in found] == [True, False, True, True, True]


async def test_a_changed_head_costs_its_batch(tmp_path: Path) -> None:
    path = await _three(tmp_path / "s")
    whole = path.read_bytes()
    at = whole.index(b"\n@a", whole.index(b"second")) + 5
    path.write_bytes(whole[:at] + b"f" + whole[at + 1 :])
    assert await _read(tmp_path / "s") == ["first", "second", "?", "?", "fifth"]


async def test_a_damaged_file_can_be_appended_to(tmp_path: Path) -> None:
    path = await _three(tmp_path / "s")
    whole = path.read_bytes()
    at = whole.index(b"\n@a", whole.index(b"second")) + 5
    path.write_bytes(whole[:at] + b"f" + whole[at + 1 :])
    async with engine_at(tmp_path / "s") as engine:
        result = await engine.log.append(ALICE, "s", entries("sixth"))
        assert result is not None
        assert result.first_seq == 6


async def test_text_that_looks_like_a_frame_is_text(tmp_path: Path) -> None:
    """Where a frame is damaged, the search for the next one must not believe a message."""
    root = tmp_path / "s"
    await _three(root)
    forged = only_session(root).read_bytes()  # every frame of the same session, whole
    async with engine_at(tmp_path / "t") as engine:
        await start_session(engine.log, FakeClock(), "a")
        inside = entry("b")
        body = inside.body + b"\n" + forged + b"\n"
        await engine.log.append(ALICE, "s", [type(inside)("b", body, b"12345678", "user", 1)])
        await engine.log.append(ALICE, "s", entries("c"))
    path = only_session(tmp_path / "t")
    whole = path.read_bytes()
    at = whole.index(b"\n@a", whole.index(b'"content":"a"')) + 5
    path.write_bytes(whole[:at] + b"f" + whole[at + 1 :])
    async with engine_at(tmp_path / "t") as engine:
        found = [decode_entry(one) for one in await engine.log.read(ALICE, "s")]
    assert [(one.seq, one.corrupt) for one in found] == [(1, False), (2, True), (3, False)]


async def test_one_session_with_damaged_facts_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "s"
    await _three(root)
    async with engine_at(root) as engine:
        broken = only_session(root)
        await engine.log.create_session(ALICE, make_session("sound", FakeClock()))
    assert len(sessions_in(root)) == 2
    _change(broken, b'"incarnation":', b'"incarnati0n":')
    async with engine_at(root) as engine:
        with pytest.raises(CorruptRecordError):
            await engine.log.get_session(ALICE, "s")
        with caplog.at_level(logging.WARNING):
            page = await engine.log.list_sessions(ALICE, limit=9)
        assert [one.id for one in page.items] == ["sound"]
        assert "damaged" in caplog.text
        assert "alice" not in caplog.text


async def test_a_file_put_in_anothers_place_is_refused(tmp_path: Path) -> None:
    """A restore that mixes files up must not show one user's messages to another."""
    root = tmp_path / "s"
    async with engine_at(root) as engine:
        await start_session(engine.log, FakeClock(), "mine", session_id="mine")
        mine = only_session(root)
        await start_session(engine.log, FakeClock(), "other", session_id="other")
    [other] = [path for path in sessions_in(root) if path != mine]
    other.write_bytes(mine.read_bytes())
    async with engine_at(root) as engine:
        with pytest.raises(CorruptRecordError):
            await engine.log.read(ALICE, "other")
        assert len(await engine.log.read(ALICE, "mine")) == 1
