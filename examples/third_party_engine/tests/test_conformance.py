"""The journal engine keeps every storage contract: Daybook's kit, inherited."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.facade_contract import FacadeContract
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from daybook_journal import JournalEngine


class Journaled:
    """How the contracts open it: a file per test, a new one after each `renew`."""

    persists = True
    effort = 0.25  # a flush for each call: the crowds of the kit may be smaller

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.round = 0

    def renew(self) -> None:
        self.round += 1

    async def open(self, clock: Clock) -> Engine:
        engine = JournalEngine(self.folder / f"{self.round}.journal", clock=clock)
        await engine.start()
        return engine


class TestMessageLog(Journaled, MessageLogContract):
    """Sessions and messages."""

    machine_examples = 5


class TestRecordStore(Journaled, RecordStoreContract):
    """Records."""

    machine_examples = 5


class TestBlocking(FacadeContract):
    """Through `Daybook`, by URL: the entry point is found."""

    shares = False

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def url(self) -> str:
        return f"journal:///{self.folder}/book.journal"


class TestAsync(TestBlocking):
    """Through `AsyncDaybook`."""

    blocking = False
