"""Every engine with real servers and real processes, for long. `make torture` runs these."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from daybook.protocols.clock import SystemClock
from daybook.registry import open_engine
from daybook.testing.fake_clock import FakeClock
from tests.crash.conftest import ENGINES, PROXIED, url_of
from tests.servers.fault_proxy import Faults, fault_proxy
from tests.servers.launch import Server
from tests.servers.mongodb import mongodb_server
from tests.servers.postgres import postgres_server
from tests.servers.redis import redis_server
from tests.torture.conftest import Judged
from tools.crash.engines.addresses import (
    fresh_url,
    open_indexed,
    open_url,
    port_of,
    through,
    with_options,
)
from tools.crash.engines.cancel_storm import storm_of_cancellations
from tools.crash.engines.clocks import LateClock, jump_clocks
from tools.crash.engines.crowd import contend_as_tasks, contend_over_sessions
from tools.crash.engines.deliveries import deliver_through, deliver_to, deliver_to_processes
from tools.crash.engines.growth import live_through
from tools.crash.engines.isolation import isolate
from tools.crash.engines.isolation_mutants import MUTANTS, Forgotten, with_mutant
from tools.crash.engines.network import FAULTS, break_network
from tools.crash.engines.restarts import kill_under_load
from tools.crash.engines.session_client import Mix
from tools.crash.engines.sizes import size_of
from tools.crash.zygote import Zygote

__all__ = ["url_of"]

pytestmark = [
    pytest.mark.torture,
    pytest.mark.timeout(600),
    # pymongo 4.20 leaves the socket of a connection that is cancelled while it is made to be
    # collected.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

Url = Callable[[str], str]
CROWD = Mix(clients=16, forks=0.01, slot_s=1.0)
CROWD_S = 25.0


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_crowds(engine: str, url_of: Url, tmp_path: Path, zygote: Zygote, judged: Judged) -> None:
    url = url_of(engine)
    if engine == "dynamodb":
        url = with_options(url, timeout_s=60)  # one emulator of one thread for eight processes
    judged(
        contend_over_sessions(
            zygote, engine, url, tmp_path, processes=8, seconds=CROWD_S, mix=CROWD
        )
    )


async def test_crowd_in_memory(judged: Judged) -> None:
    async with open_url("inmemory://") as book:
        judged(await contend_as_tasks("inmemory", book, seconds=5.0, mix=CROWD))


# Altogether 10,000; a driver needs up to half a second to trust its server again.
WRITES = {"redis": 2_200, "postgresql": 250, "mongodb": 150, "dynamodb": 100}


@pytest.mark.parametrize("engine", PROXIED)
async def test_lost_replies(engine: str, url_of: Url, judged: Judged) -> None:
    url = url_of(engine)
    with fault_proxy(port_of(url)) as proxy:
        judged(await deliver_through(engine, url, proxy, writes=WRITES[engine]))


@pytest.mark.parametrize(("engine", "writes"), [("sqlite", 2_700), ("file", 1_600)])
def test_killed_before_the_reply(
    engine: str, writes: int, url_of: Url, zygote: Zygote, judged: Judged
) -> None:
    judged(deliver_to_processes(zygote, engine, url_of(engine), writes=writes))


async def test_repeated_in_memory(judged: Judged) -> None:
    async with open_url("inmemory://") as book:
        judged(await deliver_to("inmemory", book, writes=3_000))


@contextmanager
def _redis(appendfsync: str) -> Iterator[Server]:
    with redis_server(appendonly=True, appendfsync=appendfsync) as server:
        yield server


SERVERS: dict[str, tuple[Callable[[], AbstractContextManager[Server]], int]] = {
    "redis, always": (partial(_redis, "always"), 30),
    "redis, everysec": (partial(_redis, "everysec"), 30),
    "postgresql": (postgres_server, 20),
    "mongodb": (mongodb_server, 10),
}


@pytest.mark.parametrize("name", SERVERS)
async def test_servers_killed(name: str, judged: Judged) -> None:
    start, cycles = SERVERS[name]
    engine, _, how = name.partition(", ")
    with start() as server:
        url = fresh_url(server.url)
        judged(await kill_under_load(engine, how or "durable", server, url, cycles=cycles))


async def test_redis_without_a_file_is_convicted(judged: Judged) -> None:
    with redis_server() as server:
        url = fresh_url(server.url)
        judged(await kill_under_load("redis", "memory only", server, url, cycles=3))


async def test_postgresql_that_commits_late_is_convicted(judged: Judged) -> None:
    late = {"wal_writer_delay": "10s"}
    with postgres_server(synchronous_commit="off", settings=late) as server:
        url = fresh_url(server.url)
        async with open_url(url) as book:
            assert book.capabilities.ack == "volatile"
        judged(await kill_under_load("postgresql", "commits late", server, url, cycles=1))


@pytest.mark.parametrize("engine", PROXIED)
@pytest.mark.parametrize("fault", FAULTS)
async def test_network_faults(engine: str, fault: str, url_of: Url, judged: Judged) -> None:
    url = url_of(engine)
    with fault_proxy(port_of(url)) as proxy:
        tally = await break_network(engine, fault, url, proxy, seconds=2.0)
    gc.collect()
    judged(tally)


STORM = {"redis": 12_000, "postgresql": 4_000, "mongodb": 3_500, "dynamodb": 500}


@pytest.mark.parametrize("engine", PROXIED)
async def test_cancelled_calls(engine: str, url_of: Url, judged: Judged) -> None:
    url = url_of(engine)
    with fault_proxy(port_of(url)) as proxy:
        proxy.faults = Faults(latency_s=0.003)
        async with open_url(url) as direct, open_url(through(proxy, url)) as book:
            tally = await storm_of_cancellations(engine, book, direct, operations=STORM[engine])
    gc.collect()
    judged(tally)


@pytest.mark.parametrize("engine", ENGINES[1:])
async def test_clocks_jump(engine: str, url_of: Url, judged: Judged) -> None:
    url, clock = url_of(engine), FakeClock()
    async with AsyncExitStack() as stack:
        books = [
            await stack.enter_async_context(open_url(url, clock=one))
            for one in (clock, LateClock(clock))
        ]
        judged(await jump_clocks(engine, books, clock))


PER_DAY = {"sqlite": 20, "file": 8, "redis": 8, "postgresql": 8}


@pytest.mark.parametrize("engine", ENGINES[1:])
async def test_thirty_days(engine: str, url_of: Url, judged: Judged) -> None:
    url, clock = url_of(engine), FakeClock()
    per_day = PER_DAY.get(engine, 4)
    if engine == "dynamodb":
        url = with_options(url, timeout_s=60)
    async with open_indexed(url, clock) as book:
        judged(
            await live_through(engine, book, clock, lambda: size_of(url), days=30, per_day=per_day)
        )


@pytest.mark.parametrize("engine", ENGINES)
async def test_isolation(engine: str, url_of: Url, judged: Judged) -> None:
    opened = await open_engine(url_of(engine), clock=SystemClock())
    # Its emulator takes ten milliseconds for a call: two of the six callers there.
    callers = 2 if engine == "dynamodb" else None
    judged(await isolate(engine, opened, callers=callers))


@pytest.mark.parametrize(("store", "method", "forgotten"), MUTANTS)
async def test_a_forgotten_predicate_is_convicted(
    store: str, method: str, forgotten: Forgotten, judged: Judged
) -> None:
    sound = await open_engine("inmemory://", clock=SystemClock())
    opened = with_mutant(sound, store, method, forgotten)
    tally = await isolate("inmemory", opened, first_only=True)
    tally.check = f"isolation, {store}.{method} forgets the {forgotten}"
    judged(tally)
