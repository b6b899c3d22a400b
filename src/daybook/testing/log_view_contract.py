"""What views, grants and exact restores must do."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from daybook.model.entry import AppendResult
from daybook.model.session import Ancestor, Grant, SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    RIVAL,
    entries,
    make_session,
    message_ids,
    start_session,
)
from daybook.testing.scenario import Contract, scenario

__all__ = ["LogViewContract"]

_HOUR = timedelta(hours=1)


class LogViewContract(Contract[MessageLog]):
    """`max_messages`, `grants`, and sessions written as they were elsewhere."""

    @scenario
    async def test_a_view_shows_the_newest_messages(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Old messages are hidden from the view, and there for who reads everything."""
        await log.create_session(ALICE, make_session("s", clock, max_messages=3))
        await log.append(ALICE, "s", entries("a", "b", "c", "d", "e"))
        assert message_ids(await log.read(ALICE, "s", view=True)) == ["c", "d", "e"]
        assert message_ids(await log.read(ALICE, "s")) == ["a", "b", "c", "d", "e"]
        shown = await log.read(ALICE, "s", view=True, limit=2, newest_first=True)
        assert message_ids(shown) == ["e", "d"]
        assert message_ids(await log.read(ALICE, "s", view=True, after=3)) == ["d", "e"]
        assert message_ids(await log.read(ALICE, "s", view=True, before=4)) == ["c"]
        assert await log.read(ALICE, "s", view=True, before=3) == []
        found = await log.get_session(ALICE, "s")
        assert found is not None
        assert (found.max_messages, found.message_count) == (3, 5)

    @scenario
    async def test_a_view_can_be_widened(self, log: MessageLog, clock: FakeClock) -> None:
        """Nothing was thrown away."""
        await log.create_session(ALICE, make_session("s", clock, max_messages=1))
        await log.append(ALICE, "s", entries("a", "b", "c"))
        changed = await log.update_session(ALICE, "s", SessionChanges(max_messages=2))
        assert changed is not None
        assert changed.max_messages == 2
        assert message_ids(await log.read(ALICE, "s", view=True)) == ["b", "c"]
        await log.update_session(ALICE, "s", SessionChanges(max_messages=None))
        assert message_ids(await log.read(ALICE, "s", view=True)) == ["a", "b", "c"]

    @scenario
    async def test_a_view_of_a_fork(self, log: MessageLog, clock: FakeClock) -> None:
        """The fork's own limit counts, over what it shares too."""
        await start_session(log, clock, "a", "b", "c")
        child = make_session("f", clock, max_messages=2)
        assert await log.fork_session(ALICE, "s", child, at=2)
        assert message_ids(await log.read(ALICE, "f", view=True)) == ["a", "b"]
        await log.append(ALICE, "f", entries("x"))
        assert message_ids(await log.read(ALICE, "f", view=True)) == ["b", "x"]

    @scenario
    async def test_grants_are_kept_by_user(self, log: MessageLog, clock: FakeClock) -> None:
        """A grant replaces the same user's and leaves the others'; None takes one away."""
        await start_session(log, clock, "a", ttl=_HOUR)
        end = clock.now() + _HOUR
        bob = Grant(user_id="bob", role="reader", granted_at=clock.now(), expires_at=end)
        eve = Grant(user_id="$eve.", role="writer", granted_at=clock.now())
        changed = await log.update_session(
            ALICE, "s", SessionChanges(grants={"bob": bob, "$eve.": eve})
        )
        assert changed is not None
        assert changed.grants == (eve, bob)
        clock.advance(_HOUR / 2)
        changed = await log.update_session(ALICE, "s", SessionChanges(grants={"bob": None}))
        assert changed is not None
        assert changed.grants == (eve,)
        assert changed.expires_at == end
        assert await log.get_session(ALICE, "s") == changed
        assert (await log.list_sessions(ALICE, limit=1)).items == [changed]

    @scenario
    async def test_pins_are_kept_by_number(self, log: MessageLog, clock: FakeClock) -> None:
        """Setting one leaves the others; a fork has those of the messages it shares."""
        await start_session(log, clock, "a", "b", "c")
        changes = [SessionChanges(pins={seq: True}) for seq in (3, 1, 2)]
        await asyncio.gather(*(log.update_session(ALICE, "s", one) for one in changes))
        changed = await log.update_session(ALICE, "s", SessionChanges(title="t", pins={1: False}))
        assert changed is not None
        assert changed.pins == (2, 3)
        assert await log.get_session(ALICE, "s") == changed
        await log.append(ALICE, "s", entries("d"))
        forked = await log.fork_session(ALICE, "s", make_session("f", clock), at=2)
        assert forked is not None
        assert forked.pins == (2,)
        assert await log.get_session(ALICE, "f") == forked

    @scenario
    async def test_concurrent_grants_all_stay(self, log: MessageLog, clock: FakeClock) -> None:
        """No read-modify-write loses one, nor a title set beside them."""
        await start_session(log, clock)
        names = [f"u{number:02}" for number in range(12)]
        grants = [Grant(user_id=name, role="reader", granted_at=clock.now()) for name in names]
        changes = [SessionChanges(grants={one.user_id: one}) for one in grants]
        await asyncio.gather(
            *(log.update_session(ALICE, "s", one) for one in changes),
            log.update_session(ALICE, "s", SessionChanges(title="t")),
            *(log.append(ALICE, "s", entries(name)) for name in names),
        )
        found = await log.get_session(ALICE, "s")
        assert found is not None
        assert [one.user_id for one in found.grants] == names
        assert (found.title, found.message_count) == ("t", 12)

    @scenario
    async def test_a_session_is_restored_as_it_was(self, log: MessageLog, clock: FakeClock) -> None:
        """First number, times, end, ancestors, grants and its owner's name for it."""
        past = clock.now() - timedelta(days=400, microseconds=3)
        given = make_session(
            "s",
            clock,
            ttl=timedelta(days=500),
            conversation_id="support/1",
            max_messages=7,
            first_seq=11,
            ancestors=(Ancestor("gone", 12),),
            grants=(Grant(user_id="bob", role="reader", granted_at=past),),
            pins=(12, 11),
        )
        made = await log.create_session(ALICE, given)
        assert (made.first_seq, made.last_seq, made.message_count) == (11, 10, 0)
        assert await log.append(ALICE, "s", entries("a", "b")) == AppendResult(11, 12, 0, "alice")
        end = past + timedelta(days=600, microseconds=1)
        changes = SessionChanges(last_active_at=past, expires_at=end)
        changed = await log.update_session(ALICE, "s", changes)
        assert changed is not None
        assert (changed.last_active_at, changed.expires_at) == (past, end)
        assert changed == await log.get_session(ALICE, "s")
        assert (changed.conversation_id, changed.max_messages) == ("support/1", 7)
        assert (changed.ancestors, changed.grants) == (given.ancestors, given.grants)
        assert changed.pins == (11, 12)
        span = await log.span(ALICE, "s")
        assert span is not None
        assert (span.first_seq, span.last_seq) == (11, 12)
        assert await log.append(ALICE, "s", entries("b")) == AppendResult(12, 12, 1, "alice")

    @scenario
    async def test_activity_alone_prolongs_a_life(self, log: MessageLog, clock: FakeClock) -> None:
        """`last_active_at` moves the end by the ttl, and the session to the front of the list."""
        await start_session(log, clock, session_id="s", ttl=_HOUR)
        clock.advance(_HOUR / 2)
        await start_session(log, clock, session_id="t")
        now = clock.advance(timedelta(seconds=1))
        changed = await log.update_session(ALICE, "s", SessionChanges(last_active_at=now))
        assert changed is not None
        assert changed.expires_at == now + _HOUR
        listed = await log.list_sessions(ALICE, limit=9)
        assert [one.id for one in listed.items] == ["s", "t"]

    @scenario
    async def test_tenants_with_sessions_are_told(self, log: MessageLog, clock: FakeClock) -> None:
        """Sorted, each once; none before the first session."""
        assert await log.tenants() == []
        for scope in (RIVAL, ALICE):
            await start_session(log, clock, scope=scope, session_id="s")
            await start_session(log, clock, scope=scope, session_id="t")
        assert await log.tenants() == ["acme", "rival"]
