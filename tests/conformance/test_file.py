"""The file engine keeps every storage contract; `test_facades` looks at it through `Daybook`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from daybook.engines.file import FileEngine
from daybook.protocols.clock import Clock
from daybook.registry import Engine
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from tests.effort import sample


class File:
    """How the contracts open it: a folder per test, a new one after each `renew`."""

    persists = True

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.round = 0

    def renew(self) -> None:
        """Go on with another folder."""
        self.round += 1

    async def open(self, clock: Clock) -> Engine:
        """Open this round's folder."""
        path = self.folder / f"{self.round}.store"
        return await asyncio.to_thread(lambda: FileEngine(path, clock=clock))


class TestMessageLog(File, MessageLogContract):
    """Sessions and messages."""

    machine_examples: ClassVar[int] = sample(15, long=100)


class TestRecordStore(File, RecordStoreContract):
    """Records."""

    machine_examples: ClassVar[int] = sample(15, long=100)
