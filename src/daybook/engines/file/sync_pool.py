"""Syncing many files side by side: the file system then joins them into few writes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from daybook.engines.file.folders import Folders

__all__ = ["SyncPool"]

_THREADS = 8

Names = tuple[str, ...]


class SyncPool:
    """Brings files to the disk. Safe on any thread."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._lock = Lock()
        self._pool: ThreadPoolExecutor | None = None

    def sync(self, targets: Sequence[int | Names]) -> list[OSError | None]:
        """Sync open files, and the names in folders; return for each what went wrong."""
        if len(targets) < 2:  # noqa: PLR2004 - one needs no company
            return [self._sync(target) for target in targets]
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, "daybook-file-sync")
        return list(self._pool.map(self._sync, targets))

    def sync_all(self, targets: Sequence[int | Names]) -> None:
        """Sync files and folders, all of them.

        Raises:
            OSError: One of them failed.
        """
        for error in self.sync(targets):
            if error is not None:
                raise error

    def close(self) -> None:
        """End the threads. Repeatable."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _sync(self, target: int | Names) -> OSError | None:
        try:
            if isinstance(target, int):
                self._folders.sync_file(target)
            else:
                self._folders.sync(target)
        except OSError as exc:
            return exc
        return None
