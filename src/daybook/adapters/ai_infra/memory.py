"""Everything that ai-infra documents under ``ai_infra.llm.memory``, and its `fit_context`."""

from __future__ import annotations

from daybook.adapters.ai_infra.conversation_chunks import ConversationChunk, SearchResult
from daybook.adapters.ai_infra.conversation_memory import ConversationMemory
from daybook.adapters.ai_infra.fit_context import ContextResult, afit_context, fit_context
from daybook.adapters.ai_infra.memory_item import MemoryItem
from daybook.adapters.ai_infra.memory_store import MemoryStore
from daybook.adapters.ai_infra.memory_tool import create_memory_tool, create_memory_tool_async
from daybook.adapters.ai_infra.summaries import (
    SummarizeResult,
    asummarize_messages,
    summarize_messages,
)
from daybook.adapters.ai_infra.summarization_middleware import SummarizationMiddleware
from daybook.adapters.ai_infra.token_counts import (
    count_tokens,
    count_tokens_approximate,
    get_context_limit,
)
from daybook.adapters.ai_infra.trimming import trim_messages

__all__ = [
    "ContextResult",
    "ConversationChunk",
    "ConversationMemory",
    "MemoryItem",
    "MemoryStore",
    "SearchResult",
    "SummarizationMiddleware",
    "SummarizeResult",
    "afit_context",
    "asummarize_messages",
    "count_tokens",
    "count_tokens_approximate",
    "create_memory_tool",
    "create_memory_tool_async",
    "fit_context",
    "get_context_limit",
    "summarize_messages",
    "trim_messages",
]
