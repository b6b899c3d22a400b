"""The in-memory engine: its stores, opened and closed together."""

from __future__ import annotations

from daybook.engines.inmemory.capabilities import INMEMORY
from daybook.engines.inmemory.message_log import InMemoryMessageLog
from daybook.engines.inmemory.record_store import InMemoryRecordStore
from daybook.engines.inmemory.search_index import InMemorySearchIndex
from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.registry import EngineUrl

__all__ = ["InMemoryEngine", "open_engine"]


class InMemoryEngine:
    """Log, records and index in this process only; they end with it.

    Attributes:
        log: The message log.
        records: The record store.
        index: The search index.
    """

    def __init__(self, *, clock: Clock) -> None:
        self.log = InMemoryMessageLog(clock=clock)
        self.records = InMemoryRecordStore(clock=clock)
        self.index = InMemorySearchIndex()

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this engine promises."""
        return INMEMORY

    async def close(self) -> None:
        """Close all stores. Repeatable."""
        await self.log.close()
        await self.records.close()
        await self.index.close()


async def open_engine(url: EngineUrl, *, clock: Clock) -> InMemoryEngine:
    """Open a fresh engine: no two opened ones share anything, whatever the URL says.

    Raises:
        ConfigError: An option is given; there are none.
    """
    url.take()
    return InMemoryEngine(clock=clock)
