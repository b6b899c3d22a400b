"""A copy holds what the source holds, whatever interrupts it and whoever writes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from daybook import AsyncDaybook, Message
from daybook.copying.report import CopyProgress, CopyReport
from daybook.copying.run import copy_store
from daybook.engines.inmemory import InMemoryEngine
from daybook.engines.sqlite import SQLiteEngine
from daybook.errors import StoreError
from daybook.facets.session_forks import to_new_entry
from daybook.model.entry import StoredEntry
from daybook.model.memory_record import NewRecord
from daybook.model.scope import Scope
from daybook.protocols.clock import SystemClock
from daybook.registry import Engine, open_engine

CLOCK = SystemClock()


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Engine]:
    async with AsyncDaybook.open(_url(tmp_path), embedder="hash") as book:
        await _fill(book)
    async with AsyncDaybook.open(_url(tmp_path), embedder="hash", tenant="other") as book:
        await book.sessions.create(user_id="alice", session_id="s")
        await book.history.append("s", Message.user("another world"))
    engine = await open_engine(_url(tmp_path), clock=CLOCK)
    yield engine
    await engine.close()


def _url(folder: Path, name: str = "source") -> str:
    return f"sqlite:///{folder}/{name}.db"


async def _fill(book: AsyncDaybook) -> None:
    for number in range(12):
        name = f"s{number:02}"
        await book.sessions.create(
            user_id=f"user{number % 3}", session_id=name, ttl=timedelta(days=1 + number)
        )
        said = [Message.user(f"{name} {seq}", metadata={"b": 1, "a": 2}) for seq in range(number)]
        if said:
            await book.history.append(name, said)
    await book.history.clear("s05")
    await book.history.append("s05", Message.user("after a clear"))
    await book.sessions.fork("s11", at=7, new_session_id="fork")
    await book.sessions.fork("fork", at=3, new_session_id="deep")
    await book.history.append("fork", Message.user("on a branch"))
    await book.sessions.share("s03", "guest", role="writer")
    for version in range(3):
        await book.records.put(("user0", "prefs"), "k", {"version": version})
    await book.records.put(("user1",), "short", {"n": 2**63}, ttl=timedelta(days=1))


async def _copy_of(engine: Engine, tenant: str = "default") -> list[Any]:
    sessions = (await engine.log.list_sessions(Scope(tenant), limit=99)).items
    bodies = [await engine.log.read(Scope(tenant), one.id) for one in sessions]
    records = await engine.records.list(Scope(tenant), (), limit=99)
    histories = [
        await engine.records.versions(Scope(tenant), one.namespace, one.key, limit=99)
        for one in records
    ]
    return [sessions, bodies, sorted(histories, key=lambda one: (one[0].namespace, one[0].key))]


async def test_everything_is_copied_and_comes_back(source: Engine, tmp_path: Path) -> None:
    middle = InMemoryEngine(clock=CLOCK)
    back = SQLiteEngine(tmp_path / "back.db", clock=CLOCK)
    reports = [await copy_store(source, middle), await copy_store(middle, back)]
    for tenant in ("default", "other"):
        assert await _copy_of(middle, tenant) == await _copy_of(source, tenant)
        assert await _copy_of(back, tenant) == await _copy_of(source, tenant)
    first, second = reports
    assert first.checksum == second.checksum
    assert first.verified
    assert (first.sessions, first.written_messages) == (15, second.written_messages)
    assert first.shared_messages == 10
    await middle.close()
    await back.close()


async def test_a_second_copy_writes_only_what_is_new(source: Engine) -> None:
    target = InMemoryEngine(clock=CLOCK)
    first = await copy_store(source, target)
    again = await copy_store(source, target)
    assert (again.written_messages, again.written_records) == (0, 0)
    assert again.checksum == first.checksum
    async with AsyncDaybook.open("inmemory://", embedder=None) as writer:
        entry = await _one_entry(writer)
    await source.log.append(Scope("default"), "s04", [entry])
    third = await copy_store(source, target)
    assert third.written_messages == 1
    assert third.checksum != first.checksum
    assert await _copy_of(target) == await _copy_of(source)


async def _one_entry(book: AsyncDaybook) -> Any:
    await book.history.append("s", Message.user("news"), user_id="u")
    [stored] = await book._engines[0].log.read(Scope("default"), "s")
    return to_new_entry(stored)


async def test_a_copy_goes_on_where_it_was_broken_off(source: Engine) -> None:
    target = InMemoryEngine(clock=CLOCK)

    def stop(state: CopyProgress) -> None:
        if state.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await copy_store(source, target, on_progress=stop)
    whole = await copy_store(InMemoryEngine(clock=CLOCK), target)
    assert whole.sessions == 0
    rest = await copy_store(source, target)
    assert rest.written_messages < rest.messages - rest.shared_messages
    assert await _copy_of(target) == await _copy_of(source)


class SourceInUse:
    """A log that changes each time its sessions have been listed."""

    def __init__(self, inner: Any, changes: Sequence[Callable[[], Awaitable[Any]]]) -> None:
        self.inner = inner
        self.changes = iter(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def list_sessions(self, *args: Any, **named: Any) -> Any:
        page = await self.inner.list_sessions(*args, **named)
        if change := next(self.changes, None):
            await change()
        return page


async def test_a_source_in_use_is_followed(source: Engine) -> None:
    target = InMemoryEngine(clock=CLOCK)
    async with AsyncDaybook.open("inmemory://", embedder=None) as writer:
        entry = await _one_entry(writer)
    scope, log = Scope("default"), source.log
    short = (("user1",), "short")
    changes: list[Callable[[], Awaitable[Any]]] = [
        lambda: log.append(scope, "s00", [entry]),
        lambda: log.delete_session(scope, "s02"),  # listed, not copied yet
        lambda: log.clear(scope, "s11"),
        lambda: source.records.delete(scope, [short]),
        lambda: log.append(scope, "fork", [entry]),
        lambda: log.delete_session(scope, "s01"),  # copied already
    ]
    in_use = SimpleNamespace(
        log=SourceInUse(log, changes), records=source.records, capabilities=source.capabilities
    )
    report = await copy_store(cast("Engine", in_use), target)
    assert report.passes > 2
    assert report.verified
    assert report.removed_sessions == 2
    assert await _copy_of(target) == await _copy_of(source)


async def test_another_session_of_the_same_id_is_left_alone(source: Engine) -> None:
    target = InMemoryEngine(clock=CLOCK)
    stranger = (await source.log.list_sessions(Scope("default"), limit=1)).items[0]
    other = msgspec.structs.replace(stranger, id="s02", created_at=CLOCK.now())
    await target.log.create_session(Scope("default"), other)
    report = await copy_store(source, target)
    assert not report.verified
    assert [(one.what, one.name) for one in report.problems] == [("session", "s02")]
    assert report.sessions == 14
    assert await target.log.read(Scope("default"), "s02") == []


class ForgetfulTarget:
    """Acknowledges everything and reads one byte wrong."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def read(self, *args: Any, **named: Any) -> list[StoredEntry]:
        stored: list[StoredEntry] = await self.inner.read(*args, **named)
        return [
            StoredEntry(one.seq, one.body.replace(b"s07", b"s70"), one.tokens) for one in stored
        ]


async def test_a_target_that_reads_back_wrong_is_found_out(source: Engine) -> None:
    target = InMemoryEngine(clock=CLOCK)
    target.log = ForgetfulTarget(target.log)  # type: ignore[assignment] # broken on purpose
    with pytest.raises(StoreError, match="checksum"):
        await copy_store(source, target)


async def test_records_that_read_back_wrong_are_found_out(source: Engine) -> None:
    target = InMemoryEngine(clock=CLOCK)

    async def keep_newest(scope: Scope, histories: Any) -> None:
        for history in histories:
            new = NewRecord(namespace=history[-1].namespace, key=history[-1].key, value=b"{}")
            await target.records.put(scope, [new])

    target.records.restore = keep_newest  # type: ignore[method-assign] # broken on purpose
    with pytest.raises(StoreError, match="checksum"):
        await copy_store(source, target)


def test_a_report_of_nothing_is_sound() -> None:
    async def empty() -> CopyReport:
        return await copy_store(InMemoryEngine(clock=CLOCK), InMemoryEngine(clock=CLOCK))

    report = asyncio.run(empty())
    assert (report.sessions, report.records, report.verified, report.passes) == (0, 0, True, 1)
