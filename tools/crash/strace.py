"""Attaching strace to a waiting child: to end it at a system call, to fail a call, to record."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.crash.zygote import Child

__all__ = ["Strace", "Target", "available", "record"]


def available() -> bool:
    """Tell whether strace is installed."""
    return shutil.which("strace") is not None


@dataclass(frozen=True)
class Target:
    """A system call, on one of the files of a store.

    Strace counts calls for each thread on its own, so calls on all files together would hide those
    of a thread that makes few behind those of one that makes many.

    Attributes:
        call: Its name.
        file: What follows the database's name: ``-wal``, "" for the database itself; ``/`` for
            the folder, None for whatever the call is about.
    """

    call: str
    file: str | None = None

    def __str__(self) -> str:
        """Return it for a report."""
        names = {None: "", "": " database", "/": " folder"}
        return self.call + names.get(self.file, f" {self.file}")

    def options(self, path: Path, action: str, when: str) -> list[str]:
        """Return options that tamper: `action` is ``signal=SIGKILL``, ``error=ENOSPC`` and such."""
        only = [] if self.file is None else ["-P", self._path(path)]
        call = self.call
        return [*only, "-e", f"trace={call}", "-e", f"inject={call}:{action}:when={when}"]

    def _path(self, path: Path) -> str:
        return str(path.parent) if self.file == "/" else f"{path}{self.file}"


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

    def __enter__(self) -> Self:
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
