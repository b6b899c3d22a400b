"""A process that spends from a capped ledger until it is refused, as several tasks at once.

    python -m tests.facets.cost_spender URL TASKS

Prints how many reservations it got. It begins when a line comes in.
"""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal

from daybook.errors import CostCapError
from daybook.facets.costs import Costs
from daybook.model.cost import Prices
from daybook.model.message import Usage
from daybook.protocols.clock import SystemClock
from daybook.protocols.record_store import RecordStore
from daybook.registry import open_engine

PRICES = Prices(input=Decimal(1), output=Decimal(1))


def ledger(records: RecordStore, tenant: str = "t") -> Costs:
    """Open the ledger with a price for every model."""
    return Costs(records, tenant=tenant, clock=SystemClock(), prices=lambda _: PRICES)


async def spend(costs: Costs, user_id: str) -> int:
    """Reserve and settle calls of 100 micro-dollars until one is refused; return how many."""
    calls = 0
    while True:
        try:
            held = await costs.reserve(user_id, "reply", "m", 50, 50)
        except CostCapError:
            return calls
        calls += 1
        if calls % 2:  # the others stay under way
            await costs.settle(held, Usage(50, 50))


async def _main(url: str, tasks: int) -> None:
    engine = await open_engine(url, clock=SystemClock())
    print("ready", flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.readline)
    costs = ledger(engine.records)
    calls = await asyncio.gather(*(spend(costs, f"user-{task % 3}") for task in range(tasks)))
    print(sum(calls), flush=True)  # noqa: T201
    await engine.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
