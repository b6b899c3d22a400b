"""What the engine says of itself is what the server's settings allow."""

from __future__ import annotations

import pytest

from tests.engines.redis.opened import command, opened, raw
from tests.servers.redis import redis_server


async def test_without_an_append_only_file_it_is_volatile() -> None:
    with redis_server() as server:
        async with opened(server.url) as engine:
            said = engine.capabilities
            assert said.ack == "volatile"
            assert "appendonly" in said.warnings[0]


@pytest.mark.parametrize(
    ("fsync", "word"), [("always", "power loss"), ("everysec", "second"), ("no", "30 seconds")]
)
async def test_with_one_it_is_durable_and_says_what_that_means(fsync: str, word: str) -> None:
    with redis_server(appendonly=True, appendfsync=fsync) as server:
        async with opened(server.url) as engine:
            said = engine.capabilities
            assert (said.ack, said.warnings) == ("durable", ())
            assert word in said.durability
            assert "failover" not in said.durability
            assert engine.log.capabilities is engine.records.capabilities is said


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_evicts_is_volatile_and_warned_of(policy: str) -> None:
    settings = {"maxmemory": "100mb", "maxmemory-policy": policy}
    with redis_server(appendonly=True, settings=settings) as server:
        async with opened(server.url) as engine:
            assert engine.capabilities.ack == "volatile"
            assert "noeviction" in engine.capabilities.warnings[0]


@pytest.mark.parametrize(
    ("most", "policy"), [("100mb", "noeviction"), ("0", "allkeys-lru")], ids=str
)
async def test_a_server_that_never_evicts_is_not_warned_of(most: str, policy: str) -> None:
    """It refuses writes when full, or its memory has no bound."""
    settings = {"maxmemory": most, "maxmemory-policy": policy}
    with redis_server(appendonly=True, settings=settings) as server:
        async with opened(server.url) as engine:
            assert (engine.capabilities.ack, engine.capabilities.warnings) == ("durable", ())


async def test_a_user_without_config_gets_a_warning_and_still_works() -> None:
    with redis_server(appendonly=True) as server:
        async with raw(server.url) as client:
            await command(
                client,
                "ACL",
                "SETUSER",
                "app",
                "on",
                ">pw",
                "~daybook:*",
                "~test-*",
                "+@all",
                "-config",
            )
        async with opened(server.url.replace("//", "//app:pw@")) as engine:
            said = engine.capabilities
            assert said.ack == "durable"
            assert "appendfsync" in said.warnings[0]
            assert await engine.log.tenants() == []


async def test_settings_that_are_all_hidden_are_not_taken_for_good_ones() -> None:
    with redis_server(appendonly=True) as server:
        async with raw(server.url) as client:
            await command(
                client, "ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "-config", "-info"
            )
        async with opened(server.url.replace("//", "//app:pw@")) as engine:
            assert engine.capabilities.ack == "volatile"
            assert engine.capabilities.warnings
