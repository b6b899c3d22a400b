"""The in-memory message log keeps the contract."""

from __future__ import annotations

from daybook.engines.inmemory import InMemoryEngine
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog
from daybook.testing.message_log_contract import MessageLogContract


class TestInMemoryMessageLog(MessageLogContract):
    """It keeps nothing beyond its life."""

    persists = False

    async def open(self, clock: Clock) -> MessageLog:
        """Open a fresh one."""
        return InMemoryEngine(clock=clock).log
