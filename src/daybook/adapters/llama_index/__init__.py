"""LlamaIndex's chat stores and a memory block on any engine of Daybook's."""

from __future__ import annotations

from daybook.errors import MissingDependencyError

try:
    from daybook.adapters.llama_index.chat_store import DaybookChatStore
    from daybook.adapters.llama_index.db_chat_store import DaybookDBChatStore
    from daybook.adapters.llama_index.memory_block import DaybookMemoryBlock
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "llama_index":
        raise
    raise MissingDependencyError(
        "daybook.adapters.llama_index", "pip install 'daybook[llama-index]'"
    ) from exc

__all__ = ["DaybookChatStore", "DaybookDBChatStore", "DaybookMemoryBlock"]
