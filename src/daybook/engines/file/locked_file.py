"""A followed file that this process has locked, and how frames are added to it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Generic, TypeVar

from daybook.engines.file.file_lock import BusyError, release, try_lock
from daybook.engines.file.folders import Folders, write_all
from daybook.engines.file.followed_file import FollowedFile
from daybook.engines.file.frames import FRAME_START
from daybook.engines.file.hidden_tail import hide_from, show
from daybook.engines.file.paths import Place

__all__ = ["Locked", "lock_place"]

F = TypeVar("F", bound=FollowedFile)


class Locked(Generic[F]):
    """A locked file.

    Attributes:
        place: Where it stands.
        descriptor: The open file.
        size: Its size when it was locked; a crash may have left something past `file.end`.
        file: What is known of it, up to its end.
    """

    __slots__ = ("descriptor", "file", "place", "size")

    def __init__(self, place: Place, descriptor: int, size: int, file: F) -> None:
        self.place = place
        self.descriptor = descriptor
        self.size = size
        self.file = file

    def add(self, data: bytes) -> None:
        """Write frames at the end, over what a crash may have left there.

        Until they are synced and learned, nobody sees them, in this process or another.

        Raises:
            OSError: Nothing was added.
        """
        with self.file.guard:
            self.file.writing = True
        hide_from(self.descriptor, self.file.end)
        try:
            if self.size > self.file.end:
                os.ftruncate(self.descriptor, self.file.end)
            write_all(self.descriptor, [data], self.file.end)
        except BaseException:
            self.take_back()
            raise

    def learn(self, data: bytes) -> None:
        """Learn frames that were added and synced, and show them to other processes.

        Both at once for readers of this process, who wait for `guard`.
        """
        with self.file.guard:
            show(self.descriptor)
            self.file.learn(data)

    def take_back(self) -> bool:
        """Remove what was added and could not be synced; tell whether it is surely gone."""
        self.file.writing = False
        gone = self._cut_off()
        show(self.descriptor)
        return gone

    def _cut_off(self) -> bool:
        with suppress(OSError):
            os.ftruncate(self.descriptor, self.file.end)
            return True
        with suppress(OSError):  # a frame without its beginning does not count
            write_all(self.descriptor, [bytes(FRAME_START)], self.file.end)
            return True
        return False

    def unlock(self) -> None:
        """Give the file back."""
        self.file.writing = False
        release(self.descriptor)


def lock_place(folders: Folders, place: Place) -> tuple[int, int] | None:
    """Return the locked, open file of a place and its size; None if there is none.

    Raises:
        BusyError: Another process has it.
    """
    while True:
        try:
            descriptor = folders.open(place, os.O_RDWR)
        except FileNotFoundError:
            return None
        held = False
        try:
            locked = try_lock(descriptor)
            found = os.fstat(descriptor)
            held = locked and _same(found, folders.stat(place))
        finally:
            if not held:
                release(descriptor)
        if held:
            return descriptor, found.st_size
        if not locked:
            raise BusyError
        # It was replaced or removed while we opened it: look again.


def _same(one: os.stat_result, other: os.stat_result | None) -> bool:
    return other is not None and (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
