"""A server that is gone, frozen, full or restarted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from daybook.engines.redis import open_engine
from daybook.errors import (
    ConfigError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
)
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.protocols.clock import SystemClock
from daybook.protocols.message_log import MessageLog
from daybook.registry import parse_url
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    entries,
    entry_of,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.redis.opened import command, impatient, opened, raw
from tests.servers.fault_proxy import Cut, Faults, fault_proxy
from tests.servers.launch import wait_until
from tests.servers.redis import ask, redis_server

ALICE = Scope("acme", "alice")


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with redis_server() as server:
        url = server.url
    with pytest.raises(StoreUnavailableError) as caught:
        await open_engine(parse_url(url), clock=SystemClock())
    assert (caught.value.engine, caught.value.retryable) == ("redis", True)


async def test_a_wrong_password_is_a_config_error() -> None:
    with redis_server() as server:
        await _command(server.url, "CONFIG", "SET", "requirepass", "right")
        with pytest.raises(ConfigError) as caught:
            await open_engine(
                parse_url(server.url.replace("//", "//:wrong-one@")), clock=SystemClock()
            )
        assert "wrong-one" not in str(caught.value)
        async with opened(server.url.replace("//", "//:right@")) as engine:
            assert await engine.log.tenants() == []


async def test_after_a_crash_the_same_engine_goes_on_and_has_lost_nothing() -> None:
    clock = FakeClock()
    # With `everysec` the server holds writes back while it flushes, and a kill takes those along.
    with redis_server(appendonly=True, appendfsync="always") as server:
        async with opened(server.url, clock=clock) as engine:
            await engine.log.create_session(ALICE, make_session("s", clock))
            kept: list[str] = []
            for round_ in range(5):
                for number in range(20):
                    name = f"{round_}.{number}"
                    await engine.log.append(ALICE, "s", entries(name))
                    kept.append(name)
                server.kill()
                with pytest.raises(StoreUnavailableError):
                    await engine.log.append(ALICE, "s", entries("lost"))
                server.restart()
                assert message_ids(await engine.log.read(ALICE, "s")) == kept


async def test_a_frozen_server_ends_every_call_in_time() -> None:
    clock = FakeClock()
    with redis_server() as server:
        async with opened(server.url, clock=clock) as engine:
            await start_session(engine.log, clock, "a")
            with server.stop_cont(), impatient(engine, 0.3):
                calls = (
                    engine.log.append(ALICE, "s", entries("b")),
                    engine.log.read(ALICE, "s"),
                    engine.log.pending(limit=9),
                    engine.records.put(ALICE, [record("k")]),
                    engine.records.list(ALICE, (), limit=9),
                )
                async with asyncio.timeout(60):
                    found = await asyncio.gather(*calls, return_exceptions=True)
                assert [type(one) for one in found] == [StoreTimeoutError] * len(calls)
            await engine.log.append(ALICE, "s", entries("b"))
            assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b"]


async def test_a_lost_reply_is_no_lost_message() -> None:
    """The server did it and nobody heard: an error, and the repeated call finds it done."""
    clock = FakeClock()
    with redis_server() as server, fault_proxy(server.port) as proxy:
        async with opened(proxy.url(server.url), clock=clock) as engine:
            await start_session(engine.log, clock, "a")
            proxy.faults = Faults(cut=Cut(request_contains=b"EVALSHA", times=1))
            with pytest.raises(StoreUnavailableError):
                await engine.log.append(ALICE, "s", entries("b"))
            again = await engine.log.append(ALICE, "s", entries("b"))
            assert again is not None
            assert (again.first_seq, again.duplicates) == (2, 1)
            assert proxy.cuts == 1


@pytest.mark.parametrize(
    "faults",
    [
        Faults(silent=True),
        Faults(refuse=True),
        Faults(bytes_per_second=20),
        Faults(cut=Cut(after_bytes=3)),
        Faults(cut=Cut(after_bytes=3, reset=False)),
    ],
)
async def test_a_broken_network_is_a_typed_error_and_heals(faults: Faults) -> None:
    clock = FakeClock()
    with redis_server() as server, fault_proxy(server.port) as proxy:
        async with opened(proxy.url(server.url), clock=clock) as engine:
            await start_session(engine.log, clock, "a")
            await engine.log.read(ALICE, "s")  # the server knows the script, so calls are short
            proxy.faults = faults
            proxy.reset_all()
            with impatient(engine, 0.5):
                for _ in range(3):
                    with pytest.raises((StoreUnavailableError, StoreTimeoutError)):
                        await engine.log.read(ALICE, "s")
            proxy.faults = Faults(slice_bytes=1)
            proxy.reset_all()
            assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]


async def test_a_full_server_refuses_whole_batches_and_still_deletes() -> None:
    clock = FakeClock()
    settings = {"maxmemory": "12mb", "maxmemory-policy": "noeviction"}
    with redis_server(settings=settings) as server:
        async with opened(server.url, clock=clock) as engine:
            await start_session(engine.log, clock, session_id="old", ttl=timedelta(hours=1))
            await start_session(engine.log, clock, session_id="s")
            stored = await _fill(engine.log, 50_000, 3) + await _fill(engine.log, 500, 1)
            found = await engine.log.get_session(ALICE, "s")
            assert found is not None
            assert (found.last_seq, found.message_count) == (stored, stored)
            # How much a server takes up moves by some kilobytes: make sure that it is too much.
            await _command(server.url, "CONFIG", "SET", "maxmemory", "4mb")
            with pytest.raises(StoreFullError):
                await engine.log.create_session(ALICE, make_session("t", clock))
            with pytest.raises(StoreFullError):
                await engine.records.put(ALICE, [record("k")])
            clock.advance(timedelta(hours=1))
            assert await engine.log.sweep(clock.now()) == 1
            assert await engine.log.delete_session(ALICE, "s") is True
            assert {one.session_id for one in await engine.log.pending(limit=9)} == {"old", "s"}
            wait_until(lambda: _used_memory(server.port) < 4_000_000, "what was deleted is freed")
            await engine.log.create_session(ALICE, make_session("t", clock))


async def test_a_replica_is_not_written_to() -> None:
    with redis_server() as server, redis_server() as other:
        await _command(other.url, "REPLICAOF", "127.0.0.1", str(server.port))
        async with opened(other.url) as engine:
            with pytest.raises(StoreUnavailableError):
                await engine.log.create_session(ALICE, make_session("s", SystemClock()))


async def _command(url: str, *words: str) -> None:
    async with raw(url) as client:
        await command(client, *words)


def _used_memory(port: int) -> int:
    lines = ask(port, "INFO", "memory").decode().splitlines()
    [used] = [line for line in lines if line.startswith("used_memory:")]
    return int(used.partition(":")[2])


async def _fill(log: MessageLog, size: int, parts: int) -> int:
    """Append batches until the server is full; return how many messages it took."""
    for number in range(100_000):
        batch = [
            entry_of(Message.user("x" * size, id=f"{size}.{number}.{part}"))
            for part in range(parts)
        ]
        try:
            await log.append(ALICE, "s", batch)
        except StoreFullError:
            return number * parts
    raise AssertionError("the server is never full")
