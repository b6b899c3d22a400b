"""Claude's memory tool (``memory_20250818``) over Daybook's records, for sync and async clients."""

from __future__ import annotations

from daybook.errors import MissingDependencyError

try:
    from daybook.adapters.anthropic_memory.tool import (
        AsyncDaybookMemoryTool,
        DaybookMemoryTool,
    )
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "anthropic":
        raise
    raise MissingDependencyError(
        "daybook.adapters.anthropic_memory", "pip install 'daybook[anthropic]'"
    ) from exc

__all__ = ["AsyncDaybookMemoryTool", "DaybookMemoryTool"]
