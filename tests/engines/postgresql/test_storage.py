"""What lies in the tables: forks copy nothing, nothing is left behind, a page holds what it may."""

from __future__ import annotations

from datetime import timedelta

from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql import PostgreSQLEngine
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    entries,
    entry,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.postgresql.installation import Installation

_HOUR = timedelta(hours=1)


async def test_a_fork_copies_no_message(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await start_session(engine.log, clock, *map(str, range(50)))
    for number in range(5):
        await engine.log.fork_session(ALICE, "s", make_session(f"f{number}", clock), at=40)
    assert place.count("messages") == 50
    await engine.log.append(ALICE, "f1", entries("x"))
    assert place.count("messages") == 51


async def test_a_message_goes_with_the_last_session_that_shows_it(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    log = engine.log
    await start_session(log, clock, *map(str, range(10)))
    await log.fork_session(ALICE, "s", make_session("f", clock, ttl=_HOUR), at=6)
    await log.append(ALICE, "f", entries("x", "y"))
    await log.fork_session(ALICE, "f", make_session("g", clock), at=7)
    await log.delete_session(ALICE, "s")
    assert place.count("messages") == 8  # six of s, two of f
    clock.advance(_HOUR)
    assert await log.sweep(clock.now()) == 1
    assert place.count("messages") == 7  # y is shown by nobody any more
    assert message_ids(await log.read(ALICE, "g")) == [*"012345", "x"]
    await log.clear(ALICE, "g")
    assert place.count("messages") == 0
    await log.delete_session(ALICE, "g")
    for table in ("sessions", "session_ids", "stream_refs", "messages"):
        assert place.count(table) == 0, table


async def test_a_cleared_id_is_free_although_a_fork_still_shows_it(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await start_session(engine.log, clock, "a", "b")
    await engine.log.fork_session(ALICE, "s", make_session("f", clock))
    span = await engine.log.span(ALICE, "s")
    await engine.log.clear(ALICE, "s")
    await engine.log.append(ALICE, "s", entries("a"))
    assert place.count("messages") == 3
    again = await engine.log.span(ALICE, "s")
    assert span is not None
    assert again is not None
    assert again.incarnation == span.incarnation
    await engine.log.delete_session(ALICE, "f")
    assert place.count("messages") == 1


async def test_deleted_records_leave_no_version(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    for _ in range(3):
        await engine.records.put(ALICE, [record("a"), record("b"), record("c")])
    await engine.records.delete(ALICE, [(("alice",), "a")])
    await engine.records.delete_namespace(ALICE, ())
    assert (place.count("records"), place.count("record_versions")) == (0, 0)


async def test_an_append_to_a_pending_session_writes_no_mark(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    await start_session(engine.log, clock, "a")
    before = _mark_version(place)
    await engine.log.append(ALICE, "s", entries("b"))
    await engine.log.append(ALICE, "s", entries("c", "a"))
    assert _mark_version(place) == before
    await engine.log.settle(await engine.log.pending(limit=9))
    await engine.log.append(ALICE, "s", entries("d"))
    assert _mark_version(place) != before


def _mark_version(place: Installation) -> object:
    with place.connect() as connection:
        query = SQL("SELECT xmin, ctid FROM {}").format(Identifier(place.schema, "pending"))
        return connection.execute(query).fetchall()


async def test_a_body_leaves_out_what_its_row_says(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    """All but the text of a plain message; an id that the row has no more than a hash of stays."""
    uuid = "01a20044-082b-70c9-9a55-56e6febb3c54"
    said = clock.now().replace(microsecond=267226)
    batch = [entry(name, "hello", created_at=said) for name in (uuid, "a name")]
    await start_session(engine.log, clock)
    await engine.log.append(ALICE, "s", batch)
    with place.connect() as connection:
        query = SQL("SELECT body FROM {} ORDER BY seq").format(Identifier(place.schema, "messages"))
        [[short], [whole]] = connection.execute(query).fetchall()
    assert isinstance(short, bytes)
    assert len(short) < 32
    assert whole == batch[1].body
    assert [one.body for one in await engine.log.read(ALICE, "s")] == [one.body for one in batch]
