"""What a fork must do: share the past, part ways after it, outlive its parent."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from daybook.errors import AccessDeniedError, ConflictError, InvalidInputError
from daybook.model.entry import AppendResult
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.model.session import Ancestor, Session
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    BOB,
    RIVAL,
    entries,
    entry,
    entry_of,
    make_session,
    message_ids,
    start_session,
)
from daybook.testing.scenario import Contract, scenario

__all__ = ["LogForkContract"]

_HOUR = timedelta(hours=1)


async def _fork(
    log: MessageLog,
    clock: FakeClock,
    parent: str,
    child: str,
    at: int | None = None,
    ttl: timedelta | None = None,
) -> Session:
    made = await log.fork_session(ALICE, parent, make_session(child, clock, ttl=ttl), at=at)
    assert made is not None
    return made


async def _ids(log: MessageLog, session_id: str) -> list[str]:
    return message_ids(await log.read(ALICE, session_id))


class LogForkContract(Contract[MessageLog]):
    """Copy-on-write sessions."""

    @scenario
    async def test_a_fork_shows_its_parents_past(self, log: MessageLog, clock: FakeClock) -> None:
        """Same messages, same numbers, own facts; counts are those of what it shares."""
        await start_session(log, clock, "a", "b", "c", ttl=_HOUR)
        described = make_session("f", clock, title="branch", metadata={"x": 1})
        made = await log.fork_session(ALICE, "s", described, at=2)
        assert made is not None
        assert made == await log.get_session(ALICE, "f")
        assert (made.title, made.metadata, made.ttl) == ("branch", {"x": 1}, None)
        assert (made.first_seq, made.last_seq) == (1, 2)
        assert (made.message_count, made.token_count) == (2, 10)
        assert made.ancestors == (Ancestor("s", 2),)
        assert await log.read(ALICE, "f") == await log.read(ALICE, "s", before=3)
        assert await _ids(log, "s") == ["a", "b", "c"]

    @scenario
    async def test_appends_part_ways(self, log: MessageLog, clock: FakeClock) -> None:
        """Each goes on with its own next number; neither sees the other's messages."""
        await start_session(log, clock, "a", "b", "c")
        await _fork(log, clock, "s", "f", at=2)
        assert await log.append(ALICE, "f", entries("x", "y")) == AppendResult(3, 4, 0, "alice")
        assert await log.append(ALICE, "s", entries("d")) == AppendResult(4, 4, 0, "alice")
        assert await _ids(log, "f") == ["a", "b", "x", "y"]
        assert await _ids(log, "s") == ["a", "b", "c", "d"]
        found = await log.get_session(ALICE, "f")
        assert found is not None
        assert (found.message_count, found.last_seq) == (4, 4)

    @scenario
    async def test_windows_cross_the_fork(self, log: MessageLog, clock: FakeClock) -> None:
        """Every window of a fork is the window of the whole, from either end."""
        await start_session(log, clock, "a", "b", "c", "d")
        await _fork(log, clock, "s", "f", at=3)
        await log.append(ALICE, "f", entries("x", "y", "z"))
        whole = await log.read(ALICE, "f")
        assert [one.seq for one in whole] == [1, 2, 3, 4, 5, 6]
        for after in range(7):
            for before in (None, *range(1, 8)):
                wanted = [one for one in whole if after < one.seq < (before or 99)]
                for limit in (None, 1, 2, 5):
                    found = await log.read(ALICE, "f", after=after, before=before, limit=limit)
                    assert found == wanted[:limit], (after, before, limit)
                newest = await log.read(
                    ALICE, "f", after=after, before=before, limit=2, newest_first=True
                )
                assert newest == wanted[::-1][:2], (after, before)
        places = [("f", 2, 5), ("s", 2, 9), ("f", 1, 3), ("f", 6, 9)]
        assert [message_ids(one) for one in await log.read_at(ALICE, places)] == [
            ["b", "c", "x", "y"],
            ["b", "c", "d"],
            ["a", "b", "c"],
            ["z"],
        ]

    @scenario
    async def test_a_fork_knows_the_ids_it_inherited(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A retry is a duplicate, another body a conflict; later ids of the parent are free."""
        await start_session(log, clock, "a", "b", "c")
        await _fork(log, clock, "s", "f", at=2)
        assert await log.append(ALICE, "f", entries("b")) == AppendResult(2, 2, 1, "alice")
        with pytest.raises(ConflictError):
            await log.append(ALICE, "f", [entry("a", "another body")])
        assert await log.append(ALICE, "f", [entry("c", "mine")]) == AppendResult(3, 3, 0, "alice")
        assert await log.append(ALICE, "f", [*entries("a"), entry("e")]) == AppendResult(
            1, 4, 1, "alice"
        )
        assert [one.body for one in await log.read(ALICE, "s")][2] == entry("c").body

    @scenario
    async def test_forks_of_forks(self, log: MessageLog, clock: FakeClock) -> None:
        """Three deep, and one from before its parent's own fork."""
        await start_session(log, clock, "a", "b", "c")
        await _fork(log, clock, "s", "f", at=2)
        await log.append(ALICE, "f", entries("x", "y"))
        deep = await _fork(log, clock, "f", "g", at=3)
        assert deep.ancestors == (Ancestor("s", 2), Ancestor("f", 3))
        await log.append(ALICE, "g", entries("z"))
        early = await _fork(log, clock, "g", "h", at=1)
        assert early.ancestors == (Ancestor("s", 1), Ancestor("f", 1), Ancestor("g", 1))
        await log.append(ALICE, "h", entries("q"))
        assert await _ids(log, "g") == ["a", "b", "x", "z"]
        assert await _ids(log, "h") == ["a", "q"]
        assert await log.append(ALICE, "g", entries("a", "x", "z")) == AppendResult(
            1, 4, 3, "alice"
        )

    @scenario
    async def test_a_fork_at_the_start_and_at_the_end(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """At 0 it shares nothing, without a place it shares all; an empty session can be forked."""
        await start_session(log, clock, "a", "b")
        none = await _fork(log, clock, "s", "f", at=0)
        assert (none.message_count, none.last_seq) == (0, 0)
        assert await log.append(ALICE, "f", entries("x")) == AppendResult(1, 1, 0, "alice")
        whole = await _fork(log, clock, "s", "g")
        assert (whole.message_count, whole.last_seq) == (2, 2)
        await start_session(log, clock, session_id="empty")
        assert (await _fork(log, clock, "empty", "h")).last_seq == 0
        assert await _ids(log, "h") == []

    @scenario
    async def test_a_fork_outlives_its_parent(self, log: MessageLog, clock: FakeClock) -> None:
        """Deleted, cleared, expired or made anew: what a fork shows stays."""
        for number, end in enumerate(("delete", "clear", "sweep", "anew")):
            parent, child = f"p{number}", f"c{number}"
            await start_session(log, clock, "a", "b", "c", session_id=parent, ttl=_HOUR)
            await _fork(log, clock, parent, child, at=2)
            await log.append(ALICE, child, entries("x"))
            if end == "delete":
                assert await log.delete_session(ALICE, parent)
            elif end == "clear":
                assert await log.clear(ALICE, parent) == 3
                assert await log.append(ALICE, parent, [entry("a", "new")])
                assert [one.seq for one in await log.read(ALICE, parent)] == [4]
            else:
                clock.advance(_HOUR)
                if end == "sweep":
                    await log.sweep(clock.now())
                else:
                    await start_session(log, clock, "a", session_id=parent)
                    assert await _ids(log, parent) == ["a"]
            assert await _ids(log, child) == ["a", "b", "x"], end
            assert await log.append(ALICE, child, entries("b", "x")) == AppendResult(
                2, 3, 2, "alice"
            ), end

    @scenario
    async def test_a_parent_outlives_its_forks(self, log: MessageLog, clock: FakeClock) -> None:
        """A fork's end takes nothing from its parent or its sisters."""
        await start_session(log, clock, "a", "b")
        await _fork(log, clock, "s", "f")
        await _fork(log, clock, "s", "g", ttl=_HOUR)
        await _fork(log, clock, "f", "h", at=1)
        await log.append(ALICE, "f", entries("x"))
        assert await log.clear(ALICE, "f") == 3
        assert await _ids(log, "f") == []
        assert await log.append(ALICE, "f", entries("a")) == AppendResult(4, 4, 0, "alice")
        assert await log.delete_session(ALICE, "f")
        clock.advance(_HOUR)
        assert await log.sweep(clock.now()) == 1
        assert await _ids(log, "s") == ["a", "b"]
        assert await _ids(log, "h") == ["a"]
        assert await log.append(ALICE, "s", entries("a", "c")) == AppendResult(1, 3, 1, "alice")

    @scenario
    async def test_a_fork_after_a_clear_shares_what_is_left(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Numbers go on; what was cleared before the fork never shows."""
        await start_session(log, clock, "a", "b")
        await log.clear(ALICE, "s")
        await log.append(ALICE, "s", entries("c", "d"))
        made = await _fork(log, clock, "s", "f", at=3)
        assert (made.first_seq, made.last_seq, made.message_count) == (3, 3, 1)
        assert await _ids(log, "f") == ["c"]
        assert await log.append(ALICE, "f", entries("a")) == AppendResult(4, 4, 0, "alice")
        for wrong in (-1, 1, 5):
            with pytest.raises(InvalidInputError):
                await log.fork_session(ALICE, "s", make_session("g", clock), at=wrong)
        assert await log.get_session(ALICE, "g") is None

    @scenario
    async def test_what_cannot_be_forked(self, log: MessageLog, clock: FakeClock) -> None:
        """A missing parent gives None; a taken id and another owner are refused."""
        await start_session(log, clock, "a", ttl=_HOUR)
        await start_session(log, clock, session_id="taken", scope=BOB)
        assert await log.fork_session(ALICE, "none", make_session("f", clock)) is None
        assert await log.fork_session(RIVAL, "s", make_session("f", clock)) is None
        assert await log.fork_session(BOB, "s", make_session("f", clock, user="bob")) is None
        with pytest.raises(ConflictError):
            await log.fork_session(ALICE, "s", make_session("taken", clock))
        with pytest.raises(ConflictError):
            await log.fork_session(ALICE, "s", make_session("s", clock))
        for scope in (ALICE, Scope("acme")):
            with pytest.raises(AccessDeniedError):
                await log.fork_session(scope, "s", make_session("f", clock, user="bob"))
        clock.advance(_HOUR)
        assert await log.fork_session(ALICE, "s", make_session("f", clock)) is None
        assert await log.get_session(ALICE, "f") is None

    @scenario
    async def test_a_fork_takes_a_free_ids_place(self, log: MessageLog, clock: FakeClock) -> None:
        """As a creation does, after a deletion and after an end; it is told from what was there."""
        await start_session(log, clock, "a")
        await start_session(log, clock, "old", session_id="f", ttl=_HOUR)
        seen = list[int]()
        for end in ("delete", "expire", "delete"):
            span = await log.span(ALICE, "f")
            assert span is not None
            seen.append(span.incarnation)
            if end == "delete":
                await log.delete_session(ALICE, "f")
            else:
                clock.advance(_HOUR)
            await _fork(log, clock, "s", "f", ttl=_HOUR)
            assert await _ids(log, "f") == ["a"]
        assert seen == sorted(set(seen))

    @scenario
    async def test_a_fork_is_pending_and_counted(self, log: MessageLog, clock: FakeClock) -> None:
        """The index hears of it; stats by role cover what it shares."""
        await start_session(log, clock, "a")
        await log.append(ALICE, "s", [entry_of(Message.assistant("b", id="b"))])
        await log.settle(await log.pending(limit=9))
        await _fork(log, clock, "s", "f")
        assert [one.session_id for one in await log.pending(limit=9)] == ["f"]
        span = await log.span(ALICE, "f")
        assert span is not None
        assert (span.first_seq, span.last_seq) == (1, 2)
        await log.append(ALICE, "f", entries("c"))
        one, mine = await log.stats(ALICE, "f"), await log.stats(ALICE)
        assert one is not None
        assert mine is not None
        assert (one.message_count, one.messages_by_role) == (3, {"user": 2, "assistant": 1})
        assert (mine.session_count, mine.message_count, mine.turn_count) == (2, 5, 3)

    @scenario
    async def test_forks_survive_a_reopen(self, log: MessageLog, clock: FakeClock) -> None:
        """Also after the parent's end."""
        if not self.persists:
            return
        await start_session(log, clock, "a", "b")
        await _fork(log, clock, "s", "f", at=1)
        await log.append(ALICE, "f", entries("x"))
        await log.delete_session(ALICE, "s")
        again = await self.reopen(clock)
        assert message_ids(await again.read(ALICE, "f")) == ["a", "x"]

    @scenario
    async def test_forks_and_appends_at_once(self, log: MessageLog, clock: FakeClock) -> None:
        """Each fork is a prefix of the parent as it grows, whole batches, and can be written to."""
        await start_session(log, clock, "a", "b")

        async def grow(number: int) -> None:
            await log.append(ALICE, "s", entries(f"m{number}x", f"m{number}y"))

        async def branch(number: int) -> None:
            await _fork(log, clock, "s", f"f{number}")
            await log.append(ALICE, f"f{number}", entries("own"))

        await asyncio.gather(*(grow(n) for n in range(10)), *(branch(n) for n in range(10)))
        whole = await _ids(log, "s")
        assert len(whole) == 22
        for number in range(10):
            *shared, own = await _ids(log, f"f{number}")
            assert own == "own"
            assert shared == whole[: len(shared)]
            assert len(shared) % 2 == 0
