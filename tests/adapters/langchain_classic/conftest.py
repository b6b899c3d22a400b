"""Both sides of a comparison: langchain_classic's memories over files, and ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.adapters.langchain.history import DaybookChatMessageHistory


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/chat.db"


@pytest.fixture
def history(url: str) -> Iterator[DaybookChatMessageHistory]:
    made = DaybookChatMessageHistory("s1", url)
    yield made
    made.close()
