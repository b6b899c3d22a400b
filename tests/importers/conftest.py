"""An empty daybook in memory, and a way to write and read small source files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from daybook.client import AsyncDaybook
from daybook.importers.detect import detect
from daybook.importers.source import Record
from daybook.importers.source_file import SourceFile

WriteFile = Callable[..., Path]
ReadRecords = Callable[..., list[Record]]


@pytest.fixture
async def book() -> AsyncIterator[AsyncDaybook]:
    async with AsyncDaybook.open("inmemory://", embedder=None, background=False) as opened:
        yield opened


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write a file: bytes and text as they are, a list as JSON lines, a dict as one document."""

    def write_file(content: Any, name: str = "source.data") -> Path:
        path = tmp_path / name
        if isinstance(content, list):
            content = "".join(json.dumps(line) + "\n" for line in content)
        elif isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def read() -> ReadRecords:
    """Read a file through the format it is recognised as."""

    def read_records(path: Path, user_id: str | None = None) -> list[Record]:
        file = SourceFile(path)
        return list(detect(file).read(file, user_id))

    return read_records
