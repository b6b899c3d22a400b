"""Opening: at once from many processes, over an old schema; refusing what is not ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daybook.errors import ConfigError, DaybookError, SchemaVersionError, StoreUnavailableError
from tools.crash.old_files import make_foreign, make_newer, make_version_1
from tools.crash.openings import open_at_once
from tools.crash.store import open_book
from tools.crash.zygote import Zygote


@pytest.mark.parametrize("processes", [2, 8])
def test_processes_open_a_new_file_at_once(processes: int, tmp_path: Path, zygote: Zygote) -> None:
    tally = open_at_once(zygote, tmp_path, processes=processes, rounds=6)
    assert tally.sound, tally.examples


def test_processes_open_an_old_file_at_once(tmp_path: Path, zygote: Zygote) -> None:
    """One of them migrates it while the others open it."""
    make_version_1(tmp_path / "old", "migrate")
    tally = open_at_once(zygote, tmp_path, processes=8, rounds=4, old=tmp_path / "old")
    assert tally.sound, tally.examples


async def test_a_lock_file_that_cannot_be_opened_is_answered(tmp_path: Path) -> None:
    (tmp_path / "book.db-lock").mkdir()
    with pytest.raises(StoreUnavailableError):
        async with open_book(tmp_path / "book.db"):
            pass


@pytest.mark.parametrize(
    ("make", "error"), [(make_newer, SchemaVersionError), (make_foreign, ConfigError)]
)
async def test_a_file_that_is_not_ours_is_refused_and_left_alone(
    make: Callable[[Path], None], error: type[DaybookError], tmp_path: Path
) -> None:
    path = tmp_path / "book.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(error):
        async with open_book(path):
            pass
    assert path.read_bytes() == before
