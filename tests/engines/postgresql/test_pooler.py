"""Behind a transaction pooler, and how often a call waits for the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest

from daybook.engines.postgresql import PostgreSQLEngine
from daybook.model.session import SessionChanges
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    entries,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.postgresql.installation import Installation, opened
from tests.engines.postgresql.pooler import TransactionPooler, transaction_pooler

Pooled = tuple[TransactionPooler, str]


@pytest.fixture
async def pooled(place: Installation) -> AsyncIterator[Pooled]:
    async with transaction_pooler(place.url) as pooled:
        yield pooled


async def test_the_pooler_really_swaps_connections(pooled: Pooled) -> None:
    """The control: what relies on a session's state breaks behind it."""
    _, url = pooled
    async with await psycopg.AsyncConnection.connect(
        url.partition("?")[0], autocommit=True, prepare_threshold=0
    ) as connection:
        await connection.execute("SET lock_timeout = '77s'", prepare=False)
        shown = await connection.execute("SHOW lock_timeout", prepare=False)
        assert await shown.fetchone() == ("0",)
        shown = await connection.execute("SHOW lock_timeout", prepare=False)
        assert await shown.fetchone() == ("77s",)
        with pytest.raises(psycopg.errors.InvalidSqlStatementName):
            await connection.execute("SELECT 1")


async def test_everything_works_where_no_connection_stays(pooled: Pooled, clock: FakeClock) -> None:
    pooler, url = pooled
    async with opened(url, clock) as engine:
        log, names = engine.log, [f"s{number}" for number in range(6)]
        for name in names:
            await start_session(log, clock, "a", session_id=name)

        async def talk(name: str) -> None:
            for number in range(5):
                assert await log.append(ALICE, name, entries(f"{name}.{number}"))
                found = message_ids(await log.read(ALICE, name))
                assert found == ["a", *(f"{name}.{one}" for one in range(number + 1))]

        await asyncio.gather(*map(talk, names))
        assert await log.fork_session(ALICE, "s0", make_session("f", clock), at=2)
        assert message_ids(await log.read(ALICE, "f")) == ["a", "s0.0"]
        await engine.records.put(ALICE, [record(f"k{number}") for number in range(30)])
        assert len(await engine.records.list(ALICE, ("alice",), limit=99)) == 30
        assert await engine.records.delete_namespace(ALICE, ()) == 30
        await log.settle(await log.pending(limit=99))
        assert await log.pending(limit=99) == []
        assert await log.delete_session(ALICE, "s0")
        assert message_ids(await log.read(ALICE, "f")) == ["a", "s0.0"]
    assert pooler.refused >= 1  # `options`, which it then did without


async def test_connections_that_are_made_at_once_all_learn_what_is_refused(
    pooled: Pooled, clock: FakeClock
) -> None:
    pooler, url = pooled
    async with opened(url, clock) as engine:
        results = await asyncio.gather(
            *(engine.log.read(ALICE, "s") for _ in range(20)), return_exceptions=True
        )
    assert results == [[]] * 20
    assert pooler.refused > 1  # several came with `options` before the first was refused


async def test_statements_that_the_pooler_mixed_up_are_prepared_no_more(
    pooled: Pooled, clock: FakeClock
) -> None:
    pooler, url = pooled
    async with opened(url, clock) as engine:
        await start_session(engine.log, clock, "a")
        for number in range(5):
            await engine.log.append(ALICE, "s", entries(f"m{number}"))
        assert set(pooler.errors) == {"26000"}  # it happened, and no call noticed
        before = len(pooler.errors)
        for number in range(5):
            await engine.log.append(ALICE, "s", entries(f"n{number}"))
        assert len(pooler.errors) == before
        assert len(await engine.log.read(ALICE, "s")) == 11


async def test_reading_bit_by_bit_works_where_no_connection_stays(
    pooled: Pooled, clock: FakeClock
) -> None:
    """Several statements in one transaction, which are not repeated when one fails."""
    _, url = pooled
    async with opened(url, clock) as engine:
        await engine.records.put(ALICE, [record(f"k{one}", {"n": one}) for one in range(9)])
        for _ in range(6):
            found = await engine.records.list(ALICE, ("alice",), filter={"n": 3}, limit=9)
            assert [one.key for one in found] == ["k3"]


async def test_no_scope_stays_on_the_pooled_connections(pooled: Pooled, clock: FakeClock) -> None:
    _, url = pooled
    query = "SELECT current_setting('daybook.tenant', true), current_setting('daybook.user', true)"
    async with opened(url, clock) as engine:
        await start_session(engine.log, clock, "a")
        for _ in range(3):
            assert {*(await engine.log._pool.one("test", query, ()))[:2]} <= {"", None}


Call = Callable[[PostgreSQLEngine, int], Awaitable[object]]


@pytest.mark.parametrize(
    ("call", "round_trips"),
    [
        (lambda engine, n: engine.log.append(ALICE, "s", entries(f"m{n}")), 1),
        (lambda engine, n: engine.log.append(ALICE, "s", entries(*map(str, range(n, n + 90)))), 1),
        (lambda engine, n: engine.log.read(ALICE, "s", limit=20), 1),
        (lambda engine, n: engine.log.get_session(ALICE, "s"), 1),
        (lambda engine, n: engine.records.put(ALICE, [record(f"k{n}")]), 1),
        (lambda engine, n: engine.records.list(ALICE, (), filter={"n": n}, limit=9), 4),
        # The control: what takes two is counted as two.
        (lambda engine, n: engine.log.update_session(ALICE, "s", SessionChanges(title=f"{n}")), 2),
    ],
    ids=[
        "append",
        "append many",
        "read",
        "get session",
        "put record",
        "filtered list",
        "update session",
    ],
)
async def test_round_trips(
    place: Installation, clock: FakeClock, call: Call, round_trips: int
) -> None:
    async with (
        transaction_pooler(place.url, servers=1) as (pooler, url),
        opened(url, clock) as engine,
    ):
        await start_session(engine.log, clock, "a")
        for number in range(4):  # until its statements are prepared
            await call(engine, number * 100)
        before = pooler.round_trips
        for number in range(5):
            await call(engine, 1000 + number * 100)
        assert pooler.round_trips - before == 5 * round_trips
        assert pooler.errors == []
