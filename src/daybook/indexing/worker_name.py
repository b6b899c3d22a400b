"""Who works on a share, so that others can tell whether that process still lives."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

__all__ = ["has_died", "new_worker_name"]


def new_worker_name(unique: str) -> str:
    """Return a name for one worker of this process: ``host:process:unique``."""
    return f"{platform.node()}:{os.getpid()}:{unique}"


def has_died(name: str) -> bool:
    """Tell whether a worker's process is certainly gone.

    Only of this host's processes can that be known. Where process numbers mean something else (in
    another container under the same host name) the answer may be wrong: callers may rely on it to
    start early, not to be alone.
    """
    host, _, rest = name.partition(":")
    number = rest.partition(":")[0]
    # Elsewhere than on POSIX, signal 0 is a real one.
    if os.name != "posix" or host != platform.node() or not number.isdigit():
        return False
    try:
        with suppress(PermissionError):  # it lives and is somebody else's
            os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    return _is_zombie(number)


def _is_zombie(number: str) -> bool:
    """Tell whether a process has ended and nobody asked how; in containers that may stay so."""
    try:
        told = Path(f"/proc/{number}/stat").read_text()
    except OSError:  # no Linux, or it is gone by now
        return False
    return told.rpartition(")")[2].split()[:1] == ["Z"]
