"""The table of engines in docs/engines.md, made from what opened engines declare.

    python -m tools.engine_table    # starts the servers it needs and rewrites the table

The servers run with the settings that the page recommends. A test fails if the table is stale.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import SystemClock
from daybook.registry import open_engine
from tests.servers.dynamodb import dynamodb_server
from tests.servers.mongodb import mongodb_server
from tests.servers.postgres import postgres_server
from tests.servers.redis import redis_server

__all__ = ["PAGE", "declared", "render", "replaced"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engines.md"
_BEGIN = "<!-- table: made by tools/engine_table.py -->\n"
_END = "<!-- end of table -->\n"
_COLUMNS = (
    "engine",
    "receipts say",
    "durability",
    "written whole or not at all",
    "order",
    "end of life",
    "processes",
    "records of several owners",
    "limits",
)


@contextmanager
def _urls() -> Iterator[list[str]]:
    """Start what is needed and give every engine's URL."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        redis = stack.enter_context(redis_server(appendonly=True, appendfsync="everysec"))
        postgres = stack.enter_context(postgres_server(fsync=True, synchronous_commit="on"))
        mongodb = stack.enter_context(mongodb_server())
        dynamodb = stack.enter_context(dynamodb_server())
        yield [
            f"sqlite:///{folder}/book.db",
            f"file:///{folder}/book",
            postgres.url,
            redis.url,
            mongodb.url,
            dynamodb.url,
            "inmemory://",
        ]


async def _declared(urls: Sequence[str]) -> list[EngineCapabilities]:
    found = []
    for url in urls:
        engine = await open_engine(url, clock=SystemClock())
        found.append(engine.capabilities)
        await engine.close()
    return found


def declared() -> list[EngineCapabilities]:
    """Open every engine once and return what each declares."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ.setdefault(name, "test")  # the emulator takes any
    with _urls() as urls:
        return asyncio.run(_declared(urls))


def render(engines: Sequence[EngineCapabilities]) -> str:
    """Return a Markdown table, an engine in each row."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    for one in engines:
        several = "all or nothing" if one.atomic_across_owners else "all or nothing for each owner"
        if one.max_atomic_records is not None:
            several += f", at most {one.max_atomic_records:,}"
        limits = f"messages of {one.max_message_bytes / 1e6:g} MB"
        cells = [
            f"`{one.engine}`",
            one.ack,
            one.durability,
            one.atomicity,
            one.order,
            one.expiry,
            "several" if one.several_processes else "one",
            several,
            f"{limits}; {one.limits}" if one.limits else limits,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def replaced(page: str, table: str) -> str:
    """Return a page with its table replaced."""
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n{table}\n{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), render(declared())), "utf-8")
