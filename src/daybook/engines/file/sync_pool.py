"""Syncing many files side by side: the file system then joins them into few writes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from daybook.engines.file.folders import Folders

__all__ = ["SyncPool"]

_THREADS = 8


class SyncPool:
    """Brings files to the disk."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._pool: ThreadPoolExecutor | None = None

    def sync(self, descriptors: Sequence[int]) -> list[OSError | None]:
        """Sync open files; return for each what went wrong."""
        if len(descriptors) < 2:  # noqa: PLR2004 - one needs no company
            return [self._sync(descriptor) for descriptor in descriptors]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "daybook-file-sync")
        return list(self._pool.map(self._sync, descriptors))

    def close(self) -> None:
        """End the threads. Repeatable."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _sync(self, descriptor: int) -> OSError | None:
        try:
            self._folders.sync_file(descriptor)
        except OSError as exc:
            return exc
        return None
