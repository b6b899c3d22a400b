"""The Redis engine keeps every storage contract it has, on a server and on a cluster."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

import pytest

from daybook.engines.redis import open_engine
from daybook.protocols.clock import Clock
from daybook.registry import Engine, parse_url
from daybook.testing.message_log_contract import MessageLogContract
from daybook.testing.record_store_contract import RecordStoreContract
from tests.effort import sample


class Redis:
    """How the contracts open it: a prefix per test, a new one after each `renew`."""

    persists = True
    address: str
    # Every step is a round trip or several.
    machine_examples: ClassVar[int] = sample(6, long=25)

    @pytest.fixture(autouse=True)
    def _patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take over an id whose session just ended without the wait for a maker still at work."""
        monkeypatch.setattr("daybook.engines.redis.session_claims._PATIENCE_MS", 200)

    @pytest.fixture(autouse=True)
    def _server(self, redis_url: str) -> None:
        self.address = redis_url
        self.renew()

    def renew(self) -> None:
        """Go on with another prefix."""
        separator = "&" if "?" in self.address else "?"
        # A machine under load may stand still for seconds.
        self.url = f"{self.address}{separator}prefix=test-{uuid4().hex}&timeout_s=60"

    async def open(self, clock: Clock) -> Engine:
        """Open this round's prefix."""
        return await open_engine(parse_url(self.url), clock=clock)


class Cluster(Redis):
    """The same on a cluster of three masters."""

    machine_examples: ClassVar[int] = sample(3, long=25)

    @pytest.fixture(autouse=True)
    def _server(self, redis_cluster_url: str) -> None:
        self.address = redis_cluster_url
        self.renew()


class TestMessageLog(Redis, MessageLogContract):
    """Sessions and messages."""


class TestRecordStore(Redis, RecordStoreContract):
    """Records."""


class TestClusterMessageLog(Cluster, MessageLogContract):
    """Sessions and messages, each user in a slot."""


class TestClusterRecordStore(Cluster, RecordStoreContract):
    """Records, each owner in a slot."""
