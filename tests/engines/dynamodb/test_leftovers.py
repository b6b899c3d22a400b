"""What was deleted is gone from the table itself, unless a fork still shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from daybook.engines.dynamodb import hints
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entry, make_session, message_ids, record
from tests.engines.dynamodb.tables import FaultyClient, Table, refused

_CANARY = "canary-4b1d"


async def _talk(table: Table, clock: FakeClock) -> None:
    """A session with short, long and very many messages, in the head, in items and in pieces."""
    engine = table.engine(clock)
    session = make_session("s", clock, title=_CANARY, metadata={"of": _CANARY})
    long = _CANARY * 40_000
    await engine.log.append(ALICE, "s", [entry(f"{_CANARY}-1", _CANARY)], create=session)
    await engine.log.append(ALICE, "s", [entry(f"{_CANARY}-2", long)])
    await engine.log.append(
        ALICE, "s", [entry(f"{_CANARY}-{n}", _CANARY * 300) for n in range(3, 103)]
    )
    await engine.log.append(ALICE, "s", [entry(f"{_CANARY}-103", _CANARY)])
    await engine.close()


async def test_a_deleted_session_leaves_nothing_said(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    await _talk(table, clock)
    assert table.holds(_CANARY)  # or the test could not fail
    assert table.partitions("b/")
    engine = table.engine(clock)
    assert await engine.log.delete_session(ALICE, "s")
    await engine.close()
    assert not table.holds(_CANARY)
    assert table.partitions("m/") == table.partitions("b/") == []


async def test_a_cleared_session_leaves_nothing_said(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    await _talk(table, clock)
    engine = table.engine(clock)
    assert await engine.log.clear(ALICE, "s") == 103
    await engine.close()
    assert table.partitions("m/") == table.partitions("b/") == []


async def test_a_fork_keeps_what_it_shows_and_no_more(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    await _talk(table, clock)
    engine = table.engine(clock)
    await engine.log.fork_session(ALICE, "s", make_session("t", clock), at=2)
    assert await engine.log.delete_session(ALICE, "s")
    assert message_ids(await engine.log.read(ALICE, "t")) == [f"{_CANARY}-1", f"{_CANARY}-2"]
    places = [one.partition(" ")[2] for one in table.partitions("m/")]
    assert [place for place in places if place.startswith("m/")] == [
        "m/000000000000001",
        "m/000000000000002",
    ]
    assert len([place for place in places if place.startswith("i/")]) == 2
    assert await engine.log.delete_session(ALICE, "t")
    await engine.close()
    assert table.partitions("m/") == table.partitions("b/") == []
    assert not table.holds(_CANARY)


async def test_an_expired_session_is_swept_from_the_table(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    engine = table.engine(clock)
    session = make_session("s", clock, title=_CANARY, ttl=timedelta(hours=1))
    await engine.log.append(ALICE, "s", [entry("m", _CANARY)], create=session)
    clock.advance(timedelta(hours=1))
    assert table.holds(_CANARY)
    assert await engine.log.sweep(clock.now()) == 1
    await engine.close()
    assert not table.holds(_CANARY)
    assert table.partitions("x/") == []


async def test_a_deleted_record_leaves_no_version(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    engine = table.engine(clock)
    for value in (_CANARY, _CANARY * 20_000, _CANARY):
        await engine.records.put(ALICE, [record(_CANARY, {"is": value})])
    assert len(await engine.records.versions(ALICE, ("alice",), _CANARY, limit=9)) == 3
    assert table.partitions("b/")
    assert await engine.records.delete(ALICE, [(("alice",), _CANARY)]) == 1
    await engine.close()
    assert not table.holds(_CANARY)
    assert table.partitions("r/") == table.partitions("b/") == []


async def test_a_refused_batch_leaves_no_pieces(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    engine = table.engine(clock)
    await engine.log.append(ALICE, "s", [entry("m", "a")], create=make_session("s", clock))
    with pytest.raises(Exception, match="already there"):
        await engine.log.append(ALICE, "s", [entry("n", _CANARY * 9000), entry("m", "b")])
    await engine.close()
    assert not table.holds(_CANARY)
    assert table.partitions("g/") == []


async def test_old_notes_are_emptied_and_young_ones_stay(
    dynalite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    await _talk(table, clock)
    engine = table.engine(clock)
    await engine.log.delete_session(ALICE, "s")
    await engine.log.sweep(clock.now())
    assert table.partitions("g/")  # a slow writer may still be about
    monkeypatch.setattr(hints, "_GRACE_NS", -(10**9))
    await engine.log.sweep(clock.now())
    await engine.close()
    assert table.partitions("g/") == []


async def test_what_cannot_be_removed_now_is_removed_by_the_next_sweep(dynalite_url: str) -> None:
    """The answer is that of the one write that counts; a failure after it is not the caller's."""
    clock, table = FakeClock(), Table.at(dynalite_url)
    await _talk(table, clock)
    client = FaultyClient(table.client())
    engine = table.engine(clock, client=client)
    deleted = False

    def refuse(name: str, _number: int) -> Exception | None:
        return refused() if deleted and name == "batch_write_item" else None

    def note(name: str, _number: int) -> Exception | None:
        nonlocal deleted
        deleted = deleted or name == "put_item"
        return None

    client.before, client.after = refuse, note
    assert await engine.log.delete_session(ALICE, "s")
    assert await engine.log.get_session(ALICE, "s") is None
    assert table.partitions("m/")
    deleted, client.after = False, lambda _name, _number: None
    await engine.log.sweep(clock.now())
    await engine.close()
    assert table.partitions("m/") == table.partitions("b/") == []
