"""Past conversations and the tool that recalls them, where ai-infra has them."""

from __future__ import annotations

from daybook.adapters.ai_infra.conversation_chunks import ConversationChunk, SearchResult
from daybook.adapters.ai_infra.conversation_memory import ConversationMemory
from daybook.adapters.ai_infra.memory_tool import create_memory_tool, create_memory_tool_async

__all__ = [
    "ConversationChunk",
    "ConversationMemory",
    "SearchResult",
    "create_memory_tool",
    "create_memory_tool_async",
]
