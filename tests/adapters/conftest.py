"""Where the books of adapter tests are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook import Daybook


@pytest.fixture(params=["inmemory", "sqlite", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | Daybook]:
    """A URL, or an opened book for what lives in RAM; one per test, also for its second holder."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/book.db"
    elif request.param == "file":
        yield f"file:///{tmp_path}/book"
    else:
        with Daybook.open("inmemory://") as book:
            yield book
