"""The SQLite engine keeps every storage contract."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from daybook.engines.sqlite import SQLiteEngine
from daybook.protocols.clock import Clock
from daybook.recall.search.large_columns import MOST_EXACT
from daybook.registry import Engine
from daybook.testing.facade_contract import FacadeContract
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from daybook.testing.search_index_contract import SearchIndexContract
from tests.effort import sample


class SQLite:
    """How the contracts open it: a file per test, a new one after each `renew`."""

    persists = True
    index_most_exact = MOST_EXACT

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.round = 0

    def renew(self) -> None:
        """Go on with another file."""
        self.round += 1

    async def open(self, clock: Clock) -> Engine:
        """Open this round's file."""
        path = self.folder / f"{self.round}.db"
        most = self.index_most_exact
        return await asyncio.to_thread(
            lambda: SQLiteEngine(path, clock=clock, index_most_exact=most)
        )


class TestMessageLog(SQLite, MessageLogContract):
    """Sessions and messages."""

    machine_examples: ClassVar[int] = sample(15, long=100)


class TestRecordStore(SQLite, RecordStoreContract):
    """Records."""

    machine_examples: ClassVar[int] = sample(15, long=100)


class TestSearchIndex(SQLite, SearchIndexContract):
    """Indexed documents."""


class TestLargeSearchIndex(SQLite, SearchIndexContract):
    """Every scope is held as codes."""

    index_most_exact = 0


class TestGrowingSearchIndex(SQLite, SearchIndexContract):
    """Scopes that become large while they are in use."""

    index_most_exact = 3


class TestBlocking(FacadeContract):
    """Through `Daybook`."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def url(self) -> str:
        return f"sqlite:///{self.folder}/book.db"


class TestAsync(TestBlocking):
    """Through `AsyncDaybook`."""

    blocking = False
