"""LangChain's SQL chat message history, as it comes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sides.history import SyncHistory
from benchmarks.sides.weighing import sqlite_bytes
from benchmarks.talk import Exchange

__all__ = ["LangChainSql"]


class LangChainSql(SyncHistory):
    """`SQLChatMessageHistory` on SQLite."""

    def __init__(self, path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from langchain_community.chat_message_histories import SQLChatMessageHistory  # noqa: PLC0415 - an optional peer
            from langchain_core.messages import AIMessage, HumanMessage  # noqa: PLC0415 - an optional peer
        from sqlalchemy import create_engine  # noqa: PLC0415 - an optional peer

        logging.getLogger("langchain_community").setLevel(logging.ERROR)
        self._history = SQLChatMessageHistory
        self._makers = (HumanMessage, AIMessage)
        self._path = path
        self._engine: Any = create_engine(f"sqlite:///{path.absolute()}")
        self._sessions: dict[str, Any] = {}

    def _session(self, session: str) -> Any:
        if session not in self._sessions:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._sessions[session] = self._history(session, connection=self._engine)
        return self._sessions[session]

    def _messages(self, texts: Sequence[str]) -> list[Any]:
        return [self._makers[at % 2](content=text) for at, text in enumerate(texts)]

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one call."""
        if texts:
            self._session(session).add_messages(self._messages(texts))

    def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""
        self._session(session).add_messages(self._messages(exchange))

    def load(self, session: str, limit: int | None) -> int:
        """Load all, for there is no other way, and keep the newest."""
        messages = self._session(session).messages
        return len(messages if limit is None else messages[-limit:])

    def stored_bytes(self) -> int:
        """Return the pages in use."""
        return sqlite_bytes(self._path)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
