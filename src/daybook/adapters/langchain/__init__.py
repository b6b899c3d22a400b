"""Daybook for LangChain: histories, a runnable, trimming, agents' middleware, tool, retriever.

Each name is loaded when it is first asked for: histories need ``langchain-core``, the middleware
needs ``langchain``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from daybook.errors import MissingDependencyError

if TYPE_CHECKING:
    from daybook.adapters.langchain.history import DaybookChatMessageHistory
    from daybook.adapters.langchain.incumbents import (
        DynamoDBChatMessageHistory,
        FileChatMessageHistory,
        InMemoryChatMessageHistory,
        MongoDBChatMessageHistory,
        PostgresChatMessageHistory,
        RedisChatMessageHistory,
        SQLChatMessageHistory,
    )
    from daybook.adapters.langchain.messages import from_langchain, to_langchain
    from daybook.adapters.langchain.middleware import DaybookMiddleware
    from daybook.adapters.langchain.recall_tool import create_recall_tool
    from daybook.adapters.langchain.retriever import DaybookRetriever
    from daybook.adapters.langchain.runnable import HistoryWriteError, RunnableWithMessageHistory
    from daybook.adapters.langchain.summarizer import DaybookSummarizer
    from daybook.adapters.langchain.trimming import trim_messages

_MODULES = {
    "DaybookChatMessageHistory": "history",
    "DaybookMiddleware": "middleware",
    "DaybookRetriever": "retriever",
    "DaybookSummarizer": "summarizer",
    "DynamoDBChatMessageHistory": "incumbents",
    "FileChatMessageHistory": "incumbents",
    "HistoryWriteError": "runnable",
    "InMemoryChatMessageHistory": "incumbents",
    "MongoDBChatMessageHistory": "incumbents",
    "PostgresChatMessageHistory": "incumbents",
    "RedisChatMessageHistory": "incumbents",
    "RunnableWithMessageHistory": "runnable",
    "SQLChatMessageHistory": "incumbents",
    "create_recall_tool": "recall_tool",
    "from_langchain": "messages",
    "to_langchain": "messages",
    "trim_messages": "trimming",
}

__all__ = [
    "DaybookChatMessageHistory",
    "DaybookMiddleware",
    "DaybookRetriever",
    "DaybookSummarizer",
    "DynamoDBChatMessageHistory",
    "FileChatMessageHistory",
    "HistoryWriteError",
    "InMemoryChatMessageHistory",
    "MongoDBChatMessageHistory",
    "PostgresChatMessageHistory",
    "RedisChatMessageHistory",
    "RunnableWithMessageHistory",
    "SQLChatMessageHistory",
    "create_recall_tool",
    "from_langchain",
    "to_langchain",
    "trim_messages",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    needed = "langchain" if _MODULES[name] == "middleware" else "langchain-core"
    try:
        module = import_module(f"{__name__}.{_MODULES[name]}")
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("langchain", "langchain_core", "langgraph"):
            raise
        raise MissingDependencyError(
            f"daybook.adapters.langchain.{name}", f"pip install 'daybook[langchain]' {needed}"
        ) from exc
    return getattr(module, name)
