"""Pydantic AI's `ConversationStore` on any engine of Daybook's."""

from __future__ import annotations

from daybook.errors import MissingDependencyError

try:
    from daybook.adapters.pydantic_ai.store import DaybookConversationStore
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "pydantic_ai":
        raise
    raise MissingDependencyError(
        "daybook.adapters.pydantic_ai", "pip install 'daybook[pydantic-ai]'"
    ) from exc

__all__ = ["DaybookConversationStore"]
