"""What is sent: write concerns, the keys that lead to one shard, and the indexes that serve it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from daybook.engines.mongodb.engine import MongoEngine
from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
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
from tests.engines.mongodb.opened import Document, Wire, filters_of, make_small, opened, raw

_WRITES = {"insert", "update", "delete", "findAndModify", "commitTransaction"}
_READS = {"find", "aggregate"}


async def _talk(engine: MongoEngine, clock: FakeClock) -> None:
    """Make each call of the log that names a user and a session."""
    log = engine.log
    await start_session(log, clock, "a", "b")
    for name in "cdefgh":
        await log.append(ALICE, "s", entries(name))
    await log.append(ALICE, "s", [entry(f"m{number}") for number in range(9)])
    await log.append(ALICE, "new", entries("x"), create=make_session("new", clock))
    await log.get_session(ALICE, "s")
    await log.update_session(ALICE, "s", SessionChanges(title="t"))
    await log.fork_session(ALICE, "s", make_session("child", clock), at=5)
    await log.append(ALICE, "child", entries("y"))
    assert len(await log.read(ALICE, "child")) == 6
    assert len(await log.read_at(ALICE, [("s", 1, 3), ("new", 1, 1)])) == 2
    await log.span(ALICE, "s")
    await log.stats(ALICE, "s")
    await log.clear(ALICE, "s")
    await log.delete_session(ALICE, "child")


async def _remember(engine: MongoEngine, clock: FakeClock) -> None:
    """Make each call of the record store that names an owner."""
    records = engine.records
    for _ in range(2):
        await records.put(ALICE, [record("k"), record("l", namespace=("alice", "deep"))])
    await records.put(ALICE, [record("k", expected_version=2)])
    await records.get(ALICE, [(("alice",), "k")])
    found = await records.versions(ALICE, ("alice",), "k", limit=9)
    assert [one.version for one in found] == [3, 2, 1]
    assert len(await records.list(ALICE, ("alice",), limit=9)) == 2
    assert len(await records.list(ALICE, ("alice",), filter={"is": "k"}, limit=9)) == 1
    await records.namespaces(ALICE, ("alice",), limit=9)
    await records.restore(ALICE, [found[::-1]])
    await records.delete(ALICE, [(("alice",), "k")])
    assert await records.delete_namespace(ALICE, ("alice",)) == 1


async def _keep_house(engine: MongoEngine, clock: FakeClock) -> None:
    """Make the calls over many sessions."""
    log = engine.log
    await start_session(log, clock, "a", session_id="short", ttl=timedelta(hours=1))
    await log.list_sessions(ALICE, limit=2)
    await log.stats(ALICE)
    await log.settle(await log.pending(limit=9, scope=ALICE))
    await engine.records.put(ALICE, [record("e", expires_at=clock.now() + timedelta(hours=1))])
    clock.advance(timedelta(hours=2))
    assert await log.sweep(clock.now()) == 1
    assert len(await engine.records.sweep(clock.now())) == 1
    await log.settle(await log.pending(limit=9))


# ------------------------------------------------------------------------------ write concern


def _careless(command: Document) -> str | None:
    """Say what a command does not ask for, None if it asks for what it should."""
    name = next(iter(command))
    inside = command.get("autocommit") is False and name != "commitTransaction"
    if name in _WRITES and not inside:
        concern = command.get("writeConcern")
        return None if concern == {"w": "majority", "j": True} else f"{name}: {concern}"
    if name in _READS or command.get("startTransaction"):
        level = command.get("readConcern", {}).get("level")
        begun = inside and not command.get("startTransaction")
        return None if begun or level in ("majority", "snapshot") else f"{name}: {level}"
    return None


async def test_every_write_waits_for_the_journals_of_a_majority(
    url: str, clock: FakeClock, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And every read asks for what a majority has."""
    make_small(monkeypatch)
    async with opened(url, clock=clock) as engine:
        await _talk(engine, clock)
        await _remember(engine, clock)
        await _keep_house(engine, clock)
    assert {next(iter(one)) for one in wire.sent} >= _WRITES | _READS
    assert [found for one in wire.sent if (found := _careless(one))] == []


async def test_a_write_of_less_care_is_noticed(url: str, wire: Wire) -> None:
    """The check above can fail: a plain client asks for nothing."""
    async with raw(url, event_listeners=[wire]) as database:
        await database["c"].insert_one({})
        await database["c"].find_one({})
    assert [_careless(one) for one in wire.sent] == ["insert: None", "find: None"]


# ------------------------------------------------------------------------------------ shards


def _targeted(condition: Document) -> bool:
    """Tell whether a condition names a key or a range of keys, which a shard is chosen by."""
    if "_id" in condition:
        return True
    either = condition.get("$or", [])
    return bool(either) and all(map(_targeted, either))


def _scattered(wire: Wire) -> list[Document]:
    return [
        condition for one in wire.sent for condition in filters_of(one) if not _targeted(condition)
    ]


async def test_a_call_for_a_user_leads_to_one_shard(
    url: str, clock: FakeClock, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but one question: who else refers to the messages of a removed session?"""
    make_small(monkeypatch)
    async with opened(url, clock=clock) as engine:
        wire.forget()
        await _talk(engine, clock)
        assert wire.sent
        assert {next(iter(one)) for one in _scattered(wire)} == {"ref"}
        wire.forget()
        await _remember(engine, clock)
        assert wire.sent
        assert _scattered(wire) == []


async def test_a_call_for_nobody_asks_every_shard(url: str, clock: FakeClock, wire: Wire) -> None:
    """The check above can fail."""
    async with opened(url, clock=clock) as engine:
        wire.forget()
        await engine.records.list(Scope("acme"), (), limit=9)
        await engine.log.list_sessions(ALICE, limit=9)
    assert len(_scattered(wire)) == 2


# ----------------------------------------------------------------------------------- indexes


async def _plans(url: str, wire: Wire) -> list[tuple[Document, str]]:
    """Return how the server would carry out each command that was sent, as text."""
    found = []
    async with raw(url) as database:
        for one in wire.sent:
            name = next(iter(one))
            if name not in _READS | {"findAndModify", "update", "delete"}:
                continue
            left_out = {"lsid", "txnNumber", "autocommit", "startTransaction", "writeConcern"}
            left_out |= {"readConcern", "$db", "$clusterTime", "$readPreference"}
            for part in _parts({key: one[key] for key in one if key not in left_out}):
                plan = await database.command({"explain": part, "verbosity": "queryPlanner"})
                found.append((part, str(_winning(plan)) + str(plan.get("stages", ""))))
    return found


def _parts(command: Document) -> list[Document]:
    """Return a command of many changes as many of one, which is all that can be explained."""
    for field in ("updates", "deletes"):
        if field in command:
            return [{**command, field: [one]} for one in command[field]]
    return [command]


def _winning(plan: Any) -> list[Any]:
    """Return the plans that were chosen, wherever they stand in an explanation."""
    if isinstance(plan, list):
        return [found for one in plan for found in _winning(one)]
    if not isinstance(plan, dict):
        return []
    if "winningPlan" in plan:
        return [plan["winningPlan"]]
    return [found for one in plan.values() for found in _winning(one)]


async def test_no_call_looks_through_a_whole_collection(
    url: str, clock: FakeClock, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch)
    async with opened(url, clock=clock) as engine:
        wire.forget()
        await _talk(engine, clock)
        await _remember(engine, clock)
        await _keep_house(engine, clock)
        plans = await _plans(url, wire)
        assert len(plans) > 50
        assert [command for command, plan in plans if "COLLSCAN" in plan] == []
    wire.forget()
    async with raw(url, event_listeners=[wire]) as database:
        await database["records"].find_one({"val": b""})
    [(_, plan)] = await _plans(url, wire)
    assert "COLLSCAN" in plan  # the check can fail


async def test_newest_records_and_sessions_are_not_sorted(
    url: str, clock: FakeClock, wire: Wire
) -> None:
    """An index has them in order, so a page costs what it shows."""
    async with opened(url, clock=clock) as engine:
        wire.forget()
        await engine.records.list(ALICE, ("alice",), limit=2)
        await engine.records.list(Scope("acme"), (), limit=2)
        await engine.log.list_sessions(ALICE, limit=2)
        plans = await _plans(url, wire)
        assert [index in plan for index, (_, plan) in zip(_INDEXES, plans, strict=True)] == [
            True
        ] * 3
        assert [_sorts(plan) for _, plan in plans] == [False] * 3
        wire.forget()
        await engine.log.list_sessions(Scope("acme"), limit=2)
        [(_, plan)] = await _plans(url, wire)
        assert _sorts(plan)  # of no user in particular: the check can fail


def _sorts(plan: str) -> bool:
    return "'SORT'" in plan or "'$sort'" in plan


_INDEXES = ("by_owner", "by_tenant", "by_user")


async def test_an_append_is_one_command(url: str, clock: FakeClock, wire: Wire) -> None:
    """From the second on, whatever the session holds; a full tail now and then takes more."""
    async with opened(url, clock=clock) as engine:
        await start_session(engine.log, clock, "a")
        sent = []
        for number in range(140):
            wire.forget()
            await engine.log.append(ALICE, "s", entries(f"m{number}"))
            sent.append(len(wire.sent))
        # With blocks, ids are looked for in them first; where a tail is full, a transaction.
        assert sent[1:60] == [1] * 59
        assert sorted(sent)[len(sent) * 9 // 10] <= 2
        assert message_ids(await engine.log.read(ALICE, "s", after=140)) == ["m139"]
