"""Daybook for LangChain: histories, a runnable, trimming, agents' middleware, tool, retriever.

Each name is loaded when it is first asked for: histories need ``langchain-core``, the middleware
needs ``langchain``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from daybook.errors import MissingDependencyError

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

__all__ = [  # noqa: PLE0604 - names of `_MODULES`, checked by a test
    *_MODULES
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
