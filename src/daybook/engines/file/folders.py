"""Files below one root, reached folder by folder without ever following a symbolic link.

Folders are kept open, a bounded number of them: opening a file is one system call, and syncing a
folder needs no path. Every method is safe on any thread.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from daybook.engines.file.file_lock import release, try_lock, wait_for_lock
from daybook.engines.file.paths import TEMPORARY, Place

__all__ = ["Folders", "read_all", "write_all"]

_MOST_OPEN = 128
_FOLDER_FLAGS = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_HAS_DATA_SYNC = hasattr(os, "fdatasync")
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700


class _Kept:
    """An open folder: how many use it now, and whether its name is surely on the disk."""

    __slots__ = ("descriptor", "durable", "users")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.users = 0
        self.durable = False


class Folders:
    """The store's tree of folders."""

    def __init__(self, root: Path, *, synced: bool = True) -> None:
        """Open the root, which must exist.

        Args:
            root: Where it is.
            synced: False leaves it to the system when changes reach the disk.

        Raises:
            OSError: It cannot be opened.
        """
        self._synced = synced
        self._root = os.open(root, _FOLDER_FLAGS)
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()

    @property
    def synced(self) -> bool:
        """Whether changes are brought to the disk before they are acknowledged."""
        return self._synced

    def close(self) -> None:
        """Close every folder. Repeatable; nothing may be in use."""
        with self._lock:
            for kept in self._kept.values():
                os.close(kept.descriptor)
            self._kept.clear()
            if self._root >= 0:
                os.close(self._root)
                self._root = -1

    @contextmanager
    def folder(self, parts: tuple[str, ...], *, create: bool = False) -> Iterator[int]:
        """Give the descriptor of a folder while the block runs.

        Args:
            parts: The names from the root down.
            create: Make what is missing; then the names on the way are on the disk for certain.

        Raises:
            FileNotFoundError: It is missing and not to be made.
        """
        if not parts:
            yield self._root
            return
        kept = self._take(parts, create)
        try:
            yield kept.descriptor
        finally:
            with self._lock:
                kept.users -= 1

    def open(self, place: Place, flags: int, *, create_folders: bool = False) -> int:
        """Open a file; a new one is readable by its owner only.

        Raises:
            FileNotFoundError: It, or a folder on the way, is missing.
        """
        with self.folder(place.folders, create=create_folders) as parent:
            return self._open_at(place.name, flags | _NO_LINK | os.O_CLOEXEC, parent)

    def stat(self, place: Place) -> os.stat_result | None:
        """Return what the system knows of a file, None if it is missing."""
        try:
            with self.folder(place.folders) as parent:
                return os.stat(place.name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self, parts: tuple[str, ...]) -> list[str]:
        """Return the names in a folder, sorted; none if it is missing."""
        try:
            with self.folder(parts) as kept:
                # One place of reading belongs to each opening: two threads that list the kept one
                # would each get a part of the names.
                descriptor = os.open(".", _FOLDER_FLAGS, dir_fd=kept)
        except FileNotFoundError:
            return []
        try:
            return sorted(os.listdir(descriptor))  # noqa: PTH208 - of an open folder
        finally:
            os.close(descriptor)

    def unlink(self, place: Place) -> bool:
        """Remove a file; tell whether it was there. Not durable before `sync`."""
        try:
            with self.folder(place.folders) as parent:
                os.unlink(place.name, dir_fd=parent)
        except FileNotFoundError:
            return False
        return True

    def remove_folder(self, parts: tuple[str, ...]) -> None:
        """Remove a folder if it is empty, or leave it."""
        with self._lock:
            kept = self._kept.get(parts)
            if kept is not None and not kept.users:
                os.close(self._kept.pop(parts).descriptor)
        with suppress(FileNotFoundError), self.folder(parts[:-1]) as parent:
            try:
                os.rmdir(parts[-1], dir_fd=parent)
            except OSError as exc:
                if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise

    def sync(self, parts: tuple[str, ...]) -> None:
        """Bring the names in a folder to the disk."""
        with self.folder(parts) as descriptor:
            self.sync_file(descriptor, names=True)

    def sync_file(self, descriptor: int, *, names: bool = False, always: bool = False) -> None:
        """Bring an open file to the disk.

        Args:
            descriptor: The file.
            names: It is a folder.
            always: Even where syncing is left to the system: what is renamed over something must
                be whole, or a power loss would take the old and the new.
        """
        if not (self._synced or always):
            return
        if names or not _HAS_DATA_SYNC:
            os.fsync(descriptor)
        else:
            os.fdatasync(descriptor)

    @contextmanager
    def locked_folder(self, parts: tuple[str, ...]) -> Iterator[None]:
        """Keep other processes that do the same out of a folder while the block runs."""
        with self.folder(parts) as kept:
            descriptor = os.open(".", _FOLDER_FLAGS, dir_fd=kept)
        try:
            wait_for_lock(descriptor)
            yield
        finally:
            release(descriptor)

    @contextmanager
    def locked_file(self, place: Place) -> Iterator[int]:
        """Keep other processes that do the same out of a file while the block runs."""
        descriptor = self.open(place, os.O_RDWR | os.O_CREAT)
        try:
            wait_for_lock(descriptor)
            yield descriptor
        finally:
            release(descriptor)

    @contextmanager
    def new_file(self, chunks: Sequence[bytes]) -> Iterator[tuple[int, str]]:
        """Give a new, locked temporary file with this content as ``(descriptor, name)``.

        Whoever opens the store removes temporary files that nobody holds a lock on. The block puts
        it where it belongs with `publish` or `replace`; otherwise it goes with the block.
        """
        descriptor, name = self._temporary()
        try:
            write_all(descriptor, chunks, 0)
            yield descriptor, name
        finally:
            self.unlink(Place((TEMPORARY,), name))
            release(descriptor)

    def _temporary(self) -> tuple[int, str]:
        """Make a temporary file and lock it; return its descriptor and name."""
        while True:
            name = secrets.token_hex(12)
            place = Place((TEMPORARY,), name)
            descriptor = self.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, create_folders=True)
            held = False
            try:
                # Until it is locked, a process that opens the store takes it for a dead one's.
                held = try_lock(descriptor) and self.stat(place) is not None
            finally:
                if not held:
                    self.unlink(place)
                    release(descriptor)
            if held:
                return descriptor, name

    def publish(self, name: str, place: Place) -> None:
        """Give a temporary file its place, where nothing may be.

        Raises:
            FileExistsError: Something is there.
        """
        with (
            self.folder((TEMPORARY,)) as source,
            self.folder(place.folders, create=True) as target,
        ):
            os.link(name, place.name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)

    def replace(self, name: str, place: Place) -> None:
        """Put a temporary file in a place, whatever is there now."""
        with (
            self.folder((TEMPORARY,)) as source,
            self.folder(place.folders, create=True) as target,
        ):
            os.rename(name, place.name, src_dir_fd=source, dst_dir_fd=target)

    def write_small(self, place: Place, body: bytes, *, durable: bool) -> None:
        """Write a small file whole or not at all, whatever is there now."""
        with self.new_file([body]) as (descriptor, name):
            if durable:
                self.sync_file(descriptor, always=True)
            self.replace(name, place)
        if durable:
            with self.folder(place.folders) as folder:
                self.sync_file(folder, names=True, always=True)

    def read_small(self, place: Place) -> bytes | None:
        """Return the content of a small file, None if it is missing."""
        try:
            descriptor = self.open(place, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return read_all(descriptor, 0, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def remove_leftovers(self) -> None:
        """Remove temporary files of processes that ended before they had placed them."""
        for name in self.names((TEMPORARY,)):
            place = Place((TEMPORARY,), name)
            try:
                descriptor = self.open(place, os.O_RDWR)
            except FileNotFoundError:
                continue
            if not try_lock(descriptor):
                os.close(descriptor)
                continue
            self.unlink(place)
            release(descriptor)

    def _take(self, parts: tuple[str, ...], create: bool) -> _Kept:
        with self._lock:
            kept = self._kept.get(parts)
            if kept is not None and (kept.durable or not create):
                kept.users += 1
                self._kept.move_to_end(parts)
                return kept
        with self.folder(parts[:-1], create=create) as parent:
            descriptor = self._open_folder(parts[-1], parent, create)
            try:
                if create:
                    self.sync_file(parent, names=True)
            except BaseException:
                os.close(descriptor)
                raise
        return self._keep(parts, descriptor, create)

    def _keep(self, parts: tuple[str, ...], descriptor: int, durable: bool) -> _Kept:
        with self._lock:
            kept = self._kept.get(parts)
            if kept is None:
                kept = self._kept[parts] = _Kept(descriptor)
            else:
                os.close(descriptor)
            kept.durable = kept.durable or durable
            kept.users += 1
            self._shrink(_MOST_OPEN)
            return kept

    def _shrink(self, most: int) -> None:
        for parts in list(self._kept)[: max(0, len(self._kept) - most)]:
            if not self._kept[parts].users:
                os.close(self._kept.pop(parts).descriptor)

    def _open_folder(self, name: str, parent: int, create: bool) -> int:
        flags = _FOLDER_FLAGS | _NO_LINK
        try:
            return self._open_at(name, flags, parent)
        except FileNotFoundError:
            if not create:
                raise
        with suppress(FileExistsError):
            os.mkdir(name, _FOLDER_MODE, dir_fd=parent)
        return self._open_at(name, flags, parent)

    def _open_at(self, name: str, flags: int, parent: int) -> int:
        try:
            return os.open(name, flags, _FILE_MODE, dir_fd=parent)
        except OSError as exc:
            if exc.errno not in {errno.EMFILE, errno.ENFILE}:
                raise
        with self._lock:  # the folders kept open are a convenience: give them up first
            self._shrink(0)
        return os.open(name, flags, _FILE_MODE, dir_fd=parent)


def read_all(descriptor: int, start: int, size: int) -> bytes:
    """Return `size` bytes of a file from `start`, fewer only where it ends."""
    first = os.pread(descriptor, size, start)
    if len(first) == size or not first:
        return first
    chunks, found = [first], len(first)
    while found < size:
        chunk = os.pread(descriptor, size - found, start + found)
        if not chunk:
            break
        chunks.append(chunk)
        found += len(chunk)
    return b"".join(chunks)


def write_all(descriptor: int, chunks: Sequence[bytes], start: int) -> int:
    """Write chunks one after the other from `start`; return where they end.

    Raises:
        OSError: A part may have been written.
    """
    body = memoryview(chunks[0] if len(chunks) == 1 else b"".join(chunks))
    while body:
        written = os.pwrite(descriptor, body, start)
        start += written
        body = body[written:]
    return start
