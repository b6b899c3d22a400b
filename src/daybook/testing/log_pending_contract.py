"""What the marks for the indexer must do: no change is ever forgotten."""

from __future__ import annotations

from datetime import timedelta

from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog, PendingSession
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, BOB, RIVAL, entries, make_session, start_session
from daybook.testing.scenario import Contract, scenario

__all__ = ["LogPendingContract"]

_HOUR = timedelta(hours=1)


async def _names(log: MessageLog, scope: Scope | None = None) -> list[tuple[str, str, str]]:
    found = await log.pending(limit=100, scope=scope)
    return [(one.tenant, one.user_id, one.session_id) for one in found]


async def _settle_all(log: MessageLog) -> list[PendingSession]:
    found = await log.pending(limit=100)
    await log.settle(found)
    assert await log.pending(limit=100) == []
    return found


class LogPendingContract(Contract[MessageLog]):
    """`MessageLog.pending` and `settle`."""

    @scenario
    async def test_every_kind_of_change_is_marked(self, log: MessageLog, clock: FakeClock) -> None:
        """Append, clear, delete and the sweep of an expired session."""
        mine = [("acme", "alice", "s")]
        await start_session(log, clock, "a", ttl=_HOUR)
        assert await _names(log) == mine
        await _settle_all(log)
        await log.clear(ALICE, "s")
        assert await _names(log) == mine
        await _settle_all(log)
        await log.append(ALICE, "s", entries("b"))
        await _settle_all(log)
        await log.delete_session(ALICE, "s")
        assert await _names(log) == mine
        await _settle_all(log)
        await start_session(log, clock, "c", ttl=_HOUR)
        await _settle_all(log)
        clock.advance(_HOUR)
        await log.sweep(clock.now())
        assert await _names(log) == mine

    @scenario
    async def test_a_settled_mark_is_forgotten_unless_newer_changes_came(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Settling what was read before a change leaves the change pending."""
        await start_session(log, clock, "a")
        old = await log.pending(limit=9)
        await log.append(ALICE, "s", entries("b"))
        new = await log.pending(limit=9)
        assert new[0].mark > old[0].mark
        await log.settle(old)
        assert await log.pending(limit=9) == new
        await log.settle(new)
        await log.settle(new)
        await log.settle(old)
        assert await log.pending(limit=9) == []

    @scenario
    async def test_marks_grow_after_they_were_settled(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A mark that was settled once never covers a later change."""
        await start_session(log, clock, "a")
        old = await _settle_all(log)
        await log.append(ALICE, "s", entries("b"))
        await log.settle(old)
        new = await log.pending(limit=9)
        assert [one.session_id for one in new] == ["s"]
        assert new[0].mark > old[0].mark
        await _settle_all(log)
        await log.delete_session(ALICE, "s")
        await start_session(log, clock, "c")
        last = await log.pending(limit=9)
        assert last[0].mark > new[0].mark

    @scenario
    async def test_the_oldest_change_comes_first(self, log: MessageLog, clock: FakeClock) -> None:
        """And a limit cuts the newest."""
        for name in ("c", "a", "b"):
            await start_session(log, clock, "m", session_id=name)
        assert [one.session_id for one in await log.pending(limit=2)] == ["c", "a"]
        assert [one[2] for one in await _names(log)] == ["c", "a", "b"]

    @scenario
    async def test_a_scope_sees_its_own_marks(self, log: MessageLog, clock: FakeClock) -> None:
        """Of one user, of one tenant, or of all."""
        for scope in (ALICE, RIVAL):
            await start_session(log, clock, "m", scope=scope, session_id="s")
        await start_session(log, clock, "m", scope=BOB, session_id="t")
        assert await _names(log, ALICE) == [("acme", "alice", "s")]
        assert await _names(log, Scope("acme")) == [("acme", "alice", "s"), ("acme", "bob", "t")]
        assert len(await _names(log)) == 3

    @scenario
    async def test_settling_one_owner_leaves_the_others(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """The same session id in two tenants has two marks."""
        for scope in (ALICE, RIVAL):
            await start_session(log, clock, "m", scope=scope)
        await log.settle(await log.pending(limit=9, scope=ALICE))
        assert await _names(log) == [("rival", "alice", "s")]

    @scenario
    async def test_an_id_taken_over_marks_the_former_owner_too(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Both indexes must change when an expired id is used by another user."""
        await start_session(log, clock, "a", ttl=_HOUR)
        await _settle_all(log)
        clock.advance(_HOUR)
        await log.append(BOB, "s", entries("b"), create=make_session("s", clock, user="bob"))
        await log.sweep(clock.now())
        assert set(await _names(log)) == {("acme", "alice", "s"), ("acme", "bob", "s")}

    @scenario
    async def test_a_refused_batch_marks_nothing(self, log: MessageLog, clock: FakeClock) -> None:
        """The mark is of the same transaction as the change."""
        await start_session(log, clock, "a")
        await _settle_all(log)
        assert await log.append(ALICE, "none", entries("b")) is None
        assert await log.append(BOB, "s", entries("b")) is None
        assert await log.delete_session(BOB, "s") is False
        assert await _names(log) == []
