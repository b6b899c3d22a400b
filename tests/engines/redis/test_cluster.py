"""A cluster: parts of it on the move, a master gone, a replica in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from hashlib import sha1

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from daybook.engines.redis import RedisEngine, script_calls
from daybook.engines.redis.buckets import bucket_of_user
from daybook.engines.redis.script_files import Script, load_script
from daybook.errors import StoreError
from daybook.model.entry import AppendResult
from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    entries,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.redis.opened import PATIENCE_S, command, opened
from tests.servers.launch import wait_until
from tests.servers.redis import RedisServer, ask
from tests.servers.redis_cluster import RedisCluster, redis_cluster

_USERS = [f"user-{number}" for number in range(30)]


def _slot(user: str) -> int:
    return key_slot(f"{bucket_of_user('acme', user):02x}".encode())


def _master(cluster: RedisCluster, slot: int) -> RedisServer:
    return cluster.masters[slot * len(cluster.masters) // 16_384]


async def _start(log: MessageLog, clock: FakeClock) -> None:
    for user in _USERS:
        await start_session(log, clock, "a", scope=Scope("acme", user), session_id=f"of {user}")


@pytest.fixture(scope="module")
def whole() -> Iterator[RedisCluster]:
    """A cluster that no test takes a node from; users 0, 1 and 2 may move."""
    assert len({_slot(user) for user in _USERS[:3]}) == 3
    with redis_cluster() as cluster:
        yield cluster


async def test_users_are_spread_and_found_again(whole: RedisCluster) -> None:
    """Every master holds some; lists and sums are over all of them."""
    clock = FakeClock()
    async with opened(whole.url, clock=clock) as engine:
        await _start(engine.log, clock)
        owners = {_master(whole, _slot(user)).port for user in _USERS}
        assert len(owners) == 3
        listed = await engine.log.list_sessions(Scope("acme"), limit=99)
        assert [one.id for one in listed.items] == sorted(f"of {user}" for user in _USERS)
        stats = await engine.log.stats(Scope("acme"))
        assert stats is not None
        assert stats.message_count == len(_USERS)
        marks = [one.user_id for one in await engine.log.pending(limit=99)]
        assert sorted(marks) == sorted(_USERS)


async def test_what_asks_a_whole_tenant_is_one_script_on_each_master(whole: RedisCluster) -> None:
    """Not one for each bucket; what is about one user is one script in all."""
    clock = FakeClock()
    async with opened(whole.url, clock=clock) as engine:
        await _start(engine.log, clock)
        one = Scope("acme", _USERS[0])
        for scope, expected in ((Scope("acme"), [1, 1, 1]), (one, [0, 0, 1])):
            for ask in (engine.log.stats, _listed(engine), _marked(engine)):
                await ask(scope)
                before = [await _scripts_run(master) for master in whole.masters]
                await ask(scope)
                after = [await _scripts_run(master) for master in whole.masters]
                ran = [new - old for new, old in zip(after, before, strict=True)]
                assert sorted(ran) == expected


def _listed(engine: RedisEngine) -> Callable[[Scope], Awaitable[list[str]]]:
    async def ask(scope: Scope) -> list[str]:
        page = await engine.log.list_sessions(scope, limit=99)
        return [one.user_id for one in page.items]

    return ask


def _marked(engine: RedisEngine) -> Callable[[Scope], Awaitable[list[str]]]:
    async def ask(scope: Scope) -> list[str]:
        return [one.user_id for one in await engine.log.pending(limit=99, scope=scope)]

    return ask


@asynccontextmanager
async def _client(server: RedisServer) -> AsyncIterator[Redis]:
    """Open a plain client of the driver to one node."""
    client = Redis(port=server.port, socket_timeout=PATIENCE_S)
    try:
        yield client
    finally:
        await client.aclose()


async def _scripts_run(master: RedisServer) -> int:
    async with _client(master) as client:
        found = await client.info("commandstats")
    return sum(found.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


async def test_when_a_master_is_gone_the_others_users_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daybook.engines.redis.cluster._FIRST_WAIT_S", 0.001)
    clock = FakeClock()
    with redis_cluster() as cluster:
        async with opened(cluster.url, clock=clock) as engine:
            await _start(engine.log, clock)
            lost = cluster.masters[1]
            lost.kill()
            await _only_its_users_wait(cluster, lost, engine.log, "while nobody has noticed")
            cluster.suspect_after(1)
            others = [one for one in cluster.masters if one is not lost]
            wait_until(lambda: all(_misses_one(one) for one in others), "the others notice")
            cluster.suspect_after(PATIENCE_S)
            await _only_its_users_wait(cluster, lost, engine.log, "once they have")


async def _only_its_users_wait(
    cluster: RedisCluster, lost: RedisServer, log: MessageLog, said: str
) -> None:
    for user in _USERS:
        call = log.append(Scope("acme", user), f"of {user}", entries(said))
        [found] = await asyncio.gather(call, return_exceptions=True)
        if _master(cluster, _slot(user)) is lost:
            assert isinstance(found, StoreError)
            assert found.retryable
        else:
            assert isinstance(found, AppendResult)


def _misses_one(node: RedisServer) -> bool:
    """Tell whether a node takes one of three masters for dead, and no more."""
    said = ask(node.port, "CLUSTER", "INFO")
    return b"cluster_slots_fail:5461" in said and b"cluster_slots_pfail:0" in said


async def test_after_a_failover_the_same_engine_goes_on() -> None:
    """Typed, retryable errors meanwhile; a repeated append is there once."""
    clock = FakeClock()
    with redis_cluster(replicas=3) as cluster:
        async with opened(cluster.url, clock=clock) as engine:
            await _start(engine.log, clock)
            user = next(one for one in _USERS if _master(cluster, _slot(one)) is cluster.masters[0])
            scope = Scope("acme", user)
            await _copied(cluster.masters[0])
            cluster.masters[0].kill()
            cluster.suspect_after(1)
            for _ in range(200):
                call = engine.log.append(scope, f"of {user}", entries("b"))
                [result] = await asyncio.gather(call, return_exceptions=True)
                if isinstance(result, AppendResult):
                    break
                assert isinstance(result, StoreError)
                assert result.retryable
            else:
                raise AssertionError("no replica took over")
            cluster.wait_until_healthy()
            cluster.suspect_after(PATIENCE_S)
            assert message_ids(await engine.log.read(scope, f"of {user}")) == ["a", "b"]


async def _copied(master: RedisServer) -> None:
    """Return when the master's replica has all it has."""
    async with _client(master) as client:
        written = (await client.info("replication"))["master_repl_offset"]
        while True:
            found = (await client.info("replication")).get("slave0", {})
            if found.get("state") == "online" and found["offset"] >= written:
                return
            await asyncio.sleep(0.02)


class _User:
    """Uses the log and the records of one user, and knows what was acknowledged."""

    def __init__(self, engine: RedisEngine, user: str, clock: FakeClock) -> None:
        self.engine = engine
        self.user = user
        self.scope = Scope("acme", user)
        self.clock = clock
        self.sent = 0
        self.kept: list[str] = []

    async def use(self) -> None:
        """Do some of everything; errors must say that a retry may help."""
        log = self.engine.log
        for _ in range(3):
            self.sent += 1
            batch = [f"m{self.sent}.1", f"m{self.sent}.2"]
            with _retryable():
                assert await log.append(self.scope, "s", entries(*batch))
                self.kept.extend(batch)
        with _retryable():
            assert await log.get_session(self.scope, "s")
        with _retryable():
            assert message_ids(await log.read(self.scope, "s")) == self.kept
        with _retryable():
            child = make_session(f"f{self.sent}", self.clock, user=self.user)
            await log.fork_session(self.scope, "s", child)
        with _retryable():
            new = record(f"k{self.sent}", namespace=(self.user,))
            await self.engine.records.put(self.scope, [new])

    async def check(self) -> None:
        """See that everything acknowledged is there, once, and counted."""
        log = self.engine.log
        assert message_ids(await log.read(self.scope, "s")) == self.kept
        listed = await log.list_sessions(self.scope, limit=99)
        stats = await log.stats(self.scope)
        assert stats is not None
        assert stats.session_count == len(listed.items) > 2
        for session in listed.items:
            assert len(await log.read(self.scope, session.id)) == session.message_count
        assert len(await self.engine.records.list(self.scope, (self.user,), limit=99)) > 1


@contextmanager
def _retryable() -> Iterator[None]:
    try:
        yield
    except StoreError as exc:
        if not exc.retryable:
            raise


async def test_while_a_slot_moves_nothing_is_done_by_halves(whole: RedisCluster) -> None:
    """Calls fail with an error that says to retry, or do all they should; then all is there."""
    slot = _slot(_USERS[2])
    source = _master(whole, slot)
    target = next(one for one in whole.masters if one is not source)
    async with opened(whole.url, clock=FakeClock()) as engine:
        user = _User(engine, _USERS[2], FakeClock())
        new = make_session("s", user.clock, user=user.user)
        await engine.log.create_session(user.scope, new)
        await user.use()
        assert len(user.kept) == 6
        await _move(whole, slot, source, target, user.use)
        await user.use()
        assert user.kept[-6:] == [f"m{n}.{part}" for n in _last(user, 3) for part in (1, 2)]
        await user.check()


@pytest.mark.parametrize("guarded", [True, False])
async def test_while_a_slot_moves_a_whole_tenant_is_seen_or_not_at_all(
    whole: RedisCluster, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a part of it; without the scripts' guard there would be parts."""
    monkeypatch.setattr("daybook.engines.redis.cluster._FIRST_WAIT_S", 0.001)
    if not guarded:
        monkeypatch.setattr(script_calls, "load_script", _unguarded)
    clock, slot, partial = FakeClock(), _slot(_USERS[guarded]), 0
    source = _master(whole, slot)
    target = next(one for one in whole.masters if one is not source)
    async with opened(whole.url, clock=clock) as engine:
        await _start(engine.log, clock)
        for user in _USERS:
            new = record("k", namespace=(user,))
            await engine.records.put(Scope("acme", user), [new])

        async def look() -> None:
            nonlocal partial
            partial += await _partial_answers(engine)

        await _move(whole, slot, source, target, look, every=6)
        assert (partial == 0) is guarded
        assert await _partial_answers(engine, retried=0) == 0


async def _partial_answers(engine: RedisEngine, retried: int = 99) -> int:
    """Ask for all that the tenant has; return how many answers leave something out."""
    tenant, partial = Scope("acme"), 0

    async def counted() -> list[str]:
        stats = await engine.log.stats(tenant)
        return _USERS[: stats.message_count] if stats else []

    async def recorded() -> list[str]:
        found = await engine.records.list(tenant, (), limit=99)
        return [one.namespace[0] for one in found]

    async def named() -> list[str]:
        found = await engine.records.namespaces(tenant, (), limit=99)
        return [one[0] for one in found]

    for answer in await asyncio.gather(
        _listed(engine)(tenant),
        _marked(engine)(tenant),
        counted(),
        recorded(),
        named(),
        return_exceptions=True,
    ):
        if isinstance(answer, StoreError):
            assert answer.retryable
            retried -= 1
        else:
            # What is there without what belongs to it may end in any error.
            whole = isinstance(answer, list) and sorted(answer) == sorted(_USERS)
            partial += not whole
    assert retried >= 0
    return partial


def _unguarded(name: str) -> Script:
    """Return a script that does not ask whether all of its bucket is here."""
    source = load_script(name).source.replace(b"if a.cluster then", b"if false then")
    return Script(name, source, sha1(source, usedforsecurity=False).hexdigest().encode())


def _last(user: _User, count: int) -> range:
    return range(user.sent - count + 1, user.sent + 1)


async def _move(
    cluster: RedisCluster,
    slot: int,
    source: RedisServer,
    target: RedisServer,
    use: Callable[[], Awaitable[None]],
    every: int = 3,
) -> None:
    """Move a slot from one master to another, key by key, and use the log in between."""
    rest = [one for one in cluster.masters if one not in (source, target)]
    async with AsyncExitStack() as stack:
        here, there, *others = [
            await stack.enter_async_context(_client(one)) for one in (source, target, *rest)
        ]
        names = {one: (await command(one, "CLUSTER", "MYID")) for one in (here, there)}
        await command(there, "CLUSTER", "SETSLOT", slot, "IMPORTING", names[here])
        await command(here, "CLUSTER", "SETSLOT", slot, "MIGRATING", names[there])
        await use()
        moved = 0
        while keys := await command(here, "CLUSTER", "GETKEYSINSLOT", slot, 99):
            # The counter goes first: from then on scripts are sent to where the rest is not yet.
            key = min(keys, key=lambda key: not key.endswith(b":n"))
            await command(here, "MIGRATE", "127.0.0.1", target.port, "", 0, 60_000, "KEYS", key)
            moved += 1
            if moved % every == 1:
                await use()
        assert moved > 9
        await use()
        for one in (there, here, *others):
            await command(one, "CLUSTER", "SETSLOT", slot, "NODE", names[there])
