"""A user's memory files as records: one record per file, every edit from the version it was read.

So two edits at once are both kept, a file is renamed whole or not at all, and the versions before
stay readable in ``book.records.versions``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec import Struct

from daybook.adapters.anthropic_memory.paths import ROOT, parents_of
from daybook.adapters.opened import Place
from daybook.errors import ConflictError
from daybook.facets.records import RecordWrite
from daybook.model.memory_record import MemoryRecord, Namespace

__all__ = ["FileLimits", "FileTakenError", "MemoryFiles", "TooMuchError"]

_MOVED = "moved"
_MOVED_LIFE = timedelta(hours=1)
_PAGE = 500


class FileLimits(Struct, frozen=True):
    """How much a user may keep.

    Attributes:
        file_bytes: Largest file.
        files: Most files.
    """

    file_bytes: int = 1_000_000
    files: int = 1_000


class FileTakenError(Exception):
    """A file is where one should be made, or its directory is a file."""


class TooMuchError(Exception):
    """A limit is reached; the message names it."""


class MemoryFiles:
    """The files of one user below ``/memories``. Paths are checked before they come here."""

    def __init__(self, place: Place, user_id: str, limits: FileLimits) -> None:
        """Name the user; no I/O."""
        self._place = place
        self._namespace: Namespace = (user_id, "memories")
        self._limits = limits

    async def read(self, path: str) -> str | None:
        """Return a file's text; None if there is no such file."""
        record = await self._get(path)
        return None if record is None else _text(record)

    async def sizes(self, directory: str = ROOT) -> dict[str, int]:
        """Return the bytes of every file below a directory, by path."""
        return {one.key: len(_text(one).encode()) for one in await self._below(directory)}

    async def create(self, path: str, text: str) -> None:
        """Make a file.

        Raises:
            FileTakenError: It is there, or something above it is a file, or it is a directory.
            TooMuchError: It is too large, or there are too many files.
        """
        self._check_size(text)
        files = await self.sizes()
        if len(files) >= self._limits.files:
            raise TooMuchError(f"There are {len(files)} files already; delete some first.")
        if any(file.startswith(f"{path}/") for file in files):
            raise FileTakenError(f"File {path} already exists")
        for parent in parents_of(path):
            if parent in files:
                raise FileTakenError(f"{parent} is not a directory")
        while True:
            before = await self._stored(path)
            if before is not None and _MOVED not in before.value:
                raise FileTakenError(f"File {path} already exists")
            try:
                await self._put(path, text, 0 if before is None else before.version)
            except ConflictError:
                continue
            return

    async def edit(self, path: str, change: Callable[[str], str]) -> str | None:
        """Change a file's text and return the new one; None if there is no such file.

        Args:
            path: The file.
            change: From the text to the new one; called again if the file changed meanwhile.

        Raises:
            TooMuchError: The new text is too large.
        """
        book = (await self._place.aopen()).awaited
        while True:
            record = await self._get(path)
            if record is None:
                return None
            text = change(_text(record))
            self._check_size(text)
            if text == _text(record):
                return text
            try:
                await book.records.put(
                    self._namespace, path, {"text": text}, expected_version=record.version
                )
            except ConflictError:
                continue
            return text

    async def delete(self, path: str) -> bool:
        """Remove a file or a directory, every version; tell whether it was there."""
        book = (await self._place.aopen()).awaited
        found = await self._at_or_below(path)
        if found:
            await book.records.delete_many([(self._namespace, one.key) for one in found])
        return bool(found)

    async def rename(self, path: str, to: str) -> bool:
        """Give a file or a directory another path; False if it is not there.

        Raises:
            FileTakenError: Something is at the new path, or a directory above it is a file.
            ConflictError: A file of the directory changes all the time.

        Atomicity: all files of it or none, as far as the engine's `capabilities` go.
        """
        book = (await self._place.aopen()).awaited
        for attempt in range(_TRIES):
            found = await self._at_or_below(path)
            if not found:
                return False
            files = await self.sizes()
            if to in files or any(file.startswith(f"{to}/") for file in files):
                raise FileTakenError(f"The destination {to} already exists")
            for parent in parents_of(to):
                if parent in files:
                    raise FileTakenError(f"{parent} is not a directory")
            writes = [write for one in found for write in await self._moves(one, path, to)]
            try:
                await book.records.put_many(writes)
            except ConflictError:
                if attempt == _TRIES - 1:
                    raise
            else:
                return True
        raise AssertionError  # the last try returned or raised

    async def _moves(self, record: MemoryRecord, path: str, to: str) -> list[RecordWrite]:
        """Return what moves a file: its text to the new place, a mark that ends to the old one.

        The mark makes it one write with the rest: deleting is another one, and cannot ask for a
        version.
        """
        target = to + record.key[len(path) :]
        there = await self._stored(target)
        return [
            RecordWrite(
                namespace=self._namespace,
                key=target,
                value=record.value,
                expected_version=0 if there is None else there.version,
            ),
            RecordWrite(
                namespace=self._namespace,
                key=record.key,
                value={_MOVED: target},
                ttl=_MOVED_LIFE,
                searched=False,
                expected_version=record.version,
            ),
        ]

    async def _put(self, path: str, text: str, version: int) -> None:
        book = (await self._place.aopen()).awaited
        await book.records.put(self._namespace, path, {"text": text}, expected_version=version)

    async def _stored(self, path: str) -> MemoryRecord | None:
        book = (await self._place.aopen()).awaited
        return await book.records.get(self._namespace, path)

    async def _get(self, path: str) -> MemoryRecord | None:
        record = await self._stored(path)
        return None if record is None or _MOVED in record.value else record

    async def _below(self, directory: str) -> list[MemoryRecord]:
        """Return every file below a directory; newest first, so none is missed while paging."""
        book = (await self._place.aopen()).awaited
        found: dict[str, MemoryRecord] = {}
        offset = 0
        while True:
            page = await book.records.list(self._namespace, limit=_PAGE, offset=offset)
            found.update((one.key, one) for one in page)
            if len(page) < _PAGE:
                break
            offset += _PAGE
        return [
            one
            for one in found.values()
            if one.key.startswith(f"{directory}/") and _MOVED not in one.value
        ]

    async def _at_or_below(self, path: str) -> list[MemoryRecord]:
        file = None if path == ROOT else await self._get(path)
        return [file] if file is not None else await self._below(path)

    def _check_size(self, text: str) -> None:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise TooMuchError("The text holds half a character; write it whole.") from None
        if size > self._limits.file_bytes:
            raise TooMuchError(
                f"The file would have {size} bytes; at most {self._limits.file_bytes} are allowed."
            )


_TRIES = 20


def _text(record: MemoryRecord) -> str:
    text: Any = record.value.get("text")
    return text if isinstance(text, str) else ""
