"""What an append costs: one command, and bytes in proportion to its message."""

from __future__ import annotations

from redis.asyncio import Redis

from daybook.model.identifiers import new_id
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import entries, entry_of, make_session, start_session
from tests.engines.redis.opened import fresh_prefix, keys_of, opened, raw
from tests.servers.redis import redis_server

ALICE = Scope("acme", "alice")


async def _commands(client: Redis) -> dict[str, int]:
    found = await client.info("commandstats")
    return {name.removeprefix("cmdstat_"): one["calls"] for name, one in found.items()}


async def test_a_call_is_one_round_trip() -> None:
    """Append, with and without its user; read; many places; a session of a generated id."""
    clock = FakeClock()
    with redis_server() as server:
        async with opened(server.url, clock=clock) as engine, raw(server.url) as client:
            log = engine.log
            await start_session(log, clock, "warm")
            await log.read(Scope("acme"), "s")
            await log.read_at(ALICE, [("s", 1, 1)])
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
                await client.config_resetstat()
                await call()
                assert (await _commands(client))["evalsha"] == 1


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
