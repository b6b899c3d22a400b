"""Attaching strace to a waiting child: to end it at a system call, to fail a call, to record."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tools.crash.zygote import Child

__all__ = ["Strace", "available", "record", "tamper"]


def available() -> bool:
    """Tell whether strace is installed."""
    return shutil.which("strace") is not None


def tamper(call: str, action: str, when: str) -> list[str]:
    """Return options that tamper with a call: `action` is ``signal=SIGKILL``, ``error=ENOSPC`` …"""
    return ["-e", f"trace={call}", "-e", f"inject={call}:{action}:when={when}"]


def record(calls: Sequence[str], out: Path, *, longest: int) -> list[str]:
    """Return options that write every byte of these calls to a file."""
    return ["-y", "-xx", "-s", str(longest), "-o", str(out), "-e", f"trace={','.join(calls)}"]


class Strace:
    """Strace on one child, from before its first call until its end."""

    def __init__(self, child: Child, options: Sequence[str]) -> None:
        """Attach.

        Raises:
            RuntimeError: It could not be attached.
        """
        quiet = [] if "-o" in options else ["-o", "/dev/null"]
        self._process = subprocess.Popen(
            ["strace", "-f", *quiet, *options, "-p", str(child.pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None  # noqa: S101 - asked for above
        said = self._process.stderr.readline()
        if "attached" not in said:
            raise RuntimeError(f"strace cannot attach: {said}")

    def __enter__(self) -> Strace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.terminate()
        self._process.communicate()
