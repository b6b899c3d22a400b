"""What suites of contracts share."""

from __future__ import annotations

import pytest

from daybook.engines.dynamodb import hints, keys
from tests.effort import LONG

_SHARDS = 3


@pytest.fixture
def few_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer shards: looking through all of them is what DynamoDB's emulators are slowest at."""
    if not LONG:
        monkeypatch.setattr(keys, "SHARDS", _SHARDS)
        monkeypatch.setattr(hints, "SHARDS", _SHARDS)
