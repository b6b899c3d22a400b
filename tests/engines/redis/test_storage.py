"""What an append costs: one command, and bytes in proportion to its message, in one slot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

from redis.asyncio import Redis
from redis.crc import key_slot

from daybook.engines.redis import RedisEngine
from daybook.engines.redis.buckets import bucket_of_user, natural_bucket
from daybook.model.identifiers import new_id
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    entries,
    entry_of,
    make_session,
    record,
    start_session,
)
from tests.engines.redis.opened import command, fresh_prefix, keys_of, opened, raw
from tests.servers.redis import redis_server

ALICE = Scope("acme", "alice")


async def _sent(client: Redis, call: Callable[[], Awaitable[object]]) -> list[str]:
    """Return the commands that a server gets during a call, without those that scripts run."""
    sent: list[str] = []
    async with client.monitor() as monitor:
        await call()
        async with raw(f"redis://127.0.0.1:{_port(client)}") as other:
            await other.echo("the end")
        while (seen := await monitor.next_command())["command"] != "ECHO the end":
            if seen["client_type"] != "lua":
                sent.append(seen["command"].partition(" ")[0])
    return [one for one in sent if one not in ("CLIENT", "HELLO", "SELECT")]  # of `other`


def _port(client: Redis) -> int:
    return int(client.connection_pool.connection_kwargs["port"])


async def test_a_call_is_one_round_trip() -> None:
    """Append, with and without its user; read; many places; a session of a generated id."""
    clock = FakeClock()
    with redis_server() as server:
        async with opened(server.url, clock=clock) as engine, raw(server.url) as client:
            log = engine.log
            await start_session(log, clock, "warm")
            await log.read(Scope("acme"), "s")
            await log.read_at(ALICE, [("s", 1, 1)])
            await log.get_session(ALICE, "s")
            name = "000000-0190c3f2-0000-7000-8000-000000000000"
            for call in (
                lambda: log.append(ALICE, "s", entries(new_id())),
                lambda: log.append(ALICE, "s", entries(*(new_id() for _ in range(50)))),
                lambda: log.append(Scope("acme"), "s", entries(new_id())),
                lambda: log.read(ALICE, "s", newest_first=True, limit=20),
                lambda: log.read_at(ALICE, [("s", 1, 2), ("none", 1, 1), ("s", 5, 9)]),
                lambda: log.append(ALICE, "s", entries(new_id()), create=make_session("s", clock)),
                lambda: log.get_session(ALICE, name),
            ):
                assert await _sent(client, call) == ["EVALSHA"]


async def test_some_calls_are_more_as_the_page_says() -> None:
    """A change, a fork; what an id needs that says nothing of its user."""
    clock, changes = FakeClock(), SessionChanges(title="new")
    home = bucket_of_user("acme", "alice")
    own = next(n for n in map("chat-{}".format, range(99)) if natural_bucket("acme", n) != home)
    first, second = (f"{home:02x}0000-0190c3f2-0000-7000-8000-00000000000{n}" for n in (1, 2))

    def calls(engine: RedisEngine) -> Iterator[tuple[int, Callable[[], Awaitable[object]]]]:
        log = engine.log
        yield 1, lambda: log.create_session(ALICE, make_session(first, clock))
        yield 1, lambda: log.append(ALICE, first, entries("a"))
        yield 2, lambda: log.update_session(ALICE, first, changes)
        yield 2, lambda: log.fork_session(ALICE, first, make_session(second, clock))
        yield 1, lambda: log.delete_session(ALICE, first)
        yield 3, lambda: log.create_session(ALICE, make_session(own, clock))
        yield 2, lambda: log.get_session(Scope("acme"), own)
        yield 1, lambda: log.get_session(Scope("acme"), own)
        yield 2, lambda: log.delete_session(ALICE, own)
        yield 1, lambda: log.list_sessions(Scope("acme"), limit=9)
        yield 1, lambda: engine.records.put(ALICE, [record("k")])

    with redis_server() as server:
        async with opened(server.url, clock=clock) as engine:
            for _, call in calls(engine):
                await call()  # the server learns the scripts
        async with opened(server.url, clock=clock) as engine, raw(server.url) as client:
            await engine.log.tenants()  # a connection is there
            for expected, call in calls(engine):
                assert await _sent(client, call) == ["EVALSHA"] * expected


async def _slots(client: Redis, prefix: str) -> dict[int, set[str]]:
    """Return the kinds of keys under a prefix by the slot they are in."""
    found: dict[int, set[str]] = {}
    for key in await command(client, "KEYS", f"{prefix}:*"):
        kind = key.split(b"}:", 1)[1].partition(b":")[0].decode()
        found.setdefault(key_slot(key), set()).add(kind)
    return found


async def test_all_keys_of_a_user_are_in_one_slot(redis_url: str) -> None:
    """Whatever braces their names hold; another user's are elsewhere."""
    clock, prefix = FakeClock(), fresh_prefix()
    async with (
        opened(redis_url, clock=clock, prefix=prefix) as engine,
        raw(redis_url) as client,
    ):
        for number, user in enumerate(("{00}alice{ff}", "bob"), start=1):
            scope, tag = Scope("{aa}", user), f"{bucket_of_user('{aa}', user):02x}0000"
            name = f"{tag}-{{bb}}"
            new = make_session(name, clock, user=user, ttl=timedelta(hours=1))
            await engine.log.append(scope, name, entries("a"), create=new)
            child = make_session(f"{tag}-{{cc}}", clock, user=user)
            await engine.log.fork_session(scope, name, child)
            for _ in range(2):
                await engine.records.put(scope, [record("{dd}", namespace=(user,))])
            found = await _slots(client, prefix)
            assert len(found) == number
            kinds = "n s b m i r l u x t p pm pq c o w h ow rt"
            assert all(one == set(kinds.split()) for one in found.values()), found


async def test_a_message_takes_little_more_than_its_json() -> None:
    """At most 1.3 times as much, lists and the knowledge of ids included."""
    clock, prefix, count = FakeClock(), fresh_prefix(), 4000
    with redis_server() as server:
        async with (
            opened(server.url, clock=clock, prefix=prefix) as engine,
            raw(server.url) as client,
        ):
            await start_session(engine.log, clock)
            size = 0
            for start in range(0, count, 100):
                text = [f"{number:010} {'lorem ipsum ' * 16}"[:200] for number in range(100)]
                batch = [
                    entry_of(Message.user(one, id=new_id(), created_at=clock.now())) for one in text
                ]
                size += sum(len(one.body) for one in batch)
                await engine.log.append(ALICE, "s", batch)
                assert start >= 0
            found = await keys_of(client, prefix)
            used = [await client.memory_usage(full, samples=0) or 0 for full in found.values()]
            assert sum(used) <= 1.3 * size, sum(used) / size


async def test_known_ids_are_found_however_many_there_are(redis_url: str) -> None:
    """Every shard was split several times; each id has its number, others are new."""
    clock, count = FakeClock(), 1500
    names = [new_id() for _ in range(count)]
    async with opened(redis_url, clock=clock) as engine:
        await start_session(engine.log, clock)
        for start in range(0, count, 7):
            await engine.log.append(ALICE, "s", entries(*names[start : start + 7]))
        for number in range(0, count, 11):
            found = await engine.log.append(ALICE, "s", entries(names[number]))
            assert found is not None
            assert (found.first_seq, found.duplicates) == (number + 1, 1)
        found = await engine.log.append(ALICE, "s", entries(*reversed(names), "new"))
        assert found is not None
        assert (found.last_seq, found.duplicates) == (count + 1, count)


async def test_a_long_read_is_cut_into_calls_and_put_together(redis_url: str) -> None:
    """Ten messages of a megabyte: several replies, one answer, both ways."""
    clock = FakeClock()
    async with opened(redis_url, clock=clock) as engine:
        await start_session(engine.log, clock)
        for number in range(10):
            big = entry_of(Message.user("x" * 1_000_000, id=f"m{number}"))
            await engine.log.append(ALICE, "s", [big])
        for newest in (False, True):
            found = await engine.log.read(ALICE, "s", newest_first=newest)
            order = [one.seq for one in found]
            assert order == sorted(range(1, 11), reverse=newest)
        found = await engine.log.read(ALICE, "s", after=1, limit=7)
        assert [one.seq for one in found] == list(range(2, 9))
        places = [("s", 1, 9), ("s", 10, 10), ("s", 3, 4)]
        shown = await engine.log.read_at(ALICE, places)
        assert [[one.seq for one in some] for some in shown] == [[*range(1, 10)], [10], [3, 4]]
