"""The DynamoDB engine: one table, one client, threads."""

from __future__ import annotations

import asyncio
from typing import Any

from daybook.engines.dynamodb.capabilities import capabilities
from daybook.engines.dynamodb.client import make_client
from daybook.engines.dynamodb.message_log import DynamoDBMessageLog
from daybook.engines.dynamodb.record_store import DynamoDBRecordStore
from daybook.engines.dynamodb.schema import prepare_table
from daybook.engines.dynamodb.worker import Worker
from daybook.errors import ConfigError
from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.registry import EngineUrl

__all__ = ["DynamoDBEngine", "open_engine"]

_OPTIONS = {"endpoint": "", "profile": "", "create": "true", "timeout_s": "10"}
_PREFIX = "daybook"
_CREATION_S = 60.0


class DynamoDBEngine:
    """Log and records in one table, for any number of threads, event loops and processes."""

    def __init__(
        self, client: Any, table: str, *, clock: Clock, timeout_s: float, warnings: tuple[str, ...]
    ) -> None:
        """Take over a client whose table is there; `open_engine` makes both.

        Args:
            client: botocore's client; it is closed with the engine.
            table: The table's name.
            clock: Decides what has expired.
            timeout_s: How long a call may take.
            warnings: What an operator should know.
        """
        self._worker = Worker(client, table, timeout_s=timeout_s)
        self._capabilities = capabilities(warnings)
        tenants: set[str] = set()
        shared = (self._worker, clock, self._capabilities, tenants)
        self._log = DynamoDBMessageLog(*shared)
        self._records = DynamoDBRecordStore(*shared)

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    @property
    def log(self) -> DynamoDBMessageLog:
        """The message log."""
        return self._log

    @property
    def records(self) -> DynamoDBRecordStore:
        """The record store."""
        return self._records

    @property
    def index(self) -> None:
        """None: pair it with another engine's index."""
        return

    async def close(self) -> None:
        """Finish what is in flight and close the connections. Repeatable."""
        await asyncio.to_thread(self._worker.close)


async def open_engine(url: EngineUrl, *, clock: Clock) -> DynamoDBEngine:
    """Open ``dynamodb://REGION[/TABLE_PREFIX]``; the table is ``TABLE_PREFIX-book``.

    Options: ``endpoint`` (another server), ``profile`` (of the AWS configuration), ``create``
    (``false``: the table must be there), ``timeout_s`` (for each call). Credentials come from where
    AWS's own tools find them.

    Raises:
        ConfigError: The URL is wrong, or no credentials were found.
        StoreError: DynamoDB cannot be reached, or refused.
    """
    options = url.take(**_OPTIONS)
    region, _, prefix = url.location.partition("/")
    if not region:
        raise ConfigError("dynamodb needs a region, for example dynamodb://eu-central-1/daybook")
    if options["create"] not in ("true", "false"):
        raise ConfigError("dynamodb: create must be true or false")
    try:
        timeout_s = float(options["timeout_s"])
    except ValueError:
        raise ConfigError("dynamodb: timeout_s must be a number of seconds") from None
    if not timeout_s > 0:
        raise ConfigError("dynamodb: timeout_s must be more than 0")
    table = f"{prefix or _PREFIX}-book"
    create = options["create"] == "true"

    def opened() -> DynamoDBEngine:
        client = make_client(region, options["endpoint"], options["profile"], timeout_s)
        try:
            warnings = prepare_table(client, table, create=create, seconds=_CREATION_S)
        except BaseException:
            client.close()
            raise
        return DynamoDBEngine(client, table, clock=clock, timeout_s=timeout_s, warnings=warnings)

    return await asyncio.to_thread(opened)
