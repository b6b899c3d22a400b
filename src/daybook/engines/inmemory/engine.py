"""The in-memory engine: its stores, opened and closed together."""

from __future__ import annotations

from daybook.engines.inmemory.capabilities import INMEMORY
from daybook.engines.inmemory.message_log import InMemoryMessageLog
from daybook.engines.inmemory.record_store import InMemoryRecordStore
from daybook.engines.inmemory.search_index import InMemorySearchIndex
from daybook.errors import ConfigError
from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.recall.search.large_columns import MOST_EXACT
from daybook.registry import EngineUrl

__all__ = ["InMemoryEngine", "open_engine"]


class InMemoryEngine:
    """Log, records and index in this process only; they end with it.

    Attributes:
        log: The message log.
        records: The record store.
        index: The search index.
    """

    def __init__(self, *, clock: Clock, index_most_exact: int = MOST_EXACT) -> None:
        self.log = InMemoryMessageLog(clock=clock)
        self.records = InMemoryRecordStore(clock=clock)
        self.index = InMemorySearchIndex(most_exact=index_most_exact)

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

    Option: ``index_most_exact``, how many messages of a user are searched exactly.

    Raises:
        ConfigError: Another option is given, or this one is no number.
    """
    options = url.take(index_most_exact=str(MOST_EXACT))
    try:
        most_exact = int(options["index_most_exact"])
    except ValueError:
        raise ConfigError("inmemory: index_most_exact must be a number") from None
    return InMemoryEngine(clock=clock, index_most_exact=most_exact)
