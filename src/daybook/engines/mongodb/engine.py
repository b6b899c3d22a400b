"""The MongoDB engine: log and records in one database; pair it with another engine's index."""

from __future__ import annotations

from daybook.engines.mongodb.address import Address, read_address
from daybook.engines.mongodb.capabilities import read_capabilities
from daybook.engines.mongodb.connection import Connections, Handles
from daybook.engines.mongodb.message_log import MongoMessageLog
from daybook.engines.mongodb.record_store import MongoRecordStore
from daybook.engines.mongodb.schema import prepare
from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.registry import EngineUrl

__all__ = ["MongoEngine", "open_engine"]


class MongoEngine:
    """One database, for any number of threads, event loops and processes."""

    def __init__(
        self, connections: Connections, clock: Clock, capabilities: EngineCapabilities
    ) -> None:
        self._connections = connections
        self._capabilities = capabilities
        self._log = MongoMessageLog(connections, clock, capabilities)
        self._records = MongoRecordStore(connections, clock, capabilities)

    @classmethod
    async def connect(cls, address: Address, *, clock: Clock) -> MongoEngine:
        """Look at the server, make what the database lacks, and return the engine.

        Raises:
            ConfigError: The server cannot do what Daybook needs.
            StoreError: It cannot be reached, or refuses.
        """
        connections = Connections(address)
        try:
            capabilities = await connections.run("open", _prepared)
        except BaseException:
            await connections.close()
            raise
        return cls(connections, clock, capabilities)

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    @property
    def log(self) -> MongoMessageLog:
        """The message log."""
        return self._log

    @property
    def records(self) -> MongoRecordStore:
        """The record store."""
        return self._records

    @property
    def index(self) -> None:
        """None: MongoDB without Atlas cannot rank candidates; pair it with another engine."""
        return

    async def close(self) -> None:
        """Close all connections. Repeatable."""
        await self._connections.close()


async def _prepared(handles: Handles) -> EngineCapabilities:
    capabilities = await read_capabilities(handles)
    await prepare(handles.database)
    return capabilities


async def open_engine(url: EngineUrl, *, clock: Clock) -> MongoEngine:
    """Open ``mongodb://host/database`` or ``mongodb+srv://host/database``.

    Options: ``timeout_s``, how long a call may take; all others go to the driver.
    """
    return await MongoEngine.connect(read_address(url), clock=clock)
