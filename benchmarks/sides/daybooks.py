"""Daybook, awaited and blocking."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.sides.history import AsyncHistory, SyncHistory
from benchmarks.talk import Exchange
from daybook import AsyncDaybook, Daybook, Message

__all__ = ["USER", "AwaitedDaybook", "BlockingDaybook", "messages_of", "url_of"]

USER = "ann"
_BATCH = 10_000


def url_of(path: Path, synchronous: str = "full") -> str:
    """Return the engine URL of a database file."""
    return f"sqlite:///{path.absolute()}?synchronous={synchronous}"


def messages_of(texts: Sequence[str]) -> list[Message]:
    """Return messages, user and assistant in turn."""
    return [
        Message.assistant(text) if at % 2 else Message.user(text) for at, text in enumerate(texts)
    ]


class AwaitedDaybook(AsyncHistory):
    """`AsyncDaybook`; background indexing is measured only where a benchmark asks for it."""

    def __init__(self, path: Path, synchronous: str = "full", *, background: bool = False) -> None:
        super().__init__()
        self.book = self.loop.wait(_open(url_of(path, synchronous), background=background))
        self._background = background

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in batches as large as are allowed."""
        self.loop.wait(self._fill(session, texts))

    async def _fill(self, session: str, texts: Sequence[str]) -> None:
        for at in range(0, len(texts), _BATCH):
            batch = messages_of(texts[at : at + _BATCH])
            await self.book.history.append(session, batch, user_id=USER)

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""
        await self.book.history.append(session, messages_of(exchange), user_id=USER)

    async def load(self, session: str, limit: int | None) -> int:
        """Load messages."""
        return len(await self.book.history.list(session, limit=limit))

    def settle(self) -> None:
        """Index what waits."""
        if self._background:
            self.loop.wait(self.book.recall.flush())

    def close(self) -> None:
        """Close the daybook and the loop."""
        self.loop.wait(self.book.close())
        self.loop.close()


class BlockingDaybook(SyncHistory):
    """`Daybook`."""

    def __init__(self, path: Path, synchronous: str = "full", *, background: bool = False) -> None:
        self.book = Daybook.open(url_of(path, synchronous), background=background)
        self._background = background

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in batches as large as are allowed."""
        for at in range(0, len(texts), _BATCH):
            batch = messages_of(texts[at : at + _BATCH])
            self.book.history.append(session, batch, user_id=USER)

    def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""
        self.book.history.append(session, messages_of(exchange), user_id=USER)

    def load(self, session: str, limit: int | None) -> int:
        """Load messages."""
        return len(self.book.history.list(session, limit=limit))

    def settle(self) -> None:
        """Index what waits."""
        if self._background:
            self.book.recall.flush()

    def close(self) -> None:
        """Close the daybook."""
        self.book.close()


async def _open(url: str, *, background: bool) -> AsyncDaybook:
    return await AsyncDaybook.open(url, background=background)
