"""One writer at a time, across processes: a lock file beside the database.

SQLite before 3.51.3 can corrupt a database when one connection commits while another resets the
write-ahead log (the WAL-reset bug, fixed 2026-03-13). Every commit and every checkpoint of Daybook
therefore happens under this lock. It also makes waiting writers queue here instead of meeting
"database is locked".
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from weakref import WeakSet

from daybook.engines.sqlite.driver_errors import ENGINE
from daybook.errors import StoreClosedError, StoreUnavailableError

__all__ = ["WriteLock"]

_FIRST_PAUSE_S = 0.0002
_LONGEST_PAUSE_S = 0.005


if sys.platform == "win32":  # pragma: no cover - one of the two branches runs per platform
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise _unavailable(path, "opened", exc) from exc


def _unavailable(path: Path, verb: str, error: OSError) -> StoreUnavailableError:
    reason = os.strerror(error.errno or 0)
    return StoreUnavailableError(
        f"the lock file {path.name} cannot be {verb} ({reason}): it must be a file of yours, on a "
        "file system that supports locks",
        engine=ENGINE,
        operation="lock",
    )


class WriteLock:
    """An exclusive lock on ``<database>-lock``; the kernel frees it when its process ends."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._descriptor = _open(path)
        _locks.add(self)

    def __enter__(self) -> None:
        """Take the lock.

        Raises:
            StoreUnavailableError: Another process kept it for the whole timeout.
        """
        if self._descriptor < 0:
            raise StoreClosedError("the store was closed", engine=ENGINE, operation="lock")
        if self._try():
            return
        deadline = time.monotonic() + self._timeout_s
        pause = _FIRST_PAUSE_S
        while not self._try():
            if time.monotonic() > deadline:
                raise StoreUnavailableError(
                    f"another process held the write lock for {self._timeout_s:g} s; retry, or end "
                    "the process that hangs",
                    engine=ENGINE,
                    operation="lock",
                )
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    def __exit__(self, *_: object) -> None:
        try:
            _unlock(self._descriptor)
        except OSError:  # closing the file gives the lock back as well
            os.close(self._descriptor)
            self._descriptor = _open(self._path)

    def _try(self) -> bool:
        try:
            return _try_lock(self._descriptor)
        except OSError as exc:
            raise _unavailable(self._path, "locked", exc) from exc

    def close(self) -> None:
        """Give the lock file back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


_locks: WeakSet[WriteLock] = WeakSet()


def _drop_in_child() -> None:
    """Let go of inherited lock files, so that a child never keeps its parent's lock alive."""
    for lock in _locks:
        lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_in_child)
