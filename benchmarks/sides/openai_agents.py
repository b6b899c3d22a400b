"""The session of OpenAI's Agents SDK, as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sides.history import AsyncHistory
from benchmarks.talk import Exchange

__all__ = ["AgentsSession"]

_ROLES = ("user", "assistant")


class AgentsSession(AsyncHistory):
    """`SQLiteSession` on a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        from agents import SQLiteSession  # noqa: PLC0415 - an optional peer

        self._make = SQLiteSession
        self._path = path
        self._sessions: dict[str, Any] = {}

    def _session(self, session: str) -> Any:
        if session not in self._sessions:
            self._sessions[session] = self._make(session, self._path)
        return self._sessions[session]

    @staticmethod
    def _items(texts: Sequence[str]) -> list[dict[str, str]]:
        return [{"role": _ROLES[at % 2], "content": text} for at, text in enumerate(texts)]

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one call."""
        self.loop.wait(self._session(session).add_items(self._items(texts)))

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""
        await self._session(session).add_items(self._items(exchange))

    async def load(self, session: str, limit: int | None) -> int:
        """Load items."""
        return len(await self._session(session).get_items(limit))

    def close(self) -> None:
        """Close all sessions and the loop."""
        for session in self._sessions.values():
            session.close()
        self.loop.close()
