"""Servers that are set up otherwise, are restarted, or go silent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from daybook.errors import ConfigError, DaybookError, StoreTimeoutError, StoreUnavailableError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, message_ids, start_session
from tests.engines.postgresql.emptying import PATIENCE
from tests.engines.postgresql.installation import in_time, opened
from tests.servers.fault_proxy import Faults, fault_proxy
from tests.servers.launch import ServerMissingError
from tests.servers.postgres import PostgresServer, postgres_server
from tools.crash.pulse import Pulse


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server(fsync=True) as server:
            yield server
    except ServerMissingError as exc:
        pytest.skip(str(exc))


async def test_receipts_say_what_the_server_is_set_to(
    server: PostgresServer, clock: FakeClock
) -> None:
    async with opened(f"{server.url}?{PATIENCE}", clock) as engine:
        assert engine.capabilities.ack == "durable"
        assert engine.capabilities.engine == "postgresql"
    _run(server, "ALTER DATABASE daybook_test SET synchronous_commit = off")
    async with opened(f"{server.url}?{PATIENCE}", clock) as engine:
        assert engine.capabilities.ack == "volatile"
        assert [one for one in engine.capabilities.warnings if "synchronous_commit" in one]
    _run(server, "ALTER DATABASE daybook_test RESET synchronous_commit")


async def test_a_wrong_password_is_a_config_error_that_does_not_show_it(
    server: PostgresServer, clock: FakeClock
) -> None:
    rules = server.folder / "data" / "pg_hba.conf"
    _run(server, "CREATE ROLE known LOGIN PASSWORD 'made-up'")
    rules.write_text("host all known 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    _run(server, "SELECT pg_reload_conf()")
    url = f"{server.url.replace('postgres@', 'known:wrong-one@')}?{PATIENCE}"
    with pytest.raises(ConfigError, match="password is wrong") as caught:
        async with opened(url, clock):
            pass
    assert "wrong-one" not in str(caught.value)
    with pytest.raises(ConfigError, match="may not prepare"):  # let in, without rights
        async with opened(f"{url.replace('wrong-one', 'made-up')}&schema=known", clock):
            pass


async def test_work_goes_on_after_the_server_was_killed(
    server: PostgresServer, clock: FakeClock
) -> None:
    async with opened(f"{server.url}?{PATIENCE}", clock) as engine:
        await start_session(engine.log, clock, session_id="killed")
        acknowledged = list[str]()
        for round_ in range(2):
            for number in range(5):
                name = f"{round_}.{number}"
                assert await engine.log.append(ALICE, "killed", entries(name))
                acknowledged.append(name)
            server.kill()
            with pytest.raises(StoreUnavailableError):
                await engine.log.append(ALICE, "killed", entries("lost"))
            server.restart()
            assert await _answered(engine.log.read(ALICE, "killed"))
        found = message_ids(await engine.log.read(ALICE, "killed"))
        assert found == acknowledged


async def test_a_silent_server_costs_the_deadline_and_no_more(
    server: PostgresServer, clock: FakeClock
) -> None:
    async with opened(f"{server.url}?{PATIENCE}", clock) as patient:
        await start_session(patient.log, clock, "a", session_id="silent")
    with fault_proxy(server.port) as proxy:
        url = f"{proxy.url(server.url)}?timeout_s=0.5&pool_size=3"
        async with opened(url, clock) as engine, Pulse() as lived:
            assert await in_time(lambda: engine.log.read(ALICE, "silent"))
            with proxy.faulty(Faults(silent=True)):
                started = lived.seconds()
                results = await asyncio.gather(
                    *(engine.log.read(ALICE, "silent") for _ in range(9)), return_exceptions=True
                )
                took = lived.seconds() - started
            assert {type(one) for one in results} == {StoreTimeoutError}
            assert took < 5
            found = await in_time(lambda: engine.log.read(ALICE, "silent"))
            assert message_ids(found) == ["a"]


async def test_a_server_that_is_not_there_is_unavailable(clock: FakeClock) -> None:
    with pytest.raises(StoreUnavailableError):
        async with opened("postgresql://127.0.0.1:1/none", clock):
            pass


async def _answered(call: object) -> bool:
    try:
        await call  # type: ignore[misc]
    except DaybookError:
        return False
    return True


def _run(server: PostgresServer, statement: str) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(statement.encode())
