"""Calls that are cut short: cancelled, timed out, answered by somebody else's reply."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql import PostgreSQLEngine
from daybook.engines.postgresql.connection import Connection
from daybook.errors import StoreTimeoutError, StoreUnavailableError
from daybook.model.entry import AppendResult
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, entry, message_ids, start_session
from tests.engines.postgresql.installation import Installation, in_time, opened


def _locked(place: Installation) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection that holds the rows of all sessions."""
    connection = psycopg.connect(place.admin)
    query = SQL("SELECT FROM {} FOR UPDATE").format(Identifier(place.schema, "sessions"))
    connection.execute(query)
    return connection


async def test_a_cancelled_call_returns_at_once_and_its_connection_is_gone(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await start_session(engine.log, clock, "a")
    with _locked(place) as lock:
        waiting = asyncio.ensure_future(engine.log.append(ALICE, "s", entries("b")))
        await _until_somebody_waits(place)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
        lock.rollback()
    result = await engine.log.append(ALICE, "s", entries("b"))
    assert result is not None
    assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b"]


async def test_a_call_ends_with_its_deadline(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await start_session(engine.log, clock, "a")
    async with opened(f"{place.url}&timeout_s=0.3", clock) as impatient:
        with _locked(place), pytest.raises(StoreTimeoutError):
            await impatient.log.append(ALICE, "s", entries("b"))
        assert await in_time(lambda: impatient.log.append(ALICE, "s", entries("c")))


async def test_a_storm_of_cancellations_mixes_up_no_reply(
    engine: PostgreSQLEngine, clock: FakeClock
) -> None:
    names = [f"s{number}" for number in range(8)]
    for name in names:
        await start_session(engine.log, clock, session_id=name)
        await engine.log.append(ALICE, name, [entry(f"of {name}")])

    async def read(number: int) -> bool:
        name = names[number % 8]
        task = asyncio.ensure_future(engine.log.read(ALICE, name))
        for _ in range(number % 5):
            await asyncio.sleep(0)
        if number % 5 < 4:
            task.cancel()
        try:
            assert message_ids(await task) == [f"of {name}"]
        except asyncio.CancelledError:
            return False
        return True

    outcomes = await asyncio.gather(*(read(number) for number in range(400)))
    assert 80 <= sum(outcomes) < 400


async def test_a_reply_to_another_call_is_refused(
    engine: PostgreSQLEngine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that is one reply behind: no call gets what another one asked for."""
    await start_session(engine.log, clock, "a")
    await start_session(engine.log, clock, "b", session_id="t")
    real, late = Connection.execute, []

    async def one_behind(self: Connection, *arguments: Any, **options: Any) -> Any:
        late.append(await real(self, *arguments, **options))
        return late[-2] if len(late) > 1 else late[-1]

    monkeypatch.setattr(Connection, "execute", one_behind)
    await engine.log.read(ALICE, "s")
    for _ in range(3):
        with pytest.raises(StoreUnavailableError, match="belonged to another call"):
            await engine.log.read(ALICE, "t")
    monkeypatch.undo()
    assert message_ids(await engine.log.read(ALICE, "t")) == ["b"]


async def test_prepared_statements_that_a_pooler_lost_are_done_without(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await start_session(engine.log, clock, "a")
    for number in range(4):
        await engine.log.append(ALICE, "s", entries(f"m{number}"))
    pool = await engine.log._pool._loops.get()
    [connection] = pool._idle
    assert connection._prepared._names
    connection.pgconn.exec_(b"DEALLOCATE ALL")
    result = await engine.log.append(ALICE, "s", entries("last"))
    assert result == AppendResult(6, 6, 0, "alice")
    [connection] = pool._idle
    assert not connection._prepared._names
    for number in range(4):
        await engine.log.append(ALICE, "s", entries(f"n{number}"))
    assert not connection._prepared._names


async def test_appends_to_a_session_made_anew_elsewhere_find_it(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    """What this process knows of where sessions are may be out of date."""
    await start_session(engine.log, clock, "a")
    assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
    async with opened(place.url, clock) as other:
        await other.log.delete_session(ALICE, "s")
        assert await engine.log.append(ALICE, "s", entries("b")) is None
        assert await engine.log.read(ALICE, "s") == []
        await start_session(other.log, clock, "c")
    assert message_ids(await engine.log.read(ALICE, "s")) == ["c"]
    assert await engine.log.append(ALICE, "s", entries("d")) == AppendResult(2, 2, 0, "alice")


async def _until_somebody_waits(place: Installation) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = %s"
    with place.connect() as connection:
        while connection.execute(query, (place.role,)).fetchone() == (0,):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
