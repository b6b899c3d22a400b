"""The one place where the operating system's errors become Daybook's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from daybook.errors import CorruptRecordError, StoreError, StoreFullError, StoreUnavailableError

__all__ = ["ENGINE", "damaged", "map_errors", "translate", "uncertain"]

ENGINE = "file"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNAVAILABLE = {
    errno.EMFILE: "too many files are open in this process: raise its limit, or retry",
    errno.ENFILE: "too many files are open on this machine; retry",
    errno.EIO: "reading or writing failed: check the disk",
    errno.EACCES: "no permission for a file of the store",
    errno.EPERM: "no permission for a file of the store",
    errno.EROFS: "the file system is read-only",
    errno.ELOOP: "a symbolic link stands where a file of the store should be: remove it",
    errno.ENOTDIR: "a file or link stands where a folder of the store should be: remove it",
    errno.ENOENT: "the store's folder was moved or removed while it was open",
    errno.ENOLCK: "the file system does not lock files (some network mounts): move the store",
    errno.EOPNOTSUPP: "the file system does not support locks: move the store to a local disk",
    errno.ENOMEM: "out of memory",
}


def translate(error: OSError, operation: str) -> StoreError:
    """Return the Daybook error of an operating system error. Never holds a stored value."""
    number = error.errno or 0
    if number in _FULL:
        return StoreFullError(
            "no room left on the disk; nothing of this call was stored: free some space and retry",
            engine=ENGINE,
            operation=operation,
        )
    if number in _UNAVAILABLE:
        return StoreUnavailableError(_UNAVAILABLE[number], engine=ENGINE, operation=operation)
    return StoreError(
        f"the system reported: {os.strerror(number)}", engine=ENGINE, operation=operation
    )


def damaged(what: str, operation: str) -> CorruptRecordError:
    """Return the error for a file whose own bytes cannot be trusted; `what` holds no data."""
    return CorruptRecordError(
        f"{what}: restore it from a backup", engine=ENGINE, operation=operation
    )


def uncertain(operation: str) -> StoreUnavailableError:
    """Return the error for a write that could neither be synced nor taken back."""
    return StoreUnavailableError(
        "the disk fails: what was written may or may not be there; repeat the call once it works",
        engine=ENGINE,
        operation=operation,
    )


@contextmanager
def map_errors(operation: str) -> Iterator[None]:
    """Turn any OSError inside the block into a `StoreError`."""
    try:
        yield
    except OSError as exc:
        raise translate(exc, operation) from exc
