"""The DynamoDB engine keeps every storage contract it has: the log on dynalite, records on moto.

Only several records in one `put` need a transaction, which dynalite does not know; the log needs
none, and dynalite is stricter than moto on names and batches, and faster.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

import pytest

from daybook.engines.dynamodb import open_engine
from daybook.protocols.clock import Clock
from daybook.registry import Engine, parse_url
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from tests.effort import sample


class DynamoDB:
    """How the contracts open it: a table per test, a new one after each `renew`."""

    persists = True
    effort: ClassVar[float] = sample(1, long=4) / 4  # emulators take milliseconds for a request
    address: str

    @pytest.fixture(autouse=True)
    def _server(self, dynamodb_url: str, few_shards: None) -> None:
        self.address = dynamodb_url
        self.renew()

    def renew(self) -> None:
        """Go on with another table."""
        location, question, options = self.address.partition("?")
        # The emulators share two cores with everything else that runs, so a call may take long.
        patience = "&timeout_s=60" if question else "?timeout_s=60"
        self.url = f"{location}/test-{uuid4().hex}{question}{options}{patience}"

    async def open(self, clock: Clock) -> Engine:
        """Open this round's table."""
        return await open_engine(parse_url(self.url), clock=clock)


class Dynalite(DynamoDB):
    """The same on dynalite."""

    @pytest.fixture(autouse=True)
    def _server(self, dynalite_url: str, few_shards: None) -> None:
        self.address = dynalite_url
        self.renew()


class TestMessageLog(Dynalite, MessageLogContract):
    """Sessions and messages, without any transaction."""

    # A step takes some thirty requests.
    machine_examples: ClassVar[int] = sample(2, long=25)
    machine_steps: ClassVar[int] = 15


@pytest.mark.torture
class TestMotoMessageLog(DynamoDB, MessageLogContract):
    """The same where a second server has its own idea of the API; `test_facades` looks daily."""

    machine_examples: ClassVar[int] = 6
    machine_steps: ClassVar[int] = 15


class TestRecordStore(DynamoDB, RecordStoreContract):
    """Records."""

    machine_examples: ClassVar[int] = sample(2, long=25)
    machine_steps: ClassVar[int] = 12
