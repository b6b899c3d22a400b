"""The six commands of the memory tool, over a user's files."""

from __future__ import annotations

from typing import Any

from anthropic.lib.tools import ToolError

from daybook.adapters.anthropic_memory.files import FileTakenError, MemoryFiles, TooMuchError
from daybook.adapters.anthropic_memory.paths import ROOT, PathRefusedError, checked_path
from daybook.adapters.anthropic_memory.views import (
    MAX_LINES,
    directory_view,
    file_view,
    inserted,
    line_count,
    occurrences,
    snippet,
)
from daybook.errors import ConflictError

__all__ = ["MemoryCommands"]

_MISSING = "The path {} does not exist. Please provide a valid path."


class MemoryCommands:
    """Each method is a command and returns what the model reads.

    Every one raises `ToolError` for what the model can put right, and `StoreError` where the
    engine failed.
    """

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files

    async def view(self, command: Any) -> str:
        """Return a file with line numbers, or what is in a directory."""
        path = _path(command.path)
        text = None if path == ROOT else await self._files.read(path)
        if text is not None:
            if text.count("\n") >= MAX_LINES:
                raise ToolError(f"File {path} exceeds maximum line limit of 999,999 lines.")
            return file_view(path, text, getattr(command, "view_range", None))
        sizes = await self._files.sizes(path)
        if not sizes and path != ROOT:
            raise ToolError(_MISSING.format(path))
        return directory_view(path, sizes)

    async def create(self, command: Any) -> str:
        """Make a file; it must not be there."""
        path = _path(command.path)
        if path == ROOT:
            raise ToolError(f"File {path} already exists")
        try:
            await self._files.create(path, command.file_text)
        except (FileTakenError, TooMuchError) as exc:
            raise ToolError(str(exc)) from exc
        return f"File created successfully at: {command.path}"

    async def str_replace(self, command: Any) -> str:
        """Replace a text that occurs once."""
        path, old = _path(command.path), command.old_str
        line = 0

        def change(text: str) -> str:
            nonlocal line
            found = occurrences(text, old) if old else []
            if not found:
                raise ToolError(
                    f"No replacement was performed, old_str `{old}` did not appear verbatim in "
                    f"{command.path}."
                )
            if len(found) > 1:
                raise ToolError(
                    f"No replacement was performed. Multiple occurrences of old_str `{old}` in "
                    f"lines: {', '.join(map(str, found))}. Please ensure it is unique"
                )
            line = found[0]
            return text.replace(old, command.new_str or "")

        text = await self._edit(path, change)
        return (
            "The memory file has been edited. Here is the snippet showing the change (with line "
            f"numbers):\n{snippet(text, line)}"
        )

    async def insert(self, command: Any) -> str:
        """Insert lines after a line."""
        path = _path(command.path)

        def change(text: str) -> str:
            changed = inserted(text, command.insert_line, command.insert_text)
            if changed is None:
                raise ToolError(
                    f"Invalid `insert_line` parameter: {command.insert_line}. It should be within "
                    f"the range [0, {line_count(text)}]."
                )
            return changed

        await self._edit(path, change)
        return f"The file {command.path} has been edited."

    async def delete(self, command: Any) -> str:
        """Remove a file or a directory."""
        path = _path(command.path)
        if path == ROOT:
            raise ToolError(f"Cannot delete the {ROOT} directory itself")
        if not await self._files.delete(path):
            raise ToolError(f"The path {command.path} does not exist")
        return f"Successfully deleted {command.path}"

    async def rename(self, command: Any) -> str:
        """Move a file or a directory; nothing may be at the new path."""
        path, to = _path(command.old_path), _path(command.new_path)
        if path == ROOT:
            raise ToolError(f"Cannot rename the {ROOT} directory itself")
        if to in (path, ROOT):
            raise ToolError(f"The destination {command.new_path} already exists")
        if to.startswith(f"{path}/"):
            raise ToolError(f"Cannot move {command.old_path} into itself")
        try:
            moved = await self._files.rename(path, to)
        except FileTakenError as exc:
            raise ToolError(str(exc)) from exc
        except ConflictError as exc:
            raise ToolError(f"{command.old_path} is being changed. Please try again.") from exc
        if not moved:
            raise ToolError(f"The path {command.old_path} does not exist")
        return f"Successfully renamed {command.old_path} to {command.new_path}"

    async def clear_all_memory(self) -> str:
        """Remove all files of the user."""
        await self._files.delete(ROOT)
        return "All memory cleared"

    async def _edit(self, path: str, change: Any) -> str:
        try:
            text = await self._files.edit(path, change)
        except TooMuchError as exc:
            raise ToolError(str(exc)) from exc
        if text is not None:
            return text
        if path == ROOT or await self._files.sizes(path):
            raise ToolError(f"The path {path} is not a file.")
        raise ToolError(_MISSING.format(path))


def _path(path: Any) -> str:
    try:
        return checked_path(path)
    except PathRefusedError as exc:
        raise ToolError(str(exc)) from exc
