"""Stores in folders of a test, and a look at what lies in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from daybook.engines.file import FileEngine
from daybook.testing.fake_clock import FakeClock

__all__ = ["engine_at", "holding", "only_session", "sessions_in"]


@asynccontextmanager
async def engine_at(
    root: Path, clock: FakeClock | None = None, *, lock_timeout_s: float = 30.0
) -> AsyncIterator[FileEngine]:
    """Open a store for as long as the block runs."""
    now = clock or FakeClock()
    engine = await asyncio.to_thread(
        lambda: FileEngine(root, clock=now, lock_timeout_s=lock_timeout_s)
    )
    try:
        yield engine
    finally:
        await engine.close()


def sessions_in(root: Path) -> list[Path]:
    """Return the files of all sessions."""
    return sorted(root.glob("tenants/*/sessions/*/*.log"))


def only_session(root: Path) -> Path:
    """Return the file of the only session."""
    [found] = sessions_in(root)
    return found


def holding(root: Path, text: str) -> Iterator[Path]:
    """Give every file below a folder that holds a text."""
    wanted = text.encode()
    return (path for path in root.rglob("*") if path.is_file() and wanted in path.read_bytes())
