"""Folders that many threads use at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from daybook.engines.file.folders import Folders

_NAMES = [f"{number:04}" for number in range(300)]
_ROUNDS = 60


def _fill(root: Path) -> None:
    (root / "a").mkdir()
    for name in _NAMES:
        (root / "a" / name).touch()


def test_threads_that_list_one_folder_all_see_all_of_it(tmp_path: Path) -> None:
    """A list of sessions taken while the index looks for work must not miss one."""
    _fill(tmp_path)
    folders = Folders(tmp_path)
    together = Barrier(4)

    def look() -> None:
        together.wait()
        for _ in range(_ROUNDS):
            assert folders.names(("a",)) == _NAMES

    with ThreadPoolExecutor(4) as threads:
        for future in [threads.submit(look) for _ in range(4)]:
            future.result()
    folders.close()


def test_one_opening_has_one_place_of_reading(tmp_path: Path) -> None:
    """The control: why a kept folder is opened anew to be listed."""
    _fill(tmp_path)
    descriptor = os.open(tmp_path / "a", os.O_RDONLY)
    try:
        with os.scandir(descriptor) as entries:
            first = next(entries).name
            rest = os.listdir(descriptor)  # noqa: PTH208 - of an open folder
        assert first in _NAMES
        assert sorted(rest) != _NAMES
    finally:
        os.close(descriptor)
