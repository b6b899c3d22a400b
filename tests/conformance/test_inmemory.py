"""The in-memory engine keeps every storage contract."""

from __future__ import annotations

from daybook.engines.inmemory import InMemoryEngine
from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.facade_contract import FacadeContract
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from daybook.testing.search_index_contract import SearchIndexContract


class InMemory:
    """How the contracts open it; it keeps nothing beyond its life."""

    persists = False

    async def open(self, clock: Clock) -> Engine:
        """Open a fresh one."""
        return InMemoryEngine(clock=clock)


class TestMessageLog(InMemory, MessageLogContract):
    """Sessions and messages."""


class TestRecordStore(InMemory, RecordStoreContract):
    """Records."""


class TestSearchIndex(InMemory, SearchIndexContract):
    """Indexed documents."""


class TestLargeSearchIndex(InMemory, SearchIndexContract):
    """Every scope is held as codes."""

    async def open(self, clock: Clock) -> Engine:
        """Open a fresh one."""
        return InMemoryEngine(clock=clock, index_most_exact=0)


class TestBlocking(FacadeContract):
    """Through `Daybook`."""

    persists = False

    def url(self) -> str:
        return "inmemory://"


class TestAsync(TestBlocking):
    """Through `AsyncDaybook`."""

    blocking = False
