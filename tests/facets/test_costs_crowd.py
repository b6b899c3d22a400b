"""However many tasks, clients and processes reserve at once, a cap is used up and never passed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from daybook.facets.costs import Costs
from daybook.model.identifiers import new_id
from daybook.model.memory_record import MemoryRecord, NewRecord
from daybook.model.message import Usage
from daybook.model.scope import Scope
from daybook.protocols.clock import SystemClock
from daybook.protocols.record_store import RecordStore
from daybook.registry import open_engine
from daybook.testing.broken_records import RecordDouble, VersionCheckedTooEarly
from tests.facets.cost_spender import ledger, spend

ROOT = Path(__file__).resolve().parents[2]


async def spent_by_a_crowd(records: RecordStore, clients: int) -> int:
    """Return what that many clients got under caps of 4,000 micro-dollars."""
    tenant = new_id()
    await ledger(records, tenant).set_cap(None, "0.004", period="total")
    crowd = [ledger(records, tenant) for _ in range(clients)]
    calls = await asyncio.gather(*(spend(costs, f"user-{n % 3}") for n, costs in enumerate(crowd)))
    return 100 * sum(calls)


@pytest.fixture(
    params=[
        "inmemory",
        "sqlite",
        "file",
        "redis_url",
        "redis_cluster_url",
        "postgres_url",
        "mongodb_url",
        "dynamodb_url",
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An engine of each kind; a server that is held up for a while is no failure here."""
    here = {"sqlite": f"sqlite:///{tmp_path}/a.db", "file": f"file:///{tmp_path}/a"}
    if request.param.endswith("_url"):
        base: str = request.getfixturevalue(request.param)
        return f"{base}{'&' if '?' in base else '?'}timeout_s=60"
    return here.get(request.param, "inmemory://")


async def test_clients_of_every_engine_spend_a_cap_to_the_end_and_no_further(url: str) -> None:
    engine = await open_engine(url, clock=SystemClock())
    # An emulator does one thing at a time, and MongoDB waits for its journal at each of them.
    clients = 4 if "dynamodb" in url else 8 if "mongodb" in url else 16
    assert await spent_by_a_crowd(engine.records, clients) == 4_000
    await engine.close()


async def test_a_store_that_checks_and_then_writes_is_convicted() -> None:
    """The control: the same crowd overshoots where the check and the write are two steps."""
    engine = await open_engine("inmemory://", clock=SystemClock())
    assert await spent_by_a_crowd(VersionCheckedTooEarly(engine.records), 16) > 4_000
    await engine.close()


async def test_tasks_of_one_client_share_its_writes() -> None:
    """Sixteen tasks at once are a few writes, not a crowd of losers."""
    engine = await open_engine("inmemory://", clock=SystemClock())
    writes = 0

    class Counted(RecordDouble):
        async def put(self, scope: Scope, records: Sequence[NewRecord]) -> list[MemoryRecord]:
            nonlocal writes
            writes += 1
            return await self.inner.put(scope, records)

    costs = ledger(Counted(engine.records))
    await asyncio.gather(*(costs.record("ann", "reply", Usage(1, 0), model="m") for _ in range(16)))
    assert (await costs.totals()).total.calls == 16
    assert writes <= 4
    await engine.close()


async def test_a_cancelled_caller_does_not_stop_the_others() -> None:
    engine = await open_engine("inmemory://", clock=SystemClock())
    costs = ledger(engine.records)
    calls = [
        asyncio.create_task(costs.record("ann", "reply", Usage(1, 0), model="m")) for _ in range(8)
    ]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in done] == [True, False] * 4
    assert 4 <= (await costs.totals("ann")).total.calls <= 8
    await engine.close()


def test_a_ledger_is_used_from_several_event_loops() -> None:
    engine = asyncio.run(open_engine("inmemory://", clock=SystemClock()))
    costs = ledger(engine.records)

    async def use(shared: Costs) -> int:
        await shared.record("ann", "reply", Usage(1, 0), model="m")
        return (await shared.totals("ann")).total.calls

    assert [asyncio.run(use(costs)) for _ in range(3)] == [1, 2, 3]


async def test_processes_and_tasks_together_never_pass_a_cap(tmp_path: Path) -> None:
    """Two processes of eight tasks beside sixteen tasks here, all on one cap."""
    url = f"sqlite:///{tmp_path}/a.db"
    engine = await open_engine(url, clock=SystemClock())
    await ledger(engine.records).set_cap(None, "0.004", period="total")
    command = [sys.executable, "-m", "tests.facets.cost_spender", url, "8"]
    children = [
        subprocess.Popen(  # noqa: ASYNC220 - starting one takes a moment, once
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert await asyncio.to_thread(child.stdout.readline) == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    costs = ledger(engine.records)
    here = await asyncio.gather(*(spend(costs, f"user-{task % 3}") for task in range(16)))
    there = []
    for child in children:
        out, _ = await asyncio.to_thread(child.communicate)
        there.append(int(out))
    assert 100 * (sum(here) + sum(there)) == 4_000
    await engine.close()
