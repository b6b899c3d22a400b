"""Row-level security stands behind the engine's own conditions."""

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql import PostgreSQLEngine
from daybook.engines.postgresql.schema import render
from daybook.engines.postgresql.schema_sessions import SESSION_FUNCTIONS
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, make_session, record, start_session
from tests.engines.postgresql.installation import Installation, opened

# What holds nothing of anybody, or can only be reached through a number found behind a policy.
_OPEN = {"installation", "index_embedders"}
_TABLES = ("owners", "session_ids", "sessions", "messages", "pending", "records")


async def _plant(engine: PostgreSQLEngine, clock: FakeClock) -> None:
    await start_session(engine.log, clock, "a", "b")
    await engine.log.fork_session(ALICE, "s", make_session("f", clock), at=1)
    await engine.records.put(ALICE, [record("k"), record("k")])


def _as_owner(place: Installation) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as the role that owns the tables."""
    return psycopg.connect(place.url.partition("?")[0])


def _seen(
    connection: psycopg.Connection[tuple[object, ...]],
    place: Installation,
    settings: dict[str, str],
) -> dict[str, int]:
    """Return how many rows a transaction with these settings sees in each table."""
    with connection.transaction():
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", (f"daybook.{name}", value))
        tables = [*_TABLES, "record_versions", "stream_refs"]
        counts = {}
        for table in tables:
            query = SQL("SELECT count(*) FROM {}").format(Identifier(place.schema, table))
            [[rows]] = connection.execute(query).fetchall()
            counts[table] = int(str(rows))
    return counts


async def test_every_table_hides_rows_even_from_its_owner(
    engine: PostgreSQLEngine, place: Installation
) -> None:
    with place.connect() as connection:
        found = connection.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class "
            "WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p')",
            (place.schema,),
        ).fetchall()
    bare = {str(name) for name, forced in found if not forced}
    assert bare <= _OPEN
    assert len(found) > len(bare) + 30


async def test_a_query_without_any_condition_sees_only_its_scope(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await _plant(engine, clock)
    alice = {"tenant": b"acme".hex(), "user": b"alice".hex()}
    bob = {"tenant": b"acme".hex(), "user": b"bob".hex()}
    rival = {"tenant": b"rival".hex(), "user": ""}
    with _as_owner(place) as connection:
        nothing = _seen(connection, place, {})
        assert set(nothing.values()) == {0}
        assert set(_seen(connection, place, rival).values()) == {0}
        of_bob = _seen(connection, place, bob)
        assert {name for name, rows in of_bob.items() if rows} == {"records", "record_versions"}
        assert _seen(connection, place, alice)["sessions"] == 2
    with place.connect() as connection:  # the control: a superuser is bound by no policy
        everything = _seen(connection, place, rival)
    assert min(everything.values()) >= 1
    assert everything["messages"] == 2


@pytest.mark.parametrize(("table", "rows"), [("sessions", 2), ("records", 1), ("messages", 2)])
async def test_a_table_without_its_policies_shows_what_they_hid(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock, table: str, rows: int
) -> None:
    """The control: it is the policies, and nothing else, that hide the rows."""
    await _plant(engine, clock)
    rival = {"tenant": b"rival".hex(), "user": "", "owner": "0"}
    disable = SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY")
    with _as_owner(place) as connection:
        assert _seen(connection, place, rival)[table] == 0
        connection.execute(disable.format(Identifier(place.schema, table)))
        assert _seen(connection, place, rival)[table] == rows
        connection.rollback()
        assert _seen(connection, place, rival)[table] == 0


async def test_messages_are_seen_by_the_owner_that_was_looked_up(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await _plant(engine, clock)
    [[owner]] = _rows(place, "SELECT owner FROM {}.owners")
    with _as_owner(place) as connection:
        seen = _seen(connection, place, {"owner": str(owner)})
        assert (seen["messages"], seen["stream_refs"], seen["sessions"]) == (2, 1, 0)
        other = _seen(connection, place, {"owner": str(int(str(owner)) + 1)})
        assert (other["messages"], other["stream_refs"]) == (0, 0)


async def test_a_function_that_lost_its_tenant_condition_still_shows_nothing(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await _plant(engine, clock)
    [found] = [one for one in SESSION_FUNCTIONS if "found_session(" in one.partition("RETURNS")[0]]
    broken = found.replace("k.tenant = p_tenant AND", "").replace("found_session", "broken_lookup")
    assert broken.count("p_tenant") == found.count("p_tenant") - 1
    function = Identifier(place.schema, "broken_lookup")
    call = SQL("SELECT (f).number FROM {}(%s, NULL, %s, 0) AS f").format(function)
    with _as_owner(place) as connection:
        connection.execute(render(broken, place.schema).encode())
        assert connection.execute(call, (b"rival", b"s")).fetchall() == [(None,)]
        assert connection.execute(call, (b"acme", b"s")).fetchall() != [(None,)]
        connection.commit()
    with place.connect() as connection:  # the control: without policies it shows another's session
        assert connection.execute(call, (b"rival", b"s")).fetchall() != [(None,)]
        connection.execute(SQL("DROP FUNCTION {}").format(function))


async def test_a_role_that_no_policy_binds_is_told(
    postgres_url: str, place: Installation, engine: PostgreSQLEngine, clock: FakeClock
) -> None:
    assert not [one for one in engine.capabilities.warnings if "BYPASSRLS" in one]
    async with opened(f"{postgres_url}?schema={place.schema}", clock) as privileged:
        assert [one for one in privileged.capabilities.warnings if "BYPASSRLS" in one]


async def test_nothing_of_a_scope_stays_in_the_connection(
    engine: PostgreSQLEngine, clock: FakeClock
) -> None:
    await _plant(engine, clock)
    row = await engine.log._pool.one(
        "test",
        "SELECT current_setting('daybook.tenant', true), current_setting('daybook.owner', true)",
        (),
    )
    assert {*row[:2]} <= {"", None}


def _rows(place: Installation, query: LiteralString) -> list[tuple[object, ...]]:
    with place.connect() as connection:
        return connection.execute(SQL(query).format(Identifier(place.schema))).fetchall()


@pytest.fixture(autouse=True)
def _opened_first(engine: PostgreSQLEngine) -> None:
    """The tables are there before a test looks at them."""
