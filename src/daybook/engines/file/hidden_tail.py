"""What a process adds to a file is hidden from the others until it is on the disk.

The writer holds an open-file-description lock on the bytes from the old end on, and readers ask the
kernel where it begins: no byte more is written, nobody waits, and the lock goes with its process.
So a read never shows what a later read of another process does not. Only Linux has these locks;
elsewhere other processes may see an append a moment before it is acknowledged.

Source: fcntl_locking(2), "Open file description locks".
"""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress

__all__ = ["hide_from", "show", "shown_size"]

if sys.platform == "linux":
    import fcntl

    # struct flock: type, whence, start, length (0: to the end), process.
    _FLOCK = struct.Struct("hhqqi4x")

    def hide_from(descriptor: int, start: int) -> None:
        """Hide all bytes of a locked file from `start` on, also those to come, until `show`."""
        _set(descriptor, fcntl.F_WRLCK, start)

    def show(descriptor: int) -> None:
        """Hide nothing any more."""
        _set(descriptor, fcntl.F_UNLCK, 0)

    def shown_size(descriptor: int) -> int:
        """Return up to where a file may be read: its size, or where its hidden part begins."""
        # The size first: what is shown between the two is left for the next look.
        size = os.fstat(descriptor).st_size
        asked = _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
        with suppress(OSError):  # a file system without such locks hides nothing
            answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
            kind, _, start, _, _ = _FLOCK.unpack(answer)
            if kind != fcntl.F_UNLCK:
                return min(size, int(start))
        return size

    def _set(descriptor: int, kind: int, start: int) -> None:
        with suppress(OSError):  # as above
            lock = _FLOCK.pack(kind, os.SEEK_SET, start, 0, 0)
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, lock)

else:  # pragma: no cover - tests run on Linux

    def hide_from(descriptor: int, start: int) -> None:
        """Hide nothing."""

    def show(descriptor: int) -> None:
        """Hide nothing any more."""

    def shown_size(descriptor: int) -> int:
        """Return a file's size."""
        return os.fstat(descriptor).st_size
