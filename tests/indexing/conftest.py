"""Small stores have several shares too."""

from __future__ import annotations

import pytest

from daybook.indexing import reindex_plan


@pytest.fixture(autouse=True)
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut small stores into several shares too."""
    monkeypatch.setattr(reindex_plan, "_LEAST", 10)
