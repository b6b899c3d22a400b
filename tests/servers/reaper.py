"""Ends servers whose owners are gone, even owners that were killed.

Run as a program it waits until nobody holds a lock file any more, then kills every process of one
folder and removes the folder. The kernel drops a lock with the process that held it, so nothing
is left behind after `kill -9` of a test run. Standard library only: it starts without packages.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import time
from pathlib import Path

# The first process of a folder's server: its id and its start time, which together never recur.
MAIN_PROCESS = "main-process"


def start_time(pid: int) -> str | None:
    """Return when a process started in clock ticks since boot, or None if it has ended."""
    fields = _stat(pid)
    return None if fields is None or fields[0] == "Z" else fields[19]


def members(folder: Path) -> list[int]:
    """List the live processes of a folder's server, the first one first.

    Those are the recorded main process with all below it, and whatever works inside the folder:
    the second finds orphans, the first works where another user's folders cannot be read.
    """
    found = dict.fromkeys(_tree(folder))
    found.update(dict.fromkeys(_working_inside(folder)))
    return list(found)


def kill_all(folder: Path, *, limit_s: float = 60.0) -> None:
    """Kill every process of a folder's server and return when none is left.

    Raises:
        TimeoutError: some are still there after `limit_s`.
    """
    deadline = time.monotonic() + limit_s
    while left := members(folder):
        for pid in left:
            send(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {left} outlived SIGKILL")
        time.sleep(0.005)


def send(pid: int, what: signal.Signals) -> None:
    """Send a signal to a process, which may have ended meanwhile."""
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the state on, or None without such a process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _tree(folder: Path) -> list[int]:
    """List the recorded main process and its descendants, parents before children."""
    try:
        main, started = (folder / MAIN_PROCESS).read_text().split()
    except (FileNotFoundError, ValueError):
        return []
    if start_time(int(main)) != started:
        return []
    children: dict[int, list[int]] = {}
    for pid in _pids():
        fields = _stat(pid)
        if fields is not None and fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(pid)
    found = [int(main)]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _working_inside(folder: Path) -> list[int]:
    """List the processes whose working directory is the folder or lies below it."""
    top = folder.resolve()
    found = []
    for pid in _pids():
        try:
            place = Path(f"/proc/{pid}/cwd").readlink()
        except OSError:  # ended, a zombie, or another user's
            continue
        if place.is_relative_to(top):
            found.append(pid)
    return found


def main() -> None:
    """Wait for the lock named first, then clear the folder named second."""
    lock, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        kill_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
