"""What the kit cannot know of this engine: its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybook.errors import CorruptRecordError, StoreUnavailableError
from daybook_journal.journal import Journal


def written(path: Path, *bodies: bytes) -> None:
    journal = Journal(path)
    for body in bodies:
        journal.write(body)
    journal.close()


def read(path: Path) -> list[bytes]:
    journal = Journal(path)
    try:
        return list(journal.read())
    finally:
        journal.close()


def test_a_torn_end_is_cut_off_wherever_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "j"
    written(path, b"one", b"two")
    whole = path.read_bytes()
    for end in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:end])
        assert read(path) == [b"one"]
        written(path, b"three")
        assert read(path) == [b"one", b"three"]


def test_a_damaged_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j"
    written(path, b"one", b"two")
    path.write_bytes(path.read_bytes().replace(b"one", b"One"))
    with pytest.raises(CorruptRecordError):
        read(path)


def test_a_journal_has_one_owner(tmp_path: Path) -> None:
    path = tmp_path / "j"
    first = Journal(path)
    with pytest.raises(StoreUnavailableError):
        Journal(path)
    first.close()
    assert read(path) == []
