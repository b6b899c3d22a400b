"""Writes delivered one to five times, their replies lost: stored once, other bodies refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daybook.testing.broken_logs import ConflictIgnored, DuplicateOnRetry, LogDouble
from tests.crash.conftest import PROXIED
from tests.crash.doubles import open_with
from tests.servers.fault_proxy import fault_proxy
from tools.crash.engines.addresses import open_url, port_of
from tools.crash.engines.deliveries import deliver_through, deliver_to, deliver_to_processes
from tools.crash.zygote import Zygote

# How many writes each has time for: a driver needs up to half a second to trust its server again.
WRITES = {"redis": 60, "postgresql": 10, "mongodb": 6, "dynamodb": 6}


@pytest.mark.parametrize("engine", PROXIED)
async def test_lost_replies(engine: str, url_of: Callable[[str], str]) -> None:
    url = url_of(engine)
    with fault_proxy(port_of(url)) as proxy:
        tally = await deliver_through(engine, url, proxy, writes=WRITES[engine])
    assert tally.sound, tally.examples
    assert tally.faults >= WRITES[engine] // 3


async def test_repeated_in_memory() -> None:
    async with open_url("inmemory://") as book:
        tally = await deliver_to("inmemory", book, writes=300)
    assert tally.sound, tally.examples


@pytest.mark.parametrize("double", [DuplicateOnRetry, ConflictIgnored])
async def test_a_log_that_forgets_what_it_stored_is_convicted(double: type[LogDouble]) -> None:
    async with open_with(double) as book:
        tally = await deliver_to("inmemory", book, writes=100)
    assert tally.defects


@pytest.mark.parametrize("engine", ["sqlite", "file"])
def test_killed_before_the_reply(engine: str, url_of: Callable[[str], str], zygote: Zygote) -> None:
    tally = deliver_to_processes(zygote, engine, url_of(engine), writes=100)
    assert tally.sound, tally.examples
    assert tally.kills >= 2
