"""The PostgreSQL engine keeps every storage contract, with and without pgvector."""

from __future__ import annotations

from typing import ClassVar

import pytest

from daybook.protocols.clock import Clock
from daybook.registry import Engine, open_engine
from daybook.testing.facade_contract import FacadeContract
from daybook.testing.facade_use_contract import FacadeUseContract
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from tests.effort import sample
from tests.engines.postgresql.installation import Installation, installation


class PostgreSQL:
    """How the contracts open it: one schema of a role without privileges, emptied by `renew`."""

    persists = True
    server: ClassVar[str] = "postgres_url"

    @pytest.fixture(autouse=True)
    def _schema(self, request: pytest.FixtureRequest) -> None:
        self.place: Installation = installation(request.getfixturevalue(self.server))
        self.place.empty()

    def renew(self) -> None:
        """Go on with nothing stored."""
        self.place.empty()

    async def open(self, clock: Clock) -> Engine:
        """Open the schema."""
        return await open_engine(self.place.url, clock=clock)

    def url(self) -> str:
        """Return the schema's address."""
        return self.place.url


class TestMessageLog(PostgreSQL, MessageLogContract):
    """Sessions and messages."""

    machine_examples: ClassVar[int] = sample(8, long=25)
    machine_steps: ClassVar[int] = 20


class TestRecordStore(PostgreSQL, RecordStoreContract):
    """Records."""

    machine_examples: ClassVar[int] = sample(8, long=25)
    machine_steps: ClassVar[int] = 20


class TestAsync(PostgreSQL, FacadeContract):
    """Through `AsyncDaybook`."""

    blocking = False


class TestBlocking(PostgreSQL, FacadeUseContract):
    """Through `Daybook`."""


@pytest.mark.torture
class TestBlockingWhole(PostgreSQL, FacadeContract):
    """All of the contract through `Daybook`."""


class TestPlainAsync(TestAsync):
    """Through `AsyncDaybook`, on an older server without pgvector."""

    server = "plain_postgres_url"


class TestPlainMessageLog(TestMessageLog):
    """Sessions and messages, on an older server without pgvector."""

    server = "plain_postgres_url"
    machine_examples: ClassVar[int] = sample(3, long=25)


class TestPlainRecordStore(TestRecordStore):
    """Records, on an older server without pgvector."""

    server = "plain_postgres_url"
    machine_examples: ClassVar[int] = sample(3, long=25)
