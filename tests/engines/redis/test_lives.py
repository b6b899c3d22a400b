"""The server drops what expired too, well after its end, and nothing is forgotten over it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    entries,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.redis.opened import fresh_prefix, keys_of, opened, raw

_HOUR = timedelta(hours=1)
_MARGIN_S = 1800
ALICE = Scope("acme", "alice")


async def _lives(client: Redis, prefix: str) -> dict[str, int]:
    """Return the remaining seconds of each key of sessions and streams, -1 for no end."""
    found = await keys_of(client, prefix)
    return {
        short: await client.ttl(full)
        for short, full in found.items()
        if short.partition(":")[0] in ("s", "b", "m", "i")
    }


async def _marks(log: MessageLog) -> list[str]:
    return sorted(one.session_id for one in await log.pending(limit=99))


async def test_all_keys_of_a_session_end_together_a_margin_late(redis_url: str) -> None:
    """Also on a clock years from the server's; a session without a ttl has no end."""
    clock, prefix = FakeClock(), fresh_prefix()
    async with (
        opened(redis_url, clock=clock, prefix=prefix, expiry_margin_s=_MARGIN_S) as engine,
        raw(redis_url) as client,
    ):
        await start_session(engine.log, clock, "a", "b", ttl=_HOUR)
        lives = await _lives(client, prefix)
        assert len(lives) == 4
        promised = 3600 + _MARGIN_S
        assert all(promised - 60 < left <= promised for left in lives.values()), lives
        await engine.log.update_session(ALICE, "s", SessionChanges(ttl=10 * _HOUR))
        lives = await _lives(client, prefix)
        assert all(left > 9 * 3600 for left in lives.values()), lives
        await engine.log.update_session(ALICE, "s", SessionChanges(ttl=None))
        assert set((await _lives(client, prefix)).values()) == {-1}
        await engine.log.append(ALICE, "s", entries("c"))
        assert set((await _lives(client, prefix)).values()) == {-1}


async def test_what_a_fork_shares_is_left_to_the_sweep(redis_url: str) -> None:
    """The server does not know who refers to a stream; once nobody else does, it may end again."""
    clock, prefix = FakeClock(), fresh_prefix()
    async with (
        opened(redis_url, clock=clock, prefix=prefix) as engine,
        raw(redis_url) as client,
    ):
        log = engine.log
        await start_session(log, clock, "a", "b", ttl=_HOUR)
        await log.fork_session(ALICE, "s", make_session("f", clock, ttl=3 * _HOUR), at=1)
        await log.append(ALICE, "s", entries("c"))
        await log.append(ALICE, "f", entries("x"))
        assert set((await _lives(client, prefix)).values()) == {-1}
        clock.advance(2 * _HOUR)
        assert await log.sweep(clock.now()) == 1
        assert message_ids(await log.read(ALICE, "f")) == ["a", "x"]
        clock.advance(2 * _HOUR)
        assert await log.sweep(clock.now()) == 1
        assert await _lives(client, prefix) == {}

        await start_session(log, clock, "a", session_id="t", ttl=_HOUR)
        await log.fork_session(ALICE, "t", make_session("g", clock))
        await log.delete_session(ALICE, "g")
        await log.append(ALICE, "t", entries("b"))
        assert min((await _lives(client, prefix)).values()) > 0


async def test_a_stream_is_cut_to_what_forks_still_show(redis_url: str) -> None:
    """Bodies and ids of the messages that only the removed parent had are gone from the server."""
    clock, prefix = FakeClock(), fresh_prefix()
    names = [f"m{number}" for number in range(100)]
    async with (
        opened(redis_url, clock=clock, prefix=prefix) as engine,
        raw(redis_url) as client,
    ):
        log = engine.log
        await start_session(log, clock, *names)
        await log.fork_session(ALICE, "s", make_session("f", clock), at=10)
        await log.fork_session(ALICE, "s", make_session("g", clock), at=40)
        await log.delete_session(ALICE, "s")
        found = await keys_of(client, prefix)
        [stream] = [full for short, full in found.items() if short.startswith("m:")]
        [ids] = [full for short, full in found.items() if short.startswith("i:")]
        assert await client.llen(stream) == 40
        shards = await client.hgetall(ids)
        assert sum(len(shard) for name, shard in shards.items() if name != b"#") == 40 * 20
        await log.delete_session(ALICE, "g")
        assert await client.llen(stream) == 10
        assert await log.append(ALICE, "f", entries("m9"))
        assert message_ids(await log.read(ALICE, "f")) == names[:10]
        await log.clear(ALICE, "f")
        found = await keys_of(client, prefix)
        assert not [short for short in found if short[:2] in ("m:", "i:", "r:")]


async def test_what_the_server_dropped_is_marked_and_delisted_by_the_sweep(redis_url: str) -> None:
    clock, prefix = FakeClock(), fresh_prefix()
    async with (
        opened(redis_url, clock=clock, prefix=prefix) as engine,
        raw(redis_url) as client,
    ):
        log = engine.log
        await start_session(log, clock, "a", session_id="gone", ttl=_HOUR)
        await start_session(log, clock, "a", session_id="kept")
        await log.settle(await log.pending(limit=9))
        lives = await _lives(client, prefix)
        found = await keys_of(client, prefix)
        await client.delete(*(found[short] for short, left in lives.items() if left > 0))
        assert await log.get_session(ALICE, "gone") is None
        assert [one.id for one in (await log.list_sessions(ALICE, limit=9)).items] == ["kept"]
        assert await log.sweep(clock.now()) == 0
        clock.advance(_HOUR)
        assert await log.sweep(clock.now()) == 1
        assert await _marks(log) == ["gone"]
        [registry] = [full for short, full in found.items() if short.startswith("u:")]
        assert await client.zrange(registry, 0, -1) == [b"kept"]


async def test_a_dropped_session_made_anew_is_marked(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index may still show the old one's messages, so it must hear of the change."""
    monkeypatch.setattr("daybook.engines.redis.session_claims._PATIENCE_MS", 50)
    clock, prefix = FakeClock(), fresh_prefix()
    async with (
        opened(redis_url, clock=clock, prefix=prefix) as engine,
        raw(redis_url) as client,
    ):
        log = engine.log
        await start_session(log, clock, "a", ttl=_HOUR)
        before = await log.span(ALICE, "s")
        await log.settle(await log.pending(limit=9))
        lives = await _lives(client, prefix)
        found = await keys_of(client, prefix)
        await client.delete(*(found[short] for short in lives))
        await log.create_session(ALICE, make_session("s", clock))
        after = await log.span(ALICE, "s")
        assert await _marks(log) == ["s"]
        assert before is not None
        assert after is not None
        assert after.incarnation > before.incarnation
        clock.advance(_HOUR)
        assert await log.sweep(clock.now()) == 0


async def test_nothing_is_left_of_what_was_removed(redis_url: str) -> None:
    """After sessions and records are gone, so are their keys; counters and aliases' fences stay."""
    clock, prefix = FakeClock(), fresh_prefix()
    async with (
        opened(redis_url, clock=clock, prefix=prefix) as engine,
        raw(redis_url) as client,
    ):
        log = engine.log
        for number in range(20):
            user = f"user-{number}"
            scope = Scope("acme", user)
            ttl = _HOUR if number % 2 else None
            await start_session(log, clock, "a", scope=scope, session_id=f"s{number}", ttl=ttl)
            child = make_session(f"f{number}", clock, user=user, ttl=ttl)
            await log.fork_session(scope, f"s{number}", child)
            for _ in range(2):
                ends = clock.now() + _HOUR if ttl else None
                new = record("k", namespace=(user,), expires_at=ends)
                await engine.records.put(scope, [new])
        assert await _kinds(client, prefix) == set("n s b m i r l u x t p pm pq c o w h ow rt rx "
                                                   "alias".split())  # fmt: skip
        for number in range(0, 20, 2):
            await log.delete_session(Scope("acme"), f"s{number}")
            await log.delete_session(Scope("acme"), f"f{number}")
            await engine.records.delete(Scope("acme"), [((f"user-{number}",), "k")])
        clock.advance(_HOUR)
        await log.sweep(clock.now())
        await engine.records.sweep(clock.now())
        await log.settle(await log.pending(limit=99))
        assert await _kinds(client, prefix) <= {"n", "f"}
        assert await log.tenants() == await engine.records.tenants() == []


async def _kinds(client: Redis, prefix: str) -> set[str]:
    return {short.partition(":")[0] for short in await keys_of(client, prefix)}
