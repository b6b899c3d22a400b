"""The Redis engine: log and records on one server or one cluster."""

from __future__ import annotations

from daybook.engines.redis.address import Address, read_address
from daybook.engines.redis.capabilities import ask_settings, describe
from daybook.engines.redis.message_log import RedisMessageLog
from daybook.engines.redis.record_store import RedisRecordStore
from daybook.engines.redis.script_calls import ScriptCalls
from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.registry import EngineUrl

__all__ = ["RedisEngine", "open_engine"]


class RedisEngine:
    """Everything of one prefix, for any number of threads, event loops, processes and hosts.

    Attributes:
        log: The message log.
        records: The record store.
        index: None: pair it with an engine that has a search index.
    """

    index = None

    def __init__(
        self, calls: ScriptCalls, address: Address, clock: Clock, capabilities: EngineCapabilities
    ) -> None:
        self._calls = calls
        self._capabilities = capabilities
        self.log = RedisMessageLog(
            calls, clock, capabilities, expiry_margin_s=address.expiry_margin_s
        )
        self.records = RedisRecordStore(calls, clock, capabilities)

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises, as the servers' settings were when it was opened."""
        return self._capabilities

    async def close(self) -> None:
        """Close every connection. Repeatable."""
        await self._calls.close()


async def open_engine(url: EngineUrl, *, clock: Clock) -> RedisEngine:
    """Open ``redis://[user:password@]host[:port][/db]``; ``rediss://`` for TLS.

    Options: ``cluster=true``, ``prefix``, ``timeout_s``, ``expiry_margin_s``, ``max_connections``,
    ``ca_file``, ``cert_file``, ``key_file``.

    Raises:
        ConfigError: The URL is wrong, or the server refuses the login.
        StoreError: The server cannot be reached.
    """
    address = read_address(url)
    calls = ScriptCalls(address)
    try:
        async with calls.operation("open"):
            settings = [await ask_settings(node) for node in await calls.masters()]
    except BaseException:
        await calls.close()
        raise
    return RedisEngine(calls, address, clock, describe(settings, cluster=address.cluster))
