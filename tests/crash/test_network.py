"""Nine network faults: calls end in time, nothing acknowledged is lost, healing is enough."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from tests.servers.fault_proxy import fault_proxy
from tools.crash.engines.addresses import port_of
from tools.crash.engines.network import break_network

# Each engine meets a few here; `make torture` goes through all of them with every engine.
SAMPLE = [
    ("redis", "half-open"),
    ("postgresql", "lost replies"),
    ("mongodb", "partition"),
    ("dynamodb", "unanswered connections"),
]


# pymongo 4.20 leaves the socket of a connection that is cancelled while it is made to be collected.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(("engine", "fault"), SAMPLE)
async def test_the_network_breaks(engine: str, fault: str, url_of: Callable[[str], str]) -> None:
    url = url_of(engine)
    with fault_proxy(port_of(url)) as proxy:
        tally = await break_network(engine, fault, url, proxy, seconds=1.0)
    gc.collect()
    assert tally.sound, tally.examples
