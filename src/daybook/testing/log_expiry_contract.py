"""What a life's end must do: expired is missing at once, by the injected clock."""

from __future__ import annotations

from datetime import timedelta

from daybook.model.session import SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    BOB,
    RIVAL,
    entries,
    make_session,
    message_ids,
    start_session,
)
from daybook.testing.scenario import Contract, scenario

__all__ = ["LogExpiryContract"]

_HOUR = timedelta(hours=1)
_TICK = timedelta(microseconds=1)


class LogExpiryContract(Contract[MessageLog]):
    """Time to live."""

    @scenario
    async def test_expired_is_missing_for_every_method(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """One microsecond before the end all is there, at the end nothing is; no sweep needed."""
        await start_session(log, clock, "a", ttl=_HOUR)
        clock.advance(_HOUR - _TICK)
        assert message_ids(await log.read(ALICE, "s")) == ["a"]
        clock.advance(_TICK)
        assert await log.get_session(ALICE, "s") is None
        assert await log.read(ALICE, "s") == []
        assert await log.read_at(ALICE, [("s", 1, 1)]) == [[]]
        assert (await log.list_sessions(ALICE, limit=9)).items == []
        assert await log.stats(ALICE, "s") is None
        total = await log.stats(ALICE)
        assert total is not None
        assert (total.session_count, total.message_count) == (0, 0)
        assert await log.span(ALICE, "s") is None
        assert await log.update_session(ALICE, "s", SessionChanges(ttl=None)) is None
        assert await log.append(ALICE, "s", entries("b")) is None
        assert await log.clear(ALICE, "s") == 0
        assert await log.delete_session(ALICE, "s") is False

    @scenario
    async def test_a_late_call_leaves_an_expired_session_to_the_sweep(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """What is answered as missing is not removed on the way: the sweep still counts it."""
        await start_session(log, clock, "a", ttl=_HOUR)
        clock.advance(_HOUR)
        assert await log.append(BOB, "s", entries("b")) is None
        assert await log.append(ALICE, "s", entries("b")) is None
        assert await log.update_session(ALICE, "s", SessionChanges(title="t")) is None
        assert await log.clear(ALICE, "s") == 0
        assert await log.fork_session(ALICE, "s", make_session("f", clock)) is None
        assert await log.sweep(clock.now()) == 1

    @scenario
    async def test_deleting_an_expired_session_removes_what_is_left(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """It was missing, so the answer is no; but nothing waits for a sweep any more."""
        await start_session(log, clock, "a", ttl=_HOUR)
        clock.advance(_HOUR)
        assert await log.delete_session(BOB, "s") is False
        assert await log.delete_session(ALICE, "s") is False
        assert await log.sweep(clock.now()) == 0

    @scenario
    async def test_activity_prolongs_a_life(self, log: MessageLog, clock: FakeClock) -> None:
        """The ttl counts from the last append."""
        await start_session(log, clock, ttl=_HOUR)
        for number in range(3):
            clock.advance(_HOUR - _TICK)
            assert await log.append(ALICE, "s", entries(f"m{number}")), number
        found = await log.get_session(ALICE, "s")
        assert found is not None
        assert found.expires_at == clock.now() + _HOUR
        clock.advance(_HOUR)
        assert await log.get_session(ALICE, "s") is None

    @scenario
    async def test_a_new_ttl_counts_from_now(self, log: MessageLog, clock: FakeClock) -> None:
        """And taking it away makes a session live for ever."""
        await start_session(log, clock, "a", ttl=_HOUR)
        clock.advance(_HOUR / 2)
        changed = await log.update_session(ALICE, "s", SessionChanges(ttl=2 * _HOUR))
        assert changed is not None
        assert (changed.ttl, changed.expires_at) == (2 * _HOUR, clock.now() + 2 * _HOUR)
        clock.advance(2 * _HOUR - _TICK)
        changed = await log.update_session(ALICE, "s", SessionChanges(ttl=None))
        assert changed is not None
        assert (changed.ttl, changed.expires_at) == (None, None)
        clock.advance(timedelta(days=4000))
        assert message_ids(await log.read(ALICE, "s")) == ["a"]

    @scenario
    async def test_a_title_does_not_prolong_a_life(self, log: MessageLog, clock: FakeClock) -> None:
        """An update that names no ttl leaves the end where it is."""
        await start_session(log, clock, ttl=_HOUR)
        end = clock.now() + _HOUR
        clock.advance(_HOUR / 2)
        changed = await log.update_session(ALICE, "s", SessionChanges(title="t"))
        assert changed is not None
        assert changed.expires_at == end

    @scenario
    async def test_reading_prolongs_no_life(self, log: MessageLog, clock: FakeClock) -> None:
        """Whatever only looks leaves the end where it is."""
        await start_session(log, clock, "a", ttl=_HOUR)
        end = clock.now() + _HOUR
        clock.advance(_HOUR - _TICK)
        for _ in range(2):
            await log.read(ALICE, "s")
            await log.read(ALICE, "s", newest_first=True, limit=1, view=True)
            await log.read_at(ALICE, [("s", 1, 1)])
            await log.stats(ALICE, "s")
            await log.span(ALICE, "s")
            await log.append(ALICE, "s", entries("a"))
            listed = (await log.list_sessions(ALICE, limit=9)).items
            found = await log.get_session(ALICE, "s")
            assert [one.expires_at for one in listed] == [end]
            assert found is not None
            assert found.expires_at == end
        clock.advance(_TICK)
        assert await log.read(ALICE, "s") == []

    @scenario
    async def test_no_other_clock_ends_a_life(self, log: MessageLog, clock: FakeClock) -> None:
        """Neither a server's date nor time that really passes: this clock stands still."""
        await start_session(log, clock, "a", session_id="s", ttl=_TICK)
        await start_session(log, clock, "a", session_id="p", ttl=_TICK)
        assert await log.fork_session(ALICE, "p", make_session("f", clock, ttl=_TICK))
        for number in range(20):
            await log.append(ALICE, "f", entries(f"m{number}"))
            assert message_ids(await log.read(ALICE, "s")) == ["a"], number
        assert len(await log.read(ALICE, "f")) == 21
        assert await log.sweep(clock.now()) == 0
        assert len((await log.list_sessions(ALICE, limit=9)).items) == 3

    @scenario
    async def test_an_expired_id_is_free_and_its_messages_stay_gone(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Created again before any sweep, by its owner or another: nothing old shows through."""
        await start_session(log, clock, "a", "b", ttl=_HOUR)
        clock.advance(_HOUR)
        result = await log.append(
            BOB, "s", entries("a"), create=make_session("s", clock, user="bob")
        )
        assert result is not None
        assert (result.user_id, result.duplicates) == ("bob", 0)
        assert message_ids(await log.read(BOB, "s")) == ["a"]
        assert await log.get_session(ALICE, "s") is None
        await start_session(log, clock, "x", session_id="t", ttl=_HOUR)
        clock.advance(_HOUR)
        await log.create_session(ALICE, make_session("t", clock))
        assert await log.read(ALICE, "t") == []

    @scenario
    async def test_sweep_removes_what_expired_in_every_tenant(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """It counts sessions, is repeatable, and leaves the living alone."""
        for scope in (ALICE, RIVAL):
            await start_session(log, clock, "a", scope=scope, session_id="old", ttl=_HOUR)
            await start_session(log, clock, "a", scope=scope, session_id="young", ttl=3 * _HOUR)
            await start_session(log, clock, "a", scope=scope, session_id="ever")
        assert await log.sweep(clock.now()) == 0
        clock.advance(_HOUR)
        assert await log.sweep(clock.now()) == 2
        assert await log.sweep(clock.now()) == 0
        for scope in (ALICE, RIVAL):
            names = {one.id for one in (await log.list_sessions(scope, limit=9)).items}
            assert names == {"young", "ever"}
            assert message_ids(await log.read(scope, "young")) == ["a"]

    @scenario
    async def test_a_clock_set_back_ends_no_life_early(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A session made before the jump lives at least as long as it was promised."""
        await start_session(log, clock, "a", ttl=_HOUR)
        clock.advance(-timedelta(days=400))
        assert message_ids(await log.read(ALICE, "s")) == ["a"]
        clock.advance(timedelta(days=400) + _HOUR - _TICK)
        assert message_ids(await log.read(ALICE, "s")) == ["a"]
        clock.advance(_TICK)
        assert await log.read(ALICE, "s") == []
