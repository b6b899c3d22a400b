"""Servers killed with SIGKILL under load and started again; the client goes on as it is."""

from __future__ import annotations

import asyncio
import time

from tests.servers.launch import Server
from tools.crash.engines.addresses import open_url
from tools.crash.engines.crew import Crew
from tools.crash.engines.crowd import judge_place
from tools.crash.engines.session_client import Mix
from tools.crash.tally import Tally

__all__ = ["RESUMES_S", "kill_under_load"]

RESUMES_S = 2.0
"""Writes are acknowledged again so soon after the server answers."""

_BETWEEN = 15  # batches acknowledged between kills
_LIMIT_S = 30.0
_MIX = Mix(clients=6, slot_s=1.0, forks=0.02, pause_s=0.002)


async def kill_under_load(
    engine: str, name: str, server: Server, url: str, *, cycles: int, most_s: float = RESUMES_S
) -> Tally:
    """Kill a server so many times; what clients saw over all of it is judged together.

    Args:
        engine: For the report.
        name: How the server keeps its data.
        server: One of our own.
        url: An address on it.
        cycles: How many kills.
        most_s: Writes must be acknowledged again so soon after the server answers.
    """
    tally = Tally(f"server killed, {name}", engine=engine)
    started = time.monotonic()
    slowest = 0.0
    async with open_url(url) as book:
        async with Crew(book, _MIX) as crew:
            for cycle in range(cycles):
                if await crew.until_acknowledged(_BETWEEN, _LIMIT_S) is None:
                    tally.add(f"cycle {cycle}", (), [f"no writes for {_LIMIT_S:g} s"])
                    break
                await asyncio.to_thread(server.kill)
                tally.kills += 1
                await asyncio.to_thread(server.start)
                resumed = await crew.until_acknowledged(1, _LIMIT_S)
                slowest = max(slowest, _LIMIT_S if resumed is None else resumed)
                if resumed is None or resumed > most_s:
                    tally.add(f"cycle {cycle}", (), [f"writes resumed after {resumed} s"])
        anomalies, wrong = await judge_place(book, crew.by_session())
    tally.calls, tally.operations = len(crew.calls), crew.acknowledged
    tally.add("all cycles", anomalies, wrong)
    tally.measures["writes resumed after, s, at most"] = round(slowest, 3)
    tally.seconds = time.monotonic() - started
    return tally
