"""The PostgreSQL engine: one schema holds the log, the records and the search index."""

from __future__ import annotations

from daybook.enginekit.deadline import deadline
from daybook.engines.postgresql.capabilities import ServerFacts, describe, read_facts
from daybook.engines.postgresql.connection import connect
from daybook.engines.postgresql.driver_errors import ENGINE, map_errors
from daybook.engines.postgresql.message_log import PostgreSQLMessageLog
from daybook.engines.postgresql.options import Options, read_options
from daybook.engines.postgresql.pool import Pool
from daybook.engines.postgresql.record_store import PostgreSQLRecordStore
from daybook.engines.postgresql.schema import prepare
from daybook.engines.postgresql.search_index import PostgreSQLSearchIndex
from daybook.errors import ConfigError
from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.registry import EngineUrl

__all__ = ["PostgreSQLEngine", "open_engine"]

_OLDEST = 140_000  # PostgreSQL 14
_PREPARE_S = 120.0  # the first open creates everything, and may wait for another that does


class PostgreSQLEngine:
    """Everything in one schema, for any number of threads, event loops, processes and hosts."""

    def __init__(self, options: Options, facts: ServerFacts, *, clock: Clock) -> None:
        """Use a schema that `schema.prepare` has prepared.

        Args:
            options: Where it is.
            facts: What was found on the server.
            clock: Decides what has expired.
        """
        self._capabilities = describe(facts)
        self._pool = Pool(options)
        self._log = PostgreSQLMessageLog(self._pool, clock, self._capabilities)
        self._records = PostgreSQLRecordStore(self._pool, clock, self._capabilities)
        self._index = PostgreSQLSearchIndex(
            self._pool,
            self._capabilities,
            cache_bytes=options.index_cache_mb << 20,
            most_exact=options.index_most_exact,
        )

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    @property
    def log(self) -> PostgreSQLMessageLog:
        """The message log."""
        return self._log

    @property
    def records(self) -> PostgreSQLRecordStore:
        """The record store."""
        return self._records

    @property
    def index(self) -> PostgreSQLSearchIndex:
        """The search index."""
        return self._index

    async def close(self) -> None:
        """Finish what is in flight and close the connections. Repeatable."""
        await self._pool.close()


async def open_engine(url: EngineUrl, *, clock: Clock) -> PostgreSQLEngine:
    """Open ``postgresql://user:password@host:5432/database?schema=daybook``.

    The schema is created on the first open. Options: see `options.Options`, and the driver's
    ``sslmode``, ``sslrootcert``, ``sslcert``, ``sslkey`` and ``application_name``.

    Raises:
        ConfigError: An option is wrong, the server refuses the role, or a right is missing.
        StoreError: The server cannot be reached, or a newer Daybook prepared the schema.
    """
    options = read_options(url)
    async with deadline(_PREPARE_S, engine=ENGINE, operation="open"):
        with map_errors("open"):
            connection = await connect(options, limited=False)
            try:
                facts = await read_facts(connection)
                if facts.version < _OLDEST:
                    raise ConfigError(
                        f"postgresql: the server is version {facts.version // 10_000}; Daybook "
                        f"needs {_OLDEST // 10_000} or newer"
                    )
                await prepare(connection, options.schema)
            finally:
                connection.pgconn.finish()
    return PostgreSQLEngine(options, facts, clock=clock)
