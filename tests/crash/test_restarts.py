"""Servers killed under load: nothing acknowledged is lost, writes go on by themselves."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.servers.mongodb import mongodb_server
from tests.servers.postgres import postgres_server
from tests.servers.redis import redis_server
from tools.crash.engines.addresses import fresh_url, open_url
from tools.crash.engines.restarts import kill_under_load

# The long leg asks for two seconds of a server that shares its machine with nothing else; here it
# is enough that no client waits until a call's ten seconds are over.
RESUMES_S = 8.0


@pytest.mark.parametrize("appendfsync", ["always", "everysec"])
async def test_redis(appendfsync: str, quick_folder: Path) -> None:
    # While a slow disk syncs, ``everysec`` answers before it writes: in memory no sync is slow.
    place = {"dir": str(quick_folder)}
    with redis_server(appendonly=True, appendfsync=appendfsync, settings=place) as server:
        url = fresh_url(server.url)
        tally = await kill_under_load("redis", appendfsync, server, url, cycles=2, most_s=RESUMES_S)
    assert tally.sound, tally.examples
    assert tally.kills == 2


async def test_postgresql() -> None:
    with postgres_server() as server:
        url = fresh_url(server.url)
        tally = await kill_under_load("postgresql", "on", server, url, cycles=1, most_s=RESUMES_S)
    assert tally.sound, tally.examples


# pymongo 4.20 leaves the socket of a connection that is cancelled while it is made to be collected.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_mongodb() -> None:
    with mongodb_server() as server:
        url = fresh_url(server.url)
        tally = await kill_under_load(
            "mongodb", "journaled", server, url, cycles=1, most_s=RESUMES_S
        )
    gc.collect()
    assert tally.sound, tally.examples


async def test_redis_that_keeps_nothing_is_convicted_and_says_so() -> None:
    with redis_server() as server:
        url = fresh_url(server.url)
        tally = await kill_under_load("redis", "memory only", server, url, cycles=1)
        async with open_url(url) as book:
            assert book.capabilities.ack == "volatile"
    assert tally.anomalies["lost"]
