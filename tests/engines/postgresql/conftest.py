"""An emptied schema of a role without privileges, and an engine opened in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from daybook.engines.postgresql import PostgreSQLEngine
from daybook.testing.fake_clock import FakeClock
from tests.engines.postgresql.installation import Installation, installation, opened


@pytest.fixture
def place(postgres_url: str) -> Installation:
    place = installation(postgres_url)
    place.empty()
    return place


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def engine(place: Installation, clock: FakeClock) -> AsyncIterator[PostgreSQLEngine]:
    async with opened(place.url, clock) as engine:
        yield engine
