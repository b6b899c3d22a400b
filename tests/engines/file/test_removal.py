"""What was removed is not on the disk, except what a fork still shows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from daybook.model.session import SessionChanges
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, make_session, message_ids, start_session
from daybook.testing.sample_data import record as make_record
from tests.engines.file.stores import engine_at, holding, sessions_in

_HOUR = timedelta(hours=1)


def _there(root: Path, *names: str) -> list[str]:
    """Return which of these texts stand in any file, its first line aside."""
    return [name for name in names if any(holding(root, f'"{name}"'))]


async def test_a_deleted_session_leaves_nothing(tmp_path: Path) -> None:
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "canary")
        assert _there(tmp_path / "s", "canary") == ["canary"]
        await engine.log.delete_session(ALICE, "s")
        assert _there(tmp_path / "s", "canary") == []
        assert sessions_in(tmp_path / "s") == []


async def test_a_cleared_session_keeps_its_facts_only(tmp_path: Path) -> None:
    async with engine_at(tmp_path / "s") as engine:
        await start_session(engine.log, FakeClock(), "canary")
        await engine.log.clear(ALICE, "s")
        await engine.log.append(ALICE, "s", entries("after"))
        assert _there(tmp_path / "s", "canary", "after") == ["after"]


async def test_an_expired_session_leaves_nothing_once_swept(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_at(tmp_path / "s", clock) as engine:
        await start_session(engine.log, clock, "canary", ttl=_HOUR)
        clock.advance(_HOUR)
        assert await engine.log.sweep(clock.now()) == 1
        assert _there(tmp_path / "s", "canary") == []


async def test_an_old_title_goes_when_a_new_one_comes(tmp_path: Path) -> None:
    async with engine_at(tmp_path / "s") as engine:
        await engine.log.create_session(ALICE, make_session("s", FakeClock(), title="canary"))
        await engine.log.append(ALICE, "s", entries("a"))
        await engine.log.update_session(ALICE, "s", SessionChanges(title="other"))
        assert _there(tmp_path / "s", "canary", "other") == ["other"]
    async with engine_at(tmp_path / "s") as engine:
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
        session = await engine.log.get_session(ALICE, "s")
        assert session is not None
        assert (session.title, session.message_count) == ("other", 1)


async def test_a_fork_keeps_what_it_shows_and_no_more(tmp_path: Path) -> None:
    """Cut in the middle of a batch; the parent's title goes too."""
    root, clock = tmp_path / "s", FakeClock()
    async with engine_at(root, clock) as engine:
        await engine.log.create_session(ALICE, make_session("s", clock, title="secret"))
        await engine.log.append(ALICE, "s", entries("one", "two", "three"))
        await engine.log.append(ALICE, "s", entries("four"))
        await engine.log.fork_session(ALICE, "s", make_session("early", clock), at=1)
        await engine.log.fork_session(ALICE, "s", make_session("late", clock), at=2)
        assert len(list(holding(root, '"one"'))) == 1  # nothing was copied
        await engine.log.delete_session(ALICE, "s")
        assert _there(root, "one", "two", "three", "four", "secret") == ["one", "two"]
        assert message_ids(await engine.log.read(ALICE, "late")) == ["one", "two"]
        await engine.log.delete_session(ALICE, "late")
        assert _there(root, "one", "two") == ["one"]
        assert message_ids(await engine.log.read(ALICE, "early")) == ["one"]
    async with engine_at(root, clock) as engine:
        assert message_ids(await engine.log.read(ALICE, "early")) == ["one"]
        await engine.log.clear(ALICE, "early")
        assert _there(root, "one") == []
        assert not list(root.glob("tenants/*/shared/*"))
        assert not list(root.glob("tenants/*/references/*"))


async def test_what_a_crash_left_of_a_fork_goes_at_the_next_opening(tmp_path: Path) -> None:
    """The reference of a fork that was never made, and a part that only it asked for."""
    root, clock = tmp_path / "s", FakeClock()
    async with engine_at(root, clock) as engine:
        await start_session(engine.log, clock, "canary")
        await engine.log.fork_session(ALICE, "s", make_session("f", clock))
        child = next(path for path in sessions_in(root) if b"canary" not in path.read_bytes())
        child.unlink()
        await engine.log.delete_session(ALICE, "s")
        assert _there(root, "canary") == ["canary"]
    async with engine_at(root, clock):
        assert _there(root, "canary") == []


async def test_removed_records_leave_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_at(tmp_path / "s", clock) as engine:
        gone = make_record("k", {"v": "canary"})
        await engine.records.put(ALICE, [gone, make_record("j", {"v": "stays"})])
        await engine.records.put(ALICE, [make_record("k", {"v": "later"})])
        await engine.records.delete(ALICE, [(("alice",), "k")])
        assert _there(tmp_path / "s", "canary", "later", "stays") == ["stays"]
        expiring = make_record("k", {"v": "canary"}, expires_at=clock.now() + _HOUR)
        await engine.records.put(ALICE, [expiring])
        clock.advance(_HOUR)
        await engine.records.sweep(clock.now())
        assert _there(tmp_path / "s", "canary", "stays") == ["stays"]
        await engine.records.delete_namespace(ALICE, ("alice",))
        assert not list((tmp_path / "s").glob("tenants/*/records/*/*.log"))


async def test_an_expired_record_that_is_written_again_leaves_nothing_once_swept(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with engine_at(tmp_path / "s", clock) as engine:
        expiring = make_record("k", {"v": "canary"}, expires_at=clock.now() + _HOUR)
        await engine.records.put(ALICE, [expiring])
        clock.advance(_HOUR)
        await engine.records.put(ALICE, [make_record("k", {"v": "new"})])
        await engine.records.sweep(clock.now())
        assert _there(tmp_path / "s", "canary", "new") == ["new"]
