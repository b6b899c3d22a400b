"""Daybook on an engine of any kind, awaited."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.sides.daybooks import messages_of
from benchmarks.sides.history import AsyncHistory
from benchmarks.talk import Exchange
from daybook import AsyncDaybook

__all__ = ["EngineDaybook", "owner_of"]

_BATCH = 1_000


def owner_of(session: str) -> str:
    """Return the user whose session it is: each session has one of its own."""
    return f"user-of-{session}"


class EngineDaybook(AsyncHistory):
    """`AsyncDaybook` without an index: what history alone costs."""

    def __init__(self, url: str, weigh: Callable[[], int | None] | None = None) -> None:
        super().__init__()
        self._weigh = weigh
        self.book = self.loop.wait(_open(url))

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in large batches."""
        self.loop.wait(self._fill(session, texts))

    async def _fill(self, session: str, texts: Sequence[str]) -> None:
        for at in range(0, len(texts), _BATCH):
            batch = messages_of(texts[at : at + _BATCH])
            await self.book.history.append(session, batch, user_id=owner_of(session))

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append one exchange."""
        messages = messages_of(exchange)
        await self.book.history.append(session, messages, user_id=owner_of(session))

    async def load(self, session: str, limit: int | None) -> int:
        """Load messages."""
        user = owner_of(session)
        return len(await self.book.history.list(session, limit=limit, user_id=user))

    def stored_bytes(self) -> int | None:
        """Return what the store says it takes."""
        return None if self._weigh is None else self._weigh()

    def close(self) -> None:
        """Close the daybook and the loop."""
        self.loop.wait(self.book.close())
        self.loop.close()


async def _open(url: str) -> AsyncDaybook:
    return await AsyncDaybook.open(url, index="none", embedder=None, background=False)
