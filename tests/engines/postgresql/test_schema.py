"""Opening prepares the schema, once, whoever comes first, and refuses what it must not touch."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql import schema as schema_module
from daybook.engines.postgresql.schema import STEPS, VERSION
from daybook.errors import ConfigError, DaybookError, SchemaVersionError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entry, message_ids, start_session
from tests.engines.postgresql.emptying import run_alone
from tests.engines.postgresql.installation import Installation, opened


@pytest.fixture
def fresh(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A role with an empty schema of its own; other processes test on the same server."""
    place = Installation(postgres_url, f"daybook_fresh_{os.getpid()}")
    yield place
    with place.connect() as connection:
        drop = SQL("DROP OWNED BY {} CASCADE").format(Identifier(place.role))
        run_alone(connection, place.schema, lambda: connection.execute(drop))


def _version(place: Installation) -> int:
    with place.connect() as connection:
        query = SQL("SELECT version FROM {}.installation").format(Identifier(place.schema))
        [[version]] = connection.execute(query).fetchall()
    return int(str(version))


async def test_many_open_a_new_schema_at_once(fresh: Installation, clock: FakeClock) -> None:
    async def use(number: int) -> None:
        async with opened(fresh.url, clock) as engine:
            await start_session(engine.log, clock, "a", session_id=str(number))

    await asyncio.gather(*(use(number) for number in range(6)))
    assert _version(fresh) == VERSION
    async with opened(fresh.url, clock) as engine:
        assert len((await engine.log.list_sessions(ALICE, limit=99)).items) == 6


async def test_without_the_lock_those_who_come_at_once_get_into_each_others_way(
    fresh: Installation, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the tests around it: the lock is what lets all of them in.

    Each goes on when all have seen that nothing is there, before and inside their transactions.
    """
    monkeypatch.setattr(schema_module, "_LOCK", "SELECT %s::text")
    look, together = schema_module._version, asyncio.Barrier(4)

    async def look_together(connection: psycopg.AsyncConnection, schema: str) -> int:
        version = await look(connection, schema)
        await together.wait()
        return version

    monkeypatch.setattr(schema_module, "_version", look_together)

    async def use() -> None:
        async with opened(fresh.url, clock):
            pass

    outcomes = await asyncio.gather(*(use() for _ in range(4)), return_exceptions=True)
    assert [one for one in outcomes if isinstance(one, DaybookError)]


def test_four_processes_open_a_new_schema_at_once(fresh: Installation) -> None:
    """A step that ran twice would fail: its tables are there already."""
    processes = get_context("spawn")
    barrier = processes.Barrier(4)
    crew = [
        processes.Process(target=_open_and_write, args=(fresh.url, str(number), barrier))
        for number in range(4)
    ]
    for one in crew:
        one.start()
    for one in crew:
        one.join(120)
    assert [one.exitcode for one in crew] == [0] * 4
    assert _version(fresh) == VERSION
    assert (fresh.count("installation"), fresh.count("sessions")) == (1, 4)


def _open_and_write(url: str, name: str, barrier: Barrier) -> None:
    async def use() -> None:
        barrier.wait(100)
        async with opened(url, FakeClock()) as engine:
            await start_session(engine.log, FakeClock(), "a", session_id=name)

    asyncio.run(use())


async def test_an_older_schema_is_brought_up_to_date(
    fresh: Installation, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "CREATE TABLE {schema}.later (n integer)"
    async with opened(fresh.url, clock) as engine:
        await start_session(engine.log, clock, "a")
    monkeypatch.setattr(schema_module, "STEPS", (*STEPS, (more,)))
    monkeypatch.setattr(schema_module, "VERSION", VERSION + 1)
    async with opened(fresh.url, clock) as engine:
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
    assert (_version(fresh), fresh.count("later")) == (VERSION + 1, 0)


# Bodies as they stood before step 7, by id: Daybook's own, and such as only a wrapper of an engine
# can have handed in.
_UUID = "01a20044-082b-70c9-9a55-56e6febb3c54"
_EARLIER = {_UUID: entry(_UUID).body, "b": b"\1\0", "c": b"\2", "d": b"", "e": b"\3"}


async def _with_earlier_bodies(
    fresh: Installation, clock: FakeClock, patch: pytest.MonkeyPatch
) -> list[bytes]:
    """Return what is read of a schema of version 6 once this Daybook has opened it."""
    with patch.context() as before:
        before.setattr(schema_module, "STEPS", STEPS[:6])
        before.setattr(schema_module, "VERSION", 6)
        async with opened(fresh.url, clock) as engine:
            await start_session(engine.log, clock, *_EARLIER)
    with fresh.connect() as connection:
        update = SQL("UPDATE {} SET body = %s WHERE seq = %s").format(
            Identifier(fresh.schema, "messages")
        )
        for seq, body in enumerate(_EARLIER.values(), 1):
            connection.execute(update, (body, seq))
    async with opened(fresh.url, clock) as engine:
        assert _version(fresh) == VERSION
        await engine.log.append(ALICE, "s", [entry("new")])
        stored = await engine.log.read(ALICE, "s")
    assert stored[-1].body == entry("new").body
    return [one.body for one in stored[:-1]]


async def test_bodies_of_an_earlier_version_are_read_as_they_were(
    fresh: Installation, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await _with_earlier_bodies(fresh, clock, monkeypatch)
    assert found == list(_EARLIER.values())


async def test_unmarked_some_of_them_would_be_taken_for_packed_ones(
    fresh: Installation, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the step has to mark them."""
    marking = [one for one in STEPS[6] if one.startswith("UPDATE")]
    assert marking
    steps = (*STEPS[:6], tuple(one for one in STEPS[6] if one not in marking))
    monkeypatch.setattr(schema_module, "STEPS", steps)
    found = await _with_earlier_bodies(fresh, clock, monkeypatch)
    assert found != list(_EARLIER.values())
    assert found[0] == _EARLIER[_UUID]


async def test_a_step_that_fails_leaves_the_version_that_was_there(
    fresh: Installation, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(fresh.url, clock):
        pass
    steps = ("CREATE TABLE {schema}.half (n integer)", "SELECT 1 / 0")
    monkeypatch.setattr(schema_module, "STEPS", (*STEPS, steps))
    monkeypatch.setattr(schema_module, "VERSION", VERSION + 1)
    with pytest.raises(Exception, match="22012"):
        async with opened(fresh.url, clock):
            pass
    assert _version(fresh) == VERSION
    with pytest.raises(psycopg.errors.UndefinedTable):
        fresh.count("half")


async def test_a_newer_schema_is_refused_and_left_alone(
    fresh: Installation, clock: FakeClock
) -> None:
    async with opened(fresh.url, clock):
        pass
    with fresh.connect() as connection:
        connection.execute(
            SQL("UPDATE {}.installation SET version = 99").format(Identifier(fresh.schema))
        )
    with pytest.raises(SchemaVersionError, match="upgrade"):
        async with opened(fresh.url, clock):
            pass
    assert _version(fresh) == 99


async def test_a_schema_of_another_program_is_refused(
    fresh: Installation, clock: FakeClock
) -> None:
    with fresh.connect() as connection:
        connection.execute(
            SQL("CREATE TABLE {} (n integer)").format(Identifier(fresh.schema, "theirs"))
        )
    with pytest.raises(ConfigError, match="another program"):
        async with opened(fresh.url, clock):
            pass


async def test_a_missing_right_says_what_to_grant(fresh: Installation, clock: FakeClock) -> None:
    with pytest.raises(ConfigError, match="CREATE SCHEMA daybook_none AUTHORIZATION"):
        async with opened(f"{fresh.url.partition('?')[0]}?schema=daybook_none", clock):
            pass


async def test_a_role_with_nothing_but_the_documented_grants_is_enough(
    fresh: Installation, place: Installation, clock: FakeClock
) -> None:
    """The schema is another role's; see the page of the engine."""
    async with opened(fresh.url, clock):
        pass
    user_url = f"{place.url.partition('?')[0]}?schema={fresh.schema}"
    with pytest.raises(ConfigError, match="GRANT"):
        async with opened(user_url, clock):
            pass
    grants = (
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    )
    page = (Path(__file__).parents[3] / "docs/engines/postgresql.md").read_text()
    for grant in grants:
        assert grant.format(schema="daybook", role="daybook_app") in page
    with fresh.connect() as connection:
        for grant in grants:
            connection.execute(
                SQL(grant).format(schema=Identifier(fresh.schema), role=Identifier(place.role))
            )
    async with opened(user_url, clock) as engine:
        await start_session(engine.log, clock, "a")
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
    with fresh.connect() as connection:
        connection.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(place.role)))
        connection.execute(
            SQL("CREATE SCHEMA IF NOT EXISTS {0} AUTHORIZATION {0}").format(
                Identifier(place.schema)
            )
        )


async def test_a_database_that_is_not_there_is_a_config_error(
    place: Installation, clock: FakeClock
) -> None:
    url = place.url.replace(urlsplit(place.url).path, "/no_such_database")
    with pytest.raises(ConfigError, match="database does not exist: create it") as caught:
        async with opened(url, clock):
            pass
    assert "made-up" not in str(caught.value)
