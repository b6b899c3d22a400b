"""Exclusive locks on open files, between processes; the kernel frees them with their process."""

from __future__ import annotations

import os
from contextlib import suppress

try:
    import fcntl
except ImportError:  # pragma: no cover - the engine refuses to open without it
    fcntl = None  # type: ignore[assignment]

__all__ = ["BusyError", "release", "supported", "try_lock", "wait_for_lock"]

_held: set[int] = set()


class BusyError(Exception):
    """Another process holds a lock that is needed; nothing was changed, so try again soon."""


def supported() -> bool:
    """Tell whether this system locks files."""
    return fcntl is not None


def try_lock(descriptor: int) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    _held.add(descriptor)
    return True


def wait_for_lock(descriptor: int) -> None:
    """Take the lock, however long that takes: only for locks that are held for moments."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    _held.add(descriptor)


def release(descriptor: int) -> None:
    """Give the lock back and close the file."""
    _held.discard(descriptor)
    try:
        with suppress(OSError):  # closing gives it back as well, unless a child shares the file
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _drop_in_child() -> None:
    """Close inherited locked files, so that a child never keeps its parent's lock alive."""
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_in_child)
