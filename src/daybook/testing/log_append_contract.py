"""What appending must do: order, idempotency, all or nothing, concurrency."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from daybook.errors import ConflictError
from daybook.model.entry import AppendResult
from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    BOB,
    RIVAL,
    entries,
    entry,
    make_session,
    message_ids,
    start_session,
)
from daybook.testing.scenario import Contract, scenario

__all__ = ["LogAppendContract"]


class LogAppendContract(Contract[MessageLog]):
    """`MessageLog.append`."""

    @scenario
    async def test_the_first_message_ever_has_number_one(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Numbers start at 1 and the receipt names the batch's range and owner."""
        await start_session(log, clock)
        result = await log.append(ALICE, "s", entries("a", "b"))
        assert result == AppendResult(1, 2, 0, "alice")
        result = await log.append(ALICE, "s", entries("c"))
        assert result == AppendResult(3, 3, 0, "alice")

    @scenario
    async def test_bodies_and_tokens_come_back_as_given(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """What is read is byte for byte what was appended."""
        await start_session(log, clock)
        given = [entry("a", "grüße\x00\uffff"), entry("b", "")]
        await log.append(ALICE, "s", given)
        stored = await log.read(ALICE, "s")
        assert [(one.seq, one.body, one.tokens) for one in stored] == [
            (1, given[0].body, 5),
            (2, given[1].body, 5),
        ]

    @scenario
    async def test_order_is_by_arrival_never_by_time(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Equal moments, moments in reverse and a clock set back change nothing."""
        await start_session(log, clock)
        first = clock.now()
        for number in range(6):
            said = first - timedelta(days=number // 2)
            await log.append(ALICE, "s", [entry(f"m{number}", created_at=said)])
            clock.advance(timedelta(hours=-1 if number % 2 else 1))
        assert message_ids(await log.read(ALICE, "s")) == [f"m{number}" for number in range(6)]

    @scenario
    async def test_a_repeated_batch_changes_nothing(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A retry gets the places of the first attempt and stores nothing again."""
        await start_session(log, clock, "a")
        for repeat in range(3):
            result = await log.append(ALICE, "s", entries("b", "c"))
            assert result == AppendResult(2, 3, 2 if repeat else 0, "alice")
        assert message_ids(await log.read(ALICE, "s")) == ["a", "b", "c"]

    @scenario
    async def test_a_batch_that_overlaps_stores_only_what_is_new(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Known messages keep their place, new ones go to the end."""
        await start_session(log, clock, "a", "b")
        result = await log.append(ALICE, "s", entries("b", "c"))
        assert result == AppendResult(2, 3, 1, "alice")
        assert message_ids(await log.read(ALICE, "s")) == ["a", "b", "c"]

    @scenario
    async def test_an_id_twice_in_a_batch_is_stored_once(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """The same message twice in one call is one message."""
        await start_session(log, clock)
        result = await log.append(ALICE, "s", entries("a", "b", "a"))
        assert result is not None
        assert (result.first_seq, result.last_seq) == (1, 2)
        assert message_ids(await log.read(ALICE, "s")) == ["a", "b"]

    @scenario
    async def test_another_body_under_a_stored_id_conflicts(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """The whole batch is refused: nothing before or after the culprit is stored."""
        await start_session(log, clock, "a")
        with pytest.raises(ConflictError):
            await log.append(ALICE, "s", [entry("b"), entry("a", "changed"), entry("c")])
        with pytest.raises(ConflictError):
            await log.append(ALICE, "s", [entry("d"), entry("d", "changed")])
        assert message_ids(await log.read(ALICE, "s")) == ["a"]
        result = await log.append(ALICE, "s", entries("b"))
        assert result == AppendResult(2, 2, 0, "alice")

    @scenario
    async def test_ids_are_of_their_session(self, log: MessageLog, clock: FakeClock) -> None:
        """One message id may stand in two sessions with two bodies."""
        await start_session(log, clock, session_id="s")
        await start_session(log, clock, session_id="t")
        await log.append(ALICE, "s", [entry("a", "one")])
        assert await log.append(ALICE, "t", [entry("a", "two")]) == AppendResult(1, 1, 0, "alice")

    @scenario
    async def test_a_missing_session_takes_nothing(self, log: MessageLog, clock: FakeClock) -> None:
        """Without `create` the answer is None and no session appears."""
        assert await log.append(ALICE, "s", entries("a")) is None
        assert await log.get_session(ALICE, "s") is None
        assert await log.read(ALICE, "s") == []

    @scenario
    async def test_create_makes_the_session_with_its_messages(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """It is used when the session is missing and ignored when it is there."""
        first = make_session("s", clock, title="first")
        second = make_session("s", clock, title="second")
        assert await log.append(ALICE, "s", entries("a"), create=first) == AppendResult(
            1, 1, 0, "alice"
        )
        await log.append(ALICE, "s", entries("b"), create=second)
        kept = await log.get_session(ALICE, "s")
        assert kept is not None
        assert (kept.title, kept.message_count) == ("first", 2)

    @scenario
    async def test_a_refused_batch_creates_no_session(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Creation and append are one transaction."""
        with pytest.raises(ConflictError):
            await log.append(
                ALICE, "s", [entry("a"), entry("a", "changed")], create=make_session("s", clock)
            )
        assert await log.get_session(ALICE, "s") is None

    @scenario
    async def test_create_never_takes_anothers_session(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A session id is unique in its tenant, and free in another."""
        await start_session(log, clock, "a", scope=ALICE)
        with pytest.raises(ConflictError):
            await log.append(BOB, "s", entries("b"), create=make_session("s", clock, user="bob"))
        with pytest.raises(ConflictError):
            await log.append(
                Scope("acme"), "s", entries("b"), create=make_session("s", clock, user="bob")
            )
        assert message_ids(await log.read(ALICE, "s")) == ["a"]
        assert await log.append(RIVAL, "s", entries("b"), create=make_session("s", clock))
        assert message_ids(await log.read(ALICE, "s")) == ["a"]

    @scenario
    async def test_fifty_concurrent_appends_lose_nothing(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Every batch is there once, whole and contiguous, where its receipt says."""
        await start_session(log, clock)
        batches = [[f"{writer}.{part}" for part in range(3)] for writer in range(50)]
        results = await asyncio.gather(
            *(log.append(ALICE, "s", entries(*batch)) for batch in batches)
        )
        stored = message_ids(await log.read(ALICE, "s"))
        assert len(stored) == 150
        for batch, result in zip(batches, results, strict=True):
            assert result is not None
            assert stored[result.first_seq - 1 : result.last_seq] == batch

    @scenario
    async def test_appends_racing_with_one_body_store_it_once(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Duplicate delivery at the same moment is still one message."""
        await start_session(log, clock)
        results = await asyncio.gather(
            *(log.append(ALICE, "s", entries("a", "b")) for _ in range(20))
        )
        assert {(one.first_seq, one.last_seq) for one in results if one} == {(1, 2)}
        assert sum(one.duplicates for one in results if one) == 19 * 2
        assert message_ids(await log.read(ALICE, "s")) == ["a", "b"]

    @scenario
    async def test_racing_creators_share_one_session(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Many first messages at once make one session that holds them all."""
        names = [f"m{number:02}" for number in range(20)]
        await asyncio.gather(
            *(
                log.append(ALICE, "s", entries(name), create=make_session("s", clock))
                for name in names
            )
        )
        assert sorted(message_ids(await log.read(ALICE, "s"))) == names
        assert len((await log.list_sessions(ALICE, limit=10)).items) == 1

    @scenario
    async def test_threads_with_loops_of_their_own_share_a_log(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """One opened log serves several event loops on several threads."""
        await start_session(log, clock)

        def write(writer: int) -> None:
            async def several() -> None:
                for number in range(5):
                    await log.append(ALICE, "s", entries(f"{writer}.{number}"))

            asyncio.run(several())

        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(4) as pool:
            await asyncio.gather(*(loop.run_in_executor(pool, write, one) for one in range(4)))
        stored = message_ids(await log.read(ALICE, "s"))
        for writer in range(4):
            mine = [one for one in stored if one.startswith(f"{writer}.")]
            assert mine == [f"{writer}.{number}" for number in range(5)]
