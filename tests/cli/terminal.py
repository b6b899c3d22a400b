"""A program at a terminal of its own, as somebody who types sees it."""

from __future__ import annotations

import codecs
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# The terminal becomes the program's own, so that Ctrl-C reaches it as a signal; whoever runs tests
# in the background may have had it ignored.
_AT_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
_LIMIT_S = 60.0
_LOOK_S = 0.01
_LOOKS = 3

_CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"


class Terminal:
    """What it shows, and a keyboard.

    Attributes:
        shown: Everything it has shown.
    """

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.shown = ""
        self._process = process
        self._screen = screen
        self._seen = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def type(self, keys: str) -> None:
        """Press keys; "\\r" is Enter."""
        os.write(self._screen, keys.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C once the program waits, for keys or for an answer.

        Python's line editor misses one that comes in the moment before it waits. A second one, to
        be safe, would end a program that is slow to answer the first.
        """
        end = time.monotonic() + _LIMIT_S
        asleep = 0
        while asleep < _LOOKS:
            if time.monotonic() > end:
                raise AssertionError(f"it is busy: {self.shown[self._seen :]!r}")
            asleep = asleep + 1 if self._sleeps() else 0
            time.sleep(_LOOK_S)
        self.type(_CTRL_C)

    def until(self, text: str) -> str:
        """Wait until it shows a text, after the one of the last call; return all up to it."""
        if not self._shows(text):
            raise AssertionError(f"{text!r} did not come: {self.shown[self._seen :]!r}")
        found = self.shown.find(text, self._seen)
        before = self.shown[self._seen : found + len(text)]
        self._seen = found + len(text)
        return before

    def end(self) -> int:
        """Wait until the program has ended; return its exit code."""
        while self._read(_LIMIT_S):
            pass
        return self._process.wait(_LIMIT_S)

    def _sleeps(self) -> bool:
        """Tell whether the program's main thread waits for something."""
        told = Path(f"/proc/{self._process.pid}/stat").read_text()
        return told.rpartition(")")[2].split()[0] == "S"

    def _shows(self, text: str) -> bool:
        end = time.monotonic() + _LIMIT_S
        while self.shown.find(text, self._seen) < 0:
            if not self._read(end - time.monotonic()):
                return False
        return True

    def _read(self, limit_s: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], max(0.0, limit_s))
        if not ready:
            return False
        try:
            data = os.read(self._screen, 4096)
        except OSError:  # the other side is closed
            return False
        self.shown += self._decoder.decode(data)
        return bool(data)


@contextmanager
def terminal(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[Terminal]:
    """Run a program at a terminal for the length of a block."""
    screen, keyboard = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *command],
        cwd=folder,
        env={**os.environ, "TERM": "dumb", **environment},
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        start_new_session=True,
    )
    os.close(keyboard)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        process.wait()
        os.close(screen)
