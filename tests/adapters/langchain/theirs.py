"""LangChain's own classes, which the tests compare with; importing some of them warns."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_community import chat_message_histories as community
    from langchain_core.chat_history import InMemoryChatMessageHistory
    from langchain_core.runnables.history import RunnableWithMessageHistory
    from langchain_mongodb import MongoDBChatMessageHistory
    from langchain_postgres import PostgresChatMessageHistory
    from langchain_redis import RedisChatMessageHistory

__all__ = [
    "InMemoryChatMessageHistory",
    "MongoDBChatMessageHistory",
    "PostgresChatMessageHistory",
    "RedisChatMessageHistory",
    "RunnableWithMessageHistory",
    "community",
]
