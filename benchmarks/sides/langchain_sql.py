"""LangChain's SQL chat message history, as it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.sides.langchain_histories import LangChainHistory
from benchmarks.sides.weighing import sqlite_bytes

__all__ = ["LangChainSql"]


class LangChainSql(LangChainHistory):
    """`SQLChatMessageHistory` on SQLite."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        from sqlalchemy import create_engine  # noqa: PLC0415 - an optional peer

        self._path = path
        self._engine: Any = create_engine(f"sqlite:///{path.absolute()}")

    def make(self, session: str) -> Any:
        """Return a session's history on the engine that all share."""
        return self.classes.SQLChatMessageHistory(session, connection=self._engine)

    def stored_bytes(self) -> int:
        """Return the pages in use."""
        return sqlite_bytes(self._path)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
