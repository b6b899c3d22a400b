"""The memory tool for `Anthropic` and for `AsyncAnthropic`."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from anthropic.lib.tools import BetaAbstractMemoryTool, BetaAsyncAbstractMemoryTool

from daybook.adapters.anthropic_memory.commands import MemoryCommands
from daybook.adapters.anthropic_memory.files import FileLimits, MemoryFiles
from daybook.adapters.opened import BookOrUrl, Place
from daybook.model.identifiers import check_id

__all__ = ["AsyncDaybookMemoryTool", "DaybookMemoryTool"]


class DaybookMemoryTool(BetaAbstractMemoryTool):
    """A user's memory files, for ``client.beta.messages.tool_runner(tools=[...])``.

    Args:
        book: A URL as for `Daybook.open`, or an opened book. A URL is opened once per process.
        user_id: Whose memory it is: taken from who is signed in, never from the model.
        file_bytes: Largest file the model may write.
        files: Most files it may keep.
        cache_control: As in the tool's base class.
        options: Options of `Daybook.open`, with a URL only.

    The model's paths are names of records: none reaches a file system, or another user.
    """

    def __init__(
        self,
        book: BookOrUrl,
        *,
        user_id: str,
        file_bytes: int = 1_000_000,
        files: int = 1_000,
        cache_control: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(cache_control=cache_control)
        self._place = Place(book, options)
        self._commands = _commands(self._place, user_id, file_bytes, files)

    def view(self, command: Any) -> str:
        """Return a file with line numbers, or what is in a directory."""
        return self._run(self._commands.view(command))

    def create(self, command: Any) -> str:
        """Make a file; it must not be there."""
        return self._run(self._commands.create(command))

    def str_replace(self, command: Any) -> str:
        """Replace a text that occurs once."""
        return self._run(self._commands.str_replace(command))

    def insert(self, command: Any) -> str:
        """Insert lines after a line."""
        return self._run(self._commands.insert(command))

    def delete(self, command: Any) -> str:
        """Remove a file or a directory, with every version."""
        return self._run(self._commands.delete(command))

    def rename(self, command: Any) -> str:
        """Move a file or a directory; nothing may be at the new path."""
        return self._run(self._commands.rename(command))

    def clear_all_memory(self) -> str:
        """Remove all files of the user."""
        return self._run(self._commands.clear_all_memory())

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable."""
        self._place.close()

    def _run(self, work: Coroutine[Any, Any, str]) -> str:
        return self._place.open().run(work)


class AsyncDaybookMemoryTool(BetaAsyncAbstractMemoryTool):
    """A user's memory files, for `AsyncAnthropic`; arguments as in `DaybookMemoryTool`."""

    def __init__(
        self,
        book: BookOrUrl,
        *,
        user_id: str,
        file_bytes: int = 1_000_000,
        files: int = 1_000,
        cache_control: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(cache_control=cache_control)
        self._place = Place(book, options)
        self._commands = _commands(self._place, user_id, file_bytes, files)

    async def view(self, command: Any) -> str:
        """See `DaybookMemoryTool.view`."""
        return await self._commands.view(command)

    async def create(self, command: Any) -> str:
        """See `DaybookMemoryTool.create`."""
        return await self._commands.create(command)

    async def str_replace(self, command: Any) -> str:
        """See `DaybookMemoryTool.str_replace`."""
        return await self._commands.str_replace(command)

    async def insert(self, command: Any) -> str:
        """See `DaybookMemoryTool.insert`."""
        return await self._commands.insert(command)

    async def delete(self, command: Any) -> str:
        """See `DaybookMemoryTool.delete`."""
        return await self._commands.delete(command)

    async def rename(self, command: Any) -> str:
        """See `DaybookMemoryTool.rename`."""
        return await self._commands.rename(command)

    async def clear_all_memory(self) -> str:
        """See `DaybookMemoryTool.clear_all_memory`."""
        return await self._commands.clear_all_memory()

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable."""
        self._place.close()


def _commands(place: Place, user_id: str, file_bytes: int, files: int) -> MemoryCommands:
    limits = FileLimits(file_bytes, files)
    return MemoryCommands(MemoryFiles(place, check_id(user_id, "user_id"), limits))
