"""Answers that do not come, servers that are slow, busy or away, and two engines at once."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from daybook.engines.dynamodb import open_engine
from daybook.errors import ConfigError, StoreError, StoreTimeoutError, StoreUnavailableError
from daybook.model.entry import AppendResult
from daybook.registry import parse_url
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    entries,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.dynamodb.tables import FaultyClient, Table, throttled, unanswered
from tests.servers.fault_proxy import Faults, fault_proxy


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def table(dynamodb_url: str) -> Table:
    return Table.at(dynamodb_url)


async def test_a_commit_whose_answer_is_lost_is_recognised(table: Table, clock: FakeClock) -> None:
    """The write was done, its repetition meets its own condition: no duplicate, no conflict."""
    client = FaultyClient(table.client())
    engine = table.engine(clock, client=client)
    lost = set[str]()

    def once(name: str, _number: int) -> Exception | None:
        if name in ("put_item", "transact_write_items") and name not in lost:
            lost.add(name)
            return unanswered()
        return None

    await start_session(engine.log, clock, "a")
    client.after = once
    assert await engine.log.append(ALICE, "s", entries("b", "c")) == AppendResult(2, 3, 0, "alice")
    lost.clear()
    [stored] = await engine.records.put(ALICE, [record("k", expected_version=0)])
    assert stored.version == 1
    lost.clear()
    both = [record("k", expected_version=1), record("j", expected_version=0)]
    assert [one.version for one in await engine.records.put(ALICE, both)] == [2, 1]
    assert "transact_write_items" in lost
    lost.clear()
    made = await engine.log.create_session(ALICE, make_session("t", clock))
    assert made.id == "t"
    await engine.close()


async def test_throttling_is_waited_out(table: Table, clock: FakeClock) -> None:
    """Two of three requests are refused; nothing is lost or doubled."""
    client = FaultyClient(table.client())
    client.before = lambda _name, number: throttled() if number % 3 else None
    engine = table.engine(clock, client=client)
    await start_session(engine.log, clock, "a", "b")
    assert await engine.log.append(ALICE, "s", entries("c")) == AppendResult(3, 3, 0, "alice")
    assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b", "c"]
    await engine.close()


async def test_a_table_that_stays_busy_is_unavailable_in_time(
    table: Table, clock: FakeClock
) -> None:
    client = FaultyClient(table.client())
    client.before = lambda _name, _number: throttled()
    engine = table.engine(clock, client=client, timeout_s=0.5)
    with pytest.raises((StoreUnavailableError, StoreTimeoutError)) as caught:
        await engine.log.get_session(ALICE, "s")
    assert caught.value.retryable
    await engine.close()


async def test_two_engines_append_to_one_session_without_a_gap(
    table: Table, clock: FakeClock
) -> None:
    """As two processes do: each has heads of its own, and the condition decides."""
    engines = [table.engine(clock) for _ in range(2)]
    await start_session(engines[0].log, clock)

    async def write(writer: int) -> None:
        for number in range(8):
            result = await engines[writer].log.append(
                ALICE, "s", entries(f"{writer}.{number}.a", f"{writer}.{number}.b")
            )
            assert result is not None
            assert result.last_seq == result.first_seq + 1

    await asyncio.gather(write(0), write(1))
    stored = await engines[0].log.read(ALICE, "s")
    assert [one.seq for one in stored] == list(range(1, 33))
    names = message_ids(stored)
    for writer in range(2):
        mine = [name for name in names if name.startswith(f"{writer}.")]
        assert mine == [f"{writer}.{number}.{part}" for number in range(8) for part in "ab"]
    assert all(names[at][:-1] == names[at + 1][:-1] for at in range(0, 32, 2))
    await asyncio.gather(*(engine.close() for engine in engines))


async def test_appends_that_wait_together_share_a_commit(table: Table, clock: FakeClock) -> None:
    """Fifty callers need far fewer than fifty commits."""
    client = FaultyClient(table.client())
    engine = table.engine(clock, client=client)
    await start_session(engine.log, clock)
    commits = count()
    client.before = lambda name, _number: None if name != "put_item" else _tick(commits)
    await asyncio.gather(*(engine.log.append(ALICE, "s", entries(f"m{n}")) for n in range(50)))
    assert len(await engine.log.read(ALICE, "s")) == 50
    assert next(commits) < 25
    await engine.close()


def _tick(commits: count[int]) -> None:
    next(commits)


async def test_a_server_that_never_answers_ends_the_call(table: Table, clock: FakeClock) -> None:
    """Within the deadline, and the next call works once the network does."""
    port = int(table.endpoint.rpartition(":")[2])
    with fault_proxy(port) as proxy:
        behind = Table(proxy.url(table.endpoint), table.name)
        patient, engine = behind.engine(clock), behind.engine(clock, timeout_s=1.0)
        await start_session(patient.log, clock, "a")
        with proxy.faulty(Faults(silent=True)):
            with pytest.raises(StoreError) as caught:
                await engine.log.append(ALICE, "s", entries("b"))
            assert caught.value.retryable
        await patient.log.append(ALICE, "s", entries("b"))
        assert message_ids(await patient.log.read(ALICE, "s")) == ["a", "b"]
        await engine.close()
        await patient.close()


async def test_a_cancelled_append_is_whole_or_absent(table: Table, clock: FakeClock) -> None:
    engine = table.engine(clock)
    await start_session(engine.log, clock, "a")
    for number in range(10):
        batch = entries(f"{number}.a", f"{number}.b")
        task = asyncio.create_task(engine.log.append(ALICE, "s", batch))
        await asyncio.sleep(number * 0.002)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(await engine.log.read(ALICE, "s")) % 2 == 1
        again = await engine.log.append(ALICE, "s", batch)
        assert again is not None
        assert again.last_seq == again.first_seq + 1
    assert len(await engine.log.read(ALICE, "s")) == 21
    await engine.close()


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb://",
        "dynamodb://us-east-1?create=perhaps",
        "dynamodb://us-east-1?timeout_s=soon",
        "dynamodb://us-east-1?timeout_s=0",
        "dynamodb://us-east-1?timeout_s=nan",
        "dynamodb://us-east-1?endpoint=nowhere",
        "dynamodb://us-east-1?profile=no-such-profile",
        "dynamodb://us-east-1?colour=red",
    ],
)
async def test_a_wrong_url_is_a_config_error(
    url: str, clock: FakeClock, dynamodb_credentials: None
) -> None:
    with pytest.raises(ConfigError):
        await open_engine(parse_url(url), clock=clock)


async def test_a_missing_table_is_not_made_unless_allowed(
    dynamodb_url: str, clock: FakeClock
) -> None:
    location, _, options = dynamodb_url.partition("?")
    with pytest.raises(ConfigError, match="there is no table none-book"):
        await open_engine(parse_url(f"{location}/none?{options}&create=false"), clock=clock)


async def test_a_server_that_is_away_is_unavailable(
    clock: FakeClock, dynamodb_credentials: None
) -> None:
    with pytest.raises(StoreUnavailableError):
        await open_engine(
            parse_url("dynamodb://us-east-1?endpoint=http://127.0.0.1:9"), clock=clock
        )
