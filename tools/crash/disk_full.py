"""A disk that is really full: a small file system in memory, filled to the last page."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daybook.client import AsyncDaybook
from daybook.errors import DaybookError, StoreFullError
from tools.crash.append_checker import Append, History, check
from tools.crash.store import USER, make_message, observe, open_book
from tools.crash.tally import Tally

__all__ = ["can_mount", "fill_up", "small_disk"]

_BALLAST_BYTES = 512 * 1024
_REFUSALS = 3  # how often a full disk is tried
_SESSION = "full"


@contextmanager
def small_disk(folder: Path, *, kilobytes: int) -> Iterator[Path]:
    """Mount a small file system on a folder for as long as the block runs.

    Raises:
        subprocess.CalledProcessError: This user may not mount.
    """
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)],
        check=True,
        capture_output=True,
    )
    try:
        yield folder
    finally:
        # Lazily: what looks at a mounted disk, a program of the system's or another test's, is busy
        # with it for a moment.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def can_mount(folder: Path) -> bool:
    """Tell whether this user may mount."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        with small_disk(folder, kilobytes=64):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


async def fill_up(disk: Path, *, size: int, careless: bool = False) -> Tally:
    """Append until the disk is full, read, make room, append again; judge what is stored.

    `careless` is the control: a caller that takes the refused batches for stored.
    """
    tally = Tally(f"full disk, messages of {size}")
    started = time.monotonic()
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(_BALLAST_BYTES))
    history, defects = History(), list[str]()
    path = disk / "book.db"
    async with open_book(path) as book:
        refused = 0
        for number in range(10_000):
            refused += not await _append(book, history, number, size, defects, careless=careless)
            if refused == _REFUSALS:
                break
        else:
            defects.append("the disk never filled up")
        tally.faults = refused
        before = await book.history.entries(_SESSION, user_id=USER)
        if not before:
            defects.append("reads stopped while the disk was full")
        ballast.unlink()
        for number in range(20_000, 20_003):
            if not await _append(book, history, number, size, defects, careless=False):
                defects.append("an append failed after room was made")
    observed = await observe(_copy(disk), [_SESSION])
    history.final = observed.stored[_SESSION]
    tally.operations = sum(append.outcome == "ok" for append in history.appends)
    tally.add("one disk", check(history), defects + observed.faults)
    tally.seconds = time.monotonic() - started
    return tally


def _copy(disk: Path) -> Path:
    """Copy the closed file off its disk: looking at it needs more room than there is."""
    place = disk.with_name(f"{disk.name}-copy")
    place.mkdir()
    for file in disk.glob("book.db*"):
        shutil.copy(file, place)
    return place / "book.db"


async def _append(
    book: AsyncDaybook,
    history: History,
    number: int,
    size: int,
    defects: list[str],
    *,
    careless: bool,
) -> bool:
    """Append a batch, write down how it ended, and tell whether it was taken."""
    ids = tuple(f"f-{number}-{part}" for part in range(2))
    invoked = time.monotonic_ns()
    taken = False
    try:
        await book.history.append(_SESSION, [make_message(one, size) for one in ids], user_id=USER)
        taken = True
    except StoreFullError:
        pass
    except DaybookError as exc:
        defects.append(f"a full disk was answered with {type(exc).__name__}")
    outcome = Append(0, ids, invoked, time.monotonic_ns(), "ok" if taken or careless else "failed")
    history.appends.append(outcome)
    return taken
