"""What is known of files, kept for the next call: the least recently used leave first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

from daybook.engines.file.followed_file import read_line
from daybook.engines.file.frames import FileLine
from daybook.engines.file.hidden_tail import shown_size
from daybook.engines.file.paths import Place

__all__ = ["FileCache"]


class _Cached(Protocol):
    file_id: str
    end: int
    writing: bool

    @property
    def weight(self) -> int: ...


F = TypeVar("F", bound=_Cached)


class FileCache(Generic[F]):
    """Followed files by place, up to a total weight. Safe on any thread."""

    def __init__(self, make: Callable[[FileLine], F], most: int) -> None:
        self._make = make
        self._most = most
        self._lock = Lock()
        self._files: OrderedDict[Place, tuple[F, int]] = OrderedDict()
        self._total = 0

    def known(self, place: Place, descriptor: int) -> tuple[F, int]:
        """Return what is known of an open file, maybe nothing yet, and up to where it is shown."""
        line = read_line(descriptor)
        file = self.get(place, line)
        known = file.end  # before the size is asked for: meanwhile it may be read further
        size = shown_size(descriptor)
        if size < known and not file.writing:
            # A write that failed was taken back after it had been read.
            self.forget(place)
            file = self.get(place, line)
        return file, size

    def get(self, place: Place, line: FileLine) -> F:
        """Return what is known of the file that has this first line."""
        with self._lock:
            found = self._files.pop(place, None)
            if found is not None:
                self._total -= found[1]
            fits = found is not None and found[0].file_id == line.file_id
            file = found[0] if found is not None and fits else self._make(line)
            self._put(place, file)
            return file

    def forget(self, place: Place) -> None:
        """Drop what is known of a file."""
        with self._lock:
            found = self._files.pop(place, None)
            if found is not None:
                self._total -= found[1]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._files.clear()
            self._total = 0

    def _put(self, place: Place, file: F) -> None:
        weight = file.weight
        self._files[place] = (file, weight)
        self._total += weight
        while self._total > self._most and len(self._files) > 1:
            oldest, (leaving, cost) = next(iter(self._files.items()))
            if leaving.writing:  # its readers must not take what is not committed yet
                self._files.move_to_end(oldest)
                return
            del self._files[oldest]
            self._total -= cost
