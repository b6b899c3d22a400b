"""A process that dies between any two writes leaves nothing half done, and nothing forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from daybook.engines.dynamodb import DynamoDBEngine, append_commit
from daybook.errors import ConflictError
from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog
from daybook.registry import parse_url
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
from tests.engines.dynamodb.tables import FaultyClient, ProcessDiedError, Table, dying

_LONG = "x" * 70_000
_MOST = 60

Step = Callable[[DynamoDBEngine, FakeClock], Awaitable[Any]]
State = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """A call, what it finds, and whether it must leave a mark for the index."""

    call: Step
    marks: bool = True


async def _fork(engine: DynamoDBEngine, clock: FakeClock) -> None:
    """Repeated, it meets the child it made."""
    with suppress(ConflictError):
        await engine.log.fork_session(ALICE, "s", make_session("new", clock), at=1)


async def _put(engine: DynamoDBEngine, _: FakeClock) -> None:
    """A write under a condition may be refused when it is repeated: then it was done."""
    new = [record("k", {"n": 2}, expected_version=1), record("j", expected_version=0)]
    with suppress(ConflictError):
        await engine.records.put(ALICE, new)


async def _put_long(engine: DynamoDBEngine, _: FakeClock) -> None:
    with suppress(ConflictError):
        await engine.records.put(ALICE, [record("k", {"n": _LONG}, expected_version=1)])


CASES = {
    "append": Case(lambda engine, _: engine.log.append(ALICE, "s", entries("c", "d"))),
    "append long": Case(lambda engine, _: engine.log.append(ALICE, "s", [entry("c", _LONG)])),
    "append many": Case(
        lambda engine, _: engine.log.append(
            ALICE, "s", [entry(f"m{number}", "y" * 5000) for number in range(60)]
        )
    ),
    "append creating": Case(
        lambda engine, clock: engine.log.append(
            ALICE, "new", entries("n"), create=make_session("new", clock)
        )
    ),
    "append over an expired one": Case(
        lambda engine, clock: engine.log.append(
            ALICE, "old", entries("n"), create=make_session("old", clock)
        )
    ),
    "clear": Case(lambda engine, _: engine.log.clear(ALICE, "s")),
    "delete": Case(lambda engine, _: engine.log.delete_session(ALICE, "s")),
    "fork": Case(_fork),
    "sweep": Case(lambda engine, clock: engine.log.sweep(clock.now())),
    "put": Case(_put, marks=False),
    "put long": Case(_put_long, marks=False),
    "delete record": Case(
        lambda engine, _: engine.records.delete(ALICE, [(("alice",), "k")]), marks=False
    ),
}


async def _prepare(engine: DynamoDBEngine, clock: FakeClock) -> None:
    await start_session(engine.log, clock, "a", "b")
    await start_session(engine.log, clock, "o", session_id="old", ttl=timedelta(seconds=1))
    await engine.records.put(ALICE, [record("k", {"n": 1})])
    clock.advance(timedelta(seconds=1))
    await engine.log.settle(await engine.log.pending(limit=99))


async def _state(engine: DynamoDBEngine) -> State:
    """Return everything a caller can read; times of activity aside, which a retry moves."""
    sessions = (await engine.log.list_sessions(ALICE, limit=99)).items
    said = [message_ids(await engine.log.read(ALICE, one.id)) for one in sessions]
    counts = [(one.id, one.message_count, one.token_count, one.last_seq) for one in sessions]
    listed = await engine.records.list(ALICE, (), limit=99)
    versions = [await engine.records.versions(ALICE, ("alice",), key, limit=9) for key in "kj"]
    values = [[(one.version, one.value) for one in kept] for kept in versions]
    return sorted(zip(counts, said, strict=True)), [one.key for one in listed], values


async def _marked(log: MessageLog) -> set[str]:
    return {one.session_id for one in await log.pending(limit=99, scope=Scope("acme"))}


_QUICK = {"append", "append creating", "clear", "delete", "fork", "put"}


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in _QUICK else pytest.mark.torture) for one in CASES]
)
async def test_a_call_that_dies_anywhere_is_done_or_not_and_may_be_repeated(
    name: str, dynamodb_url: str, dynalite_url: str
) -> None:
    """On dynalite, which is faster; but it knows no transactions, so records are moto's."""
    await _die_everywhere(CASES[name], dynalite_url if CASES[name].marks else dynamodb_url)


async def test_a_mark_written_after_its_commit_is_found_missing(
    dynalite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the order turned round, some death leaves a change without a mark."""

    def announce_later(*_: object) -> None:
        return None

    monkeypatch.setattr(append_commit, "announce", announce_later)
    with pytest.raises(AssertionError, match="a change without a mark"):
        await _die_everywhere(CASES["append"], dynalite_url)


async def _die_everywhere(case: Case, url: str) -> None:
    shared = Table(str(parse_url(url).options["endpoint"])).client()
    try:
        wanted: State | None = None
        for at in range(1, _MOST):
            died, wanted = await _die_at(at, case, Table.at(url, shared), shared, wanted)
            if not died:
                break
        else:
            raise AssertionError(f"it takes more than {_MOST} writes")
        assert at > 2  # it died on the way
    finally:
        shared.close()


async def _die_at(
    at: int, case: Case, table: Table, shared: Any, wanted: State | None
) -> tuple[bool, State]:
    """Let a call die at one write; return whether it did, and what a repetition leaves."""
    clock = FakeClock()
    client = FaultyClient(shared, shared=True)
    engine = table.engine(clock, client=client)
    await _prepare(engine, clock)
    before = await _state(engine)
    died = True
    with dying(client, at), suppress(ProcessDiedError):
        await case.call(engine, clock)
        died = False
    await engine.close()

    other = table.engine(clock, client=FaultyClient(shared, shared=True))
    after = await _state(other)
    if after != before and case.marks:
        assert await _marked(other.log), (at, "a change without a mark")
    await case.call(other, clock)
    whole = await _state(other)
    assert wanted in (None, whole), (at, "the repetition differs")
    assert after in (before, whole), (at, "half done")
    await other.close()
    return died, whole
