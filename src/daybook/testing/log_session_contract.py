"""What sessions must do: create, list in pages, change, count, delete."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, timedelta, timezone

import pytest

from daybook.errors import AccessDeniedError, ConflictError, InvalidInputError
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.model.session import Session, SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    BOB,
    RIVAL,
    entries,
    entry_of,
    make_session,
    start_session,
)
from daybook.testing.scenario import Contract, scenario

__all__ = ["LogSessionContract"]

_METADATA = {"int": 2**63, "float": 0.1, "text": "naïve\x00", "none": None, "list": [1, {"a": []}]}


class LogSessionContract(Contract[MessageLog]):
    """Everything about sessions but their expiry."""

    @scenario
    async def test_a_session_comes_back_as_created(self, log: MessageLog, clock: FakeClock) -> None:
        """Every field, metadata types and microseconds included; times are aware and UTC."""
        given = make_session(
            "s", clock, ttl=timedelta(days=1, microseconds=1), title="Grüße", metadata=_METADATA
        )
        assert await log.create_session(ALICE, given) == given
        found = await log.get_session(ALICE, "s")
        assert found == given
        assert found is not None
        assert found.created_at.tzinfo == found.last_active_at.tzinfo == UTC
        assert list(found.metadata) == list(_METADATA)

    @scenario
    async def test_moments_are_kept_whatever_their_zone(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A time given in another zone is the same moment, returned in UTC."""
        moment = clock.now().astimezone(timezone(timedelta(hours=-5)))
        given = Session(id="s", user_id="alice", created_at=moment, last_active_at=moment)
        found = await log.create_session(ALICE, given)
        assert found.created_at == moment
        assert found.created_at.utcoffset() == timedelta(0)

    @scenario
    async def test_a_new_session_is_empty(self, log: MessageLog, clock: FakeClock) -> None:
        """Counts that a caller hands in are not believed."""
        lie = make_session("s", clock, message_count=7, token_count=70, last_seq=700)
        made = await log.create_session(ALICE, lie)
        assert (made.message_count, made.token_count, made.last_seq) == (0, 0, 0)
        assert await log.append(ALICE, "s", entries("a"))
        found = await log.get_session(ALICE, "s")
        assert found is not None
        assert (found.message_count, found.last_seq) == (1, 1)

    @scenario
    async def test_a_live_id_cannot_be_created_again(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Not by its owner, not by another user; another tenant is another world."""
        await start_session(log, clock, "a")
        with pytest.raises(ConflictError):
            await log.create_session(ALICE, make_session("s", clock, title="again"))
        with pytest.raises(ConflictError):
            await log.create_session(BOB, make_session("s", clock, user="bob"))
        await log.create_session(RIVAL, make_session("s", clock))
        found = await log.get_session(ALICE, "s")
        assert found is not None
        assert (found.title, found.message_count, found.user_id) == (None, 1, "alice")

    @scenario
    async def test_a_scope_creates_for_its_own_user_only(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A session of another user than the scope's is refused; a tenant's scope may make any."""
        with pytest.raises(AccessDeniedError):
            await log.create_session(ALICE, make_session("s", clock, user="bob"))
        with pytest.raises(AccessDeniedError):
            await log.append(ALICE, "s", entries("a"), create=make_session("s", clock, user="bob"))
        assert await log.get_session(BOB, "s") is None
        await log.create_session(Scope("acme"), make_session("s", clock, user="bob"))
        assert await log.get_session(BOB, "s")

    @scenario
    async def test_one_of_many_creators_wins(self, log: MessageLog, clock: FakeClock) -> None:
        """Of concurrent creations exactly one succeeds, and it is the one that is kept."""
        results = await asyncio.gather(
            *(
                log.create_session(ALICE, make_session("s", clock, title=str(number)))
                for number in range(20)
            ),
            return_exceptions=True,
        )
        won = [one for one in results if isinstance(one, Session)]
        assert len(won) == 1
        assert sum(isinstance(one, ConflictError) for one in results) == 19
        assert await log.get_session(ALICE, "s") == won[0]

    @scenario
    async def test_an_update_sets_only_what_it_names(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Fields left out stay; None is a value."""
        await log.create_session(
            ALICE, make_session("s", clock, title="old", metadata={"a": 1}, ttl=timedelta(days=1))
        )
        clock.advance(timedelta(hours=1))
        after = await log.update_session(ALICE, "s", SessionChanges(metadata={"b": [2]}))
        assert after is not None
        assert (after.title, after.metadata, after.ttl) == ("old", {"b": [2]}, timedelta(days=1))
        after = await log.update_session(ALICE, "s", SessionChanges(title=None))
        assert after is not None
        assert (after.title, after.metadata) == (None, {"b": [2]})
        assert after == await log.get_session(ALICE, "s")
        assert await log.update_session(ALICE, "none", SessionChanges(title="x")) is None

    @scenario
    async def test_metadata_is_nobodys_alias(self, log: MessageLog, clock: FakeClock) -> None:
        """Changing the object that was given, or one that was returned, changes nothing stored."""
        given = {"tags": ["a"]}
        made = await log.create_session(ALICE, make_session("s", clock, metadata=given))
        given["tags"].append("b")
        made.metadata["tags"].append("c")
        found = await log.get_session(ALICE, "s")
        assert found is not None
        assert found.metadata == {"tags": ["a"]}
        found.metadata.clear()
        listed = (await log.list_sessions(ALICE, limit=1)).items[0]
        assert listed.metadata == {"tags": ["a"]}

    @scenario
    async def test_activity_moves_a_session_forward(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Counts and times follow every append."""
        await start_session(log, clock)
        created = clock.now()
        active = clock.advance(timedelta(microseconds=1))
        await log.append(ALICE, "s", entries("a", "b"))
        found = await log.get_session(ALICE, "s")
        assert found is not None
        assert (found.created_at, found.last_active_at) == (created, active)
        assert (found.message_count, found.token_count, found.last_seq) == (2, 10, 2)

    @scenario
    async def test_sessions_are_listed_by_activity_in_pages(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Most recent first, ties by id; pages of every size give the same list."""
        for name in ("b", "a", "c", "é", "B"):
            await start_session(log, clock, session_id=name)
        clock.advance(timedelta(seconds=1))
        await log.append(ALICE, "c", entries("m"))
        for limit in (1, 2, 3, 5, 9):
            assert await _all_pages(log, limit) == ["c", "B", "a", "b", "é"], limit
        page = await log.list_sessions(ALICE, limit=5)
        assert page.cursor is None

    @scenario
    async def test_no_session_is_listed_twice_while_others_change(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """One that becomes active between pages may be missed, none comes twice."""
        names = [f"s{number}" for number in range(9)]
        for name in names:
            await start_session(log, clock, session_id=name)
            clock.advance(timedelta(seconds=1))
        seen, cursor = list[str](), None
        for turn in range(9):
            page = await log.list_sessions(ALICE, limit=2, cursor=cursor)
            seen += [one.id for one in page.items]
            await log.append(ALICE, names[turn], entries(f"m{turn}"))
            await start_session(log, clock, session_id=f"new{turn}")
            clock.advance(timedelta(seconds=1))
            cursor = page.cursor
            if cursor is None:
                break
        assert len(seen) == len(set(seen))
        assert set(seen) >= {"s8", "s7", "s6", "s5"}

    @scenario
    async def test_a_foreign_cursor_is_refused(self, log: MessageLog, clock: FakeClock) -> None:
        """Anything that `list_sessions` did not make is an input error."""
        await start_session(log, clock)
        for cursor in ("", "x", "10", "Wzld", "é", "=" * 8, "\x00", "MQ==", "\ud800"):
            with pytest.raises(InvalidInputError):
                await log.list_sessions(ALICE, limit=1, cursor=cursor)

    @scenario
    async def test_a_damaged_cursor_never_breaks(self, log: MessageLog, clock: FakeClock) -> None:
        """One letter changed, dropped or doubled: a page or an input error, nothing else."""
        for name in ("a", "é", "c"):
            await start_session(log, clock, session_id=name)
        cursor = (await log.list_sessions(ALICE, limit=1)).cursor
        assert cursor is not None
        for place in range(len(cursor)):
            for swap in ("", "A", "9", "_", "=", cursor[place] * 9):
                with suppress(InvalidInputError):
                    damaged = cursor[:place] + swap + cursor[place + 1 :]
                    page = await log.list_sessions(ALICE, limit=9, cursor=damaged)
                    assert {one.id for one in page.items} <= {"a", "é", "c"}

    @scenario
    async def test_delete_takes_everything_and_is_repeatable(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A session created again under the id starts empty."""
        await start_session(log, clock, "a", "b")
        assert await log.delete_session(ALICE, "s") is True
        assert await log.delete_session(ALICE, "s") is False
        assert await log.get_session(ALICE, "s") is None
        assert await log.read(ALICE, "s") == []
        assert await log.append(ALICE, "s", entries("c")) is None
        await start_session(log, clock)
        assert await log.read(ALICE, "s") == []
        again = await log.append(ALICE, "s", entries("a"))
        assert again is not None
        assert again.duplicates == 0

    @scenario
    async def test_stats_count_one_session_and_all(self, log: MessageLog, clock: FakeClock) -> None:
        """Messages by role, turns (messages of the user), tokens; by session, user and tenant."""
        await start_session(log, clock, "a", "b", session_id="s")
        await log.append(ALICE, "s", [entry_of(Message.assistant("c", id="c"), tokens=7)])
        await start_session(log, clock, "a", session_id="t")
        await start_session(log, clock, "a", session_id="u", scope=BOB)
        one, mine = await log.stats(ALICE, "s"), await log.stats(ALICE)
        whole = await log.stats(Scope("acme"))
        assert one is not None and mine is not None and whole is not None  # noqa: PT018
        assert (one.session_count, one.message_count, one.turn_count) == (1, 3, 2)
        assert (one.token_count, _present(one.messages_by_role)) == (
            17,
            {"user": 2, "assistant": 1},
        )
        assert (mine.session_count, mine.message_count, mine.token_count) == (2, 4, 22)
        assert (whole.session_count, whole.message_count, whole.turn_count) == (3, 5, 4)

    @scenario
    async def test_stats_of_nothing(self, log: MessageLog, clock: FakeClock) -> None:
        """A missing session has none; an empty scope has zeros; a cleared session has no messages.

        A sum over nothing must be zero, not null.
        """
        assert await log.stats(ALICE, "s") is None
        empty = await log.stats(ALICE)
        assert empty is not None
        assert (empty.session_count, empty.message_count, empty.token_count) == (0, 0, 0)
        await start_session(log, clock, "a")
        await log.clear(ALICE, "s")
        cleared = await log.stats(ALICE, "s")
        assert cleared is not None
        assert (cleared.message_count, cleared.turn_count, cleared.token_count) == (0, 0, 0)
        assert _present(cleared.messages_by_role) == {}


async def _all_pages(log: MessageLog, limit: int) -> list[str]:
    names, cursor = list[str](), None
    for _ in range(20):
        page = await log.list_sessions(ALICE, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        names += [one.id for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    return names


def _present(counts: dict[str, int]) -> dict[str, int]:
    return {role: count for role, count in counts.items() if count}
