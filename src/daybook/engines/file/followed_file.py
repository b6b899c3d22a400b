"""Following a file that grows: what was read stays, what was added since is read on top.

A subclass says what a frame means. Only whole frames count: what a crash left half written at
the end is passed over by readers and cut off by the next writer. Damage before the end costs the
frames it hits, not the file.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from threading import Lock

from daybook.engines.file.driver_errors import damaged
from daybook.engines.file.folders import read_all
from daybook.engines.file.frames import (
    LINE_SIZE,
    FileLine,
    Frame,
    claimed_size,
    find_frame,
    parse_frame,
    parse_line,
    seed_of,
)
from daybook.errors import SchemaVersionError

__all__ = ["FollowedFile", "read_line"]

_CHUNK = 4_000_000
_VERSION = 1


def read_line(descriptor: int) -> FileLine:
    """Return the first line of an open file.

    Raises:
        CorruptRecordError: It is not one of ours.
        SchemaVersionError: A newer version wrote it.
    """
    line = parse_line(os.pread(descriptor, LINE_SIZE, 0))
    if line is None:
        raise damaged("a file of the store does not begin as it should", "open")
    if line.version != _VERSION:
        raise SchemaVersionError(
            f"a file has form {line.version}, this version reads {_VERSION}: upgrade Daybook",
            engine="file",
            operation="open",
        )
    return line


class FollowedFile(ABC):
    """What is known of one file.

    Attributes:
        file_id: The file's own name: a file put in its place has another.
        stream: The stream it holds.
        seed: Where its checksums start.
        end: Up to where it was read: all before is whole.
        guard: Held while the fields change or are read together.
        writing: This process is adding to it: what lies past `end` is not committed yet.
    """

    def __init__(self, line: FileLine) -> None:
        self.file_id = line.file_id
        self.stream = line.stream
        self.seed = seed_of(line.stream)
        self.end = LINE_SIZE
        self.guard = Lock()
        self.writing = False

    @abstractmethod
    def take(self, frame: Frame, data: bytes, offset: int, *, last: bool) -> bool:
        """Learn a frame.

        Args:
            frame: Its offsets count within `data`.
            data: Bytes of the file.
            offset: Where `data` begins in the file.
            last: Nothing follows it in the file.

        Returns:
            False if it does not count: the last one, with a body that is not as it was written.
        """

    @abstractmethod
    def learn(self, data: bytes) -> None:
        """Learn frames that this process has written at `end` and synced; `guard` is held."""

    def follow(self, descriptor: int, size: int) -> None:
        """Read what was added since, up to `size`; the caller holds `guard`.

        Raises:
            OSError: Reading failed.
        """
        while self.end < size and self._advance(descriptor, size):
            pass

    def _advance(self, descriptor: int, size: int) -> bool:
        """Read a chunk; tell whether there may be more."""
        left = size - self.end
        data = read_all(descriptor, self.end, min(_CHUNK, left))
        if self._take_all(data, size):
            return True
        wanted = claimed_size(data, 0)
        if len(data) < wanted <= left:
            data = read_all(descriptor, self.end, wanted)
            if self._take_all(data, size):
                return True
        return self._skip_damage(read_all(descriptor, self.end, left))

    def _take_all(self, data: bytes, size: int) -> bool:
        start, at = self.end, 0
        while (frame := parse_frame(data, at, self.seed)) is not None:
            if not self.take(frame, data, start, last=start + frame.end == size):
                break
            at = frame.end
            self.end = start + at
        return at > 0

    def _skip_damage(self, rest: bytes) -> bool:
        """Go on at the next sound frame, if there is one: else this is the torn end."""
        following = find_frame(rest, 1, self.seed)
        if following is None:
            return False
        self.end += following
        return True
