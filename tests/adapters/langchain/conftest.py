"""A book for each test, and quiet about what LangChain deprecates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook import Daybook


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """LangChain warns about its own classes, which are the controls here."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Daybook]:
    with Daybook.open(f"sqlite:///{tmp_path}/book.db", embedder=None) as opened:
        yield opened
