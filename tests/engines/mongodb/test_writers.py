"""Two writers of one session, calls that are cancelled, and how many connections they take."""

from __future__ import annotations

import asyncio

import pytest
from pymongo.monitoring import (
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ConnectionReadyEvent,
    PoolClearedEvent,
    PoolClosedEvent,
    PoolCreatedEvent,
    PoolReadyEvent,
)

from daybook.engines.mongodb import append, connection, locked_append
from daybook.engines.mongodb.keys import block_id
from daybook.engines.mongodb.session_cache import SessionFacts
from daybook.errors import StoreTimeoutError
from daybook.model.entry import AppendResult
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    entries,
    entry,
    make_session,
    message_ids,
    start_session,
)
from tests.engines.mongodb.opened import Document, Wire, impatient, listen, make_small, opened, raw


async def _repeat_what_another_sealed(url: str, clock: FakeClock) -> list[str]:
    """Let one writer repeat a message that another one stored since, and moved to a block."""
    async with opened(url, clock=clock) as one, opened(url, clock=clock) as other:
        await start_session(one.log, clock)
        await one.log.append(ALICE, "s", entries("a"))
        for name in ("x", "b", "c", "d"):
            await other.log.append(ALICE, "s", entries(name))
        await one.log.append(ALICE, "s", entries("x"))
        return message_ids(await other.log.read(ALICE, "s"))


async def test_a_writer_notices_what_another_did_since(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process remembers of a session is a condition of its write."""
    make_small(monkeypatch)
    assert await _repeat_what_another_sealed(url, clock) == ["a", "x", "b", "c", "d"]


async def test_without_that_condition_a_message_would_stand_twice(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    make_small(monkeypatch)
    monkeypatch.setattr(SessionFacts, "condition", lambda _: {})
    assert (await _repeat_what_another_sealed(url, clock)).count("x") == 2


def names_in(wire: Wire) -> list[str]:
    """Return the names of the commands that were sent."""
    return [next(iter(command)) for command in wire.sent]


async def test_an_old_id_is_looked_for_and_a_new_one_is_not(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id greater than those in blocks costs one command; any other is searched among them."""
    for module in (append, locked_append):
        monkeypatch.setattr(module, "TAIL_MESSAGES", 4)
    wire = Wire()
    listen(monkeypatch, wire)
    async with opened(url, clock=clock) as engine:
        await start_session(engine.log, clock, "m1", "m2", "m3", "m4")
        for name in ("m5", "m6"):  # the first four are in a block now
            await engine.log.append(ALICE, "s", entries(name))
        wire.forget()
        await engine.log.append(ALICE, "s", entries("m7"))
        assert names_in(wire) == ["update"]
        wire.forget()
        await engine.log.append(ALICE, "s", entries("m0"))
        assert names_in(wire) == ["find", "update"]
        for again in ("m4", "m0", "m7"):
            done = await engine.log.append(ALICE, "s", entries(again))
            assert done is not None
            assert done.duplicates == 1
        assert len(await engine.log.read(ALICE, "s")) == 8


async def test_a_fork_knows_the_ids_of_its_parent(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However great they are beside its own."""
    make_small(monkeypatch)
    async with opened(url, clock=clock) as engine:
        await start_session(engine.log, clock, "z1", "z2", "z3")
        await engine.log.fork_session(ALICE, "s", make_session("child", clock))
        for name in ("a1", "a2", "a3", "a4", "a5"):
            await engine.log.append(ALICE, "child", entries(name))
        for again in ("z2", "a3", "z3"):
            done = await engine.log.append(ALICE, "child", entries(again))
            assert done is not None
            assert done.duplicates == 1
        assert len(await engine.log.read(ALICE, "child")) == 8


async def test_writers_in_turn_leave_no_gap(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch)
    async with opened(url, clock=clock) as one, opened(url, clock=clock) as other:
        await start_session(one.log, clock)
        for number in range(1, 31):
            writer = (one, other)[number % 3 == 0]
            done = await writer.log.append(ALICE, "s", entries(f"m{number}"))
            assert done == AppendResult(number, number, 0, "alice")
        assert len(await one.log.read(ALICE, "s")) == 30


async def test_writers_who_make_one_session_at_once_all_get_in(url: str, clock: FakeClock) -> None:
    """With batches that take a transaction; the slower one finds the session there, and goes on."""
    async with opened(url, clock=clock) as one, opened(url, clock=clock) as other:
        for number in range(5):
            name = f"s{number}"
            batches = [[entry(f"{part}.{n}") for n in range(100)] for part in "ab"]
            calls = [
                writer.log.append(ALICE, name, batch, create=make_session(name, clock))
                for writer, batch in zip((one, other), batches, strict=True)
            ]
            done = await asyncio.gather(*calls)
            assert sorted(result.first_seq for result in done if result) == [1, 101]


async def test_a_number_is_given_once(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that someone put where the next one goes is not overwritten; without it all goes on.

    No writer of Daybook can do that; it shows that the key is unique and what happens if it is met.
    """
    make_small(monkeypatch)
    async with opened(url, clock=clock) as engine:
        await start_session(engine.log, clock, "a", "b")
    async with opened(url, clock=clock) as engine, raw(url) as database:
        header = await database["sessions"].find_one({})
        assert header is not None
        planted: Document = {"_id": block_id(header["k"], 1), "planted": True}
        await database["blocks"].insert_one(planted)
        with impatient(engine, 0.7), pytest.raises(StoreTimeoutError):
            await engine.log.append(ALICE, "s", entries("c"))
        assert await database["blocks"].find().to_list() == [planted]
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b"]
        await database["blocks"].delete_one(planted)
        # A try that was under way when time was up may have found the way free before this one.
        result = await engine.log.append(ALICE, "s", entries("c"))
        assert result is not None
        assert (result.first_seq, result.last_seq) == (3, 3)
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b", "c"]


class Pool(ConnectionPoolListener):
    """How many connections are open, and the most that ever were."""

    def __init__(self) -> None:
        self.open = self.most = 0

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        self.open += 1
        self.most = max(self.most, self.open)

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        self.open -= 1

    def pool_created(self, event: PoolCreatedEvent) -> None: ...
    def pool_ready(self, event: PoolReadyEvent) -> None: ...
    def pool_cleared(self, event: PoolClearedEvent) -> None: ...
    def pool_closed(self, event: PoolClosedEvent) -> None: ...
    def connection_ready(self, event: ConnectionReadyEvent) -> None: ...
    def connection_check_out_started(self, event: ConnectionCheckOutStartedEvent) -> None: ...
    def connection_check_out_failed(self, event: ConnectionCheckOutFailedEvent) -> None: ...
    def connection_checked_out(self, event: ConnectionCheckedOutEvent) -> None: ...
    def connection_checked_in(self, event: ConnectionCheckedInEvent) -> None: ...


async def test_cancelled_calls_leave_every_slot_and_connection_behind(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for a turn, for a slot, or for an answer: later calls get their own answers."""
    pool = Pool()
    listen(monkeypatch, pool)
    monkeypatch.setattr(connection, "_SLOTS", 3)
    async with opened(url, clock=clock) as engine:
        log = engine.log
        for name in "abcd":
            await log.create_session(ALICE, make_session(name, clock))
        for steps in range(12):
            calls = [
                asyncio.ensure_future(log.append(ALICE, name, entries(f"{steps}.{number}")))
                for number in range(3)
                for name in "abcd"
            ]
            for _ in range(steps):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            found = await asyncio.gather(*calls, return_exceptions=True)
            assert any(isinstance(one, asyncio.CancelledError) for one in found)
        await asyncio.gather(*(log.append(ALICE, name, entries(name)) for name in "abcd"))
        for name in "abcd":
            stored = await log.read(ALICE, name)
            assert [one.seq for one in stored] == [*range(1, len(stored) + 1)]
            ids = message_ids(stored)
            assert len(set(ids)) == len(ids)
            assert ids[-1] == name
    assert 1 <= pool.most <= 3
    assert pool.open == 0


async def test_a_call_without_a_slot_sends_nothing(
    url: str, clock: FakeClock, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: a slot that is not left is one that later calls wait for."""
    monkeypatch.setattr(connection, "_SLOTS", 1)
    async with opened(url, clock=clock) as engine:
        handles = await engine._connections._clients.get()
        await handles.slots.acquire()
        wire.forget()
        call = asyncio.ensure_future(engine.log.tenants())
        for _ in range(100):
            await asyncio.sleep(0)
        assert wire.sent == []
        handles.slots.release()
        assert await call == []
        assert len(wire.sent) == 1
