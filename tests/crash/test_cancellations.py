"""Cancelled calls behind a slow network: nobody is given another's reply."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from daybook.model.scope import Scope
from daybook.testing.broken_logs import LogDouble
from tests.crash.conftest import PROXIED
from tests.crash.doubles import open_with
from tests.servers.fault_proxy import Faults, fault_proxy
from tools.crash.engines.addresses import open_url, port_of, through
from tools.crash.engines.cancel_storm import storm_of_cancellations

OPERATIONS = {"redis": 480, "postgresql": 160, "mongodb": 160, "dynamodb": 48}
DELAY_S = 0.003


# pymongo 4.20 leaves the socket of a connection that is cancelled while it is made to be collected.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("engine", PROXIED)
async def test_no_reply_reaches_another(engine: str, url_of: Callable[[str], str]) -> None:
    url = url_of(engine)
    with fault_proxy(port_of(url)) as proxy:
        proxy.faults = Faults(latency_s=DELAY_S)
        async with open_url(url) as direct, open_url(through(proxy, url)) as book:
            operations = OPERATIONS[engine]
            tally = await storm_of_cancellations(engine, book, direct, operations=operations)
    gc.collect()
    assert tally.sound, tally.examples
    assert tally.faults >= OPERATIONS[engine] // 10


class OneBehind(LogDouble):
    """A connection is used again though nobody took its last reply: each gets the one before."""

    async def read(self, scope: Scope, session_id: str, **window: Any) -> Any:
        late: list[Any] = self.__dict__.setdefault("_late", [])
        reply = asyncio.ensure_future(self.inner.read(scope, session_id, **window))
        await asyncio.sleep(0.001)
        if late and late[-1].done():
            late.append(reply)
            return await late[-2]
        late.append(reply)
        return await reply


async def test_replies_of_others_are_convicted() -> None:
    async with open_with(OneBehind) as book:
        tally = await storm_of_cancellations("inmemory", book, book, operations=400)
    assert tally.defects
