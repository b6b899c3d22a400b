"""The file: one line for each call, with a checksum, on the disk before anybody hears of it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from daybook.errors import CorruptRecordError, StoreFullError, StoreUnavailableError

__all__ = ["ENGINE", "Journal"]

ENGINE = "journal"


class Journal:
    """An open journal. Not thread-safe: one thread owns it."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it; nobody else may have it open.

        Raises:
            StoreUnavailableError: Another one has it open, or it cannot be opened.
        """
        self._path = path
        with _mapped("open"):
            # Unbuffered: what a failed write leaves behind must not be written later.
            self._file = path.open("ab", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise StoreUnavailableError(
                "the journal is open elsewhere: close it there", engine=ENGINE, operation="open"
            ) from None

    def read(self) -> Iterator[bytes]:
        """Yield every body in order; what a crash left half written at the end is cut off.

        Raises:
            CorruptRecordError: A line before the last one does not match its checksum.
        """
        end = 0
        with _mapped("open"), self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # its call was never acknowledged
                checksum, _, body = line[:-1].partition(b" ")
                if checksum != _checksum(body):
                    raise CorruptRecordError(
                        f"byte {end} of the journal is damaged", engine=ENGINE, operation="open"
                    )
                end += len(line)
                yield body
            self._file.truncate(end)

    def write(self, body: bytes) -> None:
        """Append a body; it is on the disk when this returns.

        Raises:
            StoreFullError: No room is left.
            StoreUnavailableError: The disk failed.
        """
        line = b"%b %b\n" % (_checksum(body), body)
        with _mapped("write"):
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, "a part was written")
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; the lock goes with it."""
        self._file.close()


def _checksum(body: bytes) -> bytes:
    return b"%08x" % crc32(body)


@contextmanager
def _mapped(operation: str) -> Iterator[None]:
    """Turn what the system raises into Daybook's errors, without any data in them."""
    try:
        yield
    except OSError as exc:
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = StoreFullError if full else StoreUnavailableError
        raise kind(os.strerror(exc.errno or 0), engine=ENGINE, operation=operation) from exc
