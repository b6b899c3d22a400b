"""What is known of each entity, kept beside its conversation."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.client import AsyncDaybook

__all__ = ["DaybookEntityStore"]

T = TypeVar("T")
_OWNER = "classic-entities:"
_MOST = 100_000


class DaybookEntityStore:
    """Keeps a text for each name, in the book of a history, with langchain_classic's methods.

    By default the entities are the session's; with an owner they are shared by all their sessions.
    """

    def __init__(self, history: DaybookChatMessageHistory, *, owner: str | None = None) -> None:
        """Take the history in whose book they are kept, and whose they are if not the session's."""
        self._history = history
        session = history.session
        self._place = (
            (f"{_OWNER}{session.owner}", session.session_id)
            if owner is None
            else (f"{_OWNER}{owner}",)
        )

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return what is known of an entity."""
        return self._run(lambda book: self._get(book, key, default))

    async def aget(self, key: str, default: str | None = None) -> str | None:
        """See `get`."""
        return await self._arun(lambda book: self._get(book, key, default))

    def set(self, key: str, value: str | None) -> None:
        """Keep what is known of an entity; None or nothing forgets it."""
        self._run(lambda book: self._set(book, key, value))

    async def aset(self, key: str, value: str | None) -> None:
        """See `set`."""
        await self._arun(lambda book: self._set(book, key, value))

    def delete(self, key: str) -> None:
        """Forget an entity. Repeatable."""
        self.set(key, None)

    def exists(self, key: str) -> bool:
        """Tell whether anything is known of an entity."""
        return self.get(key) is not None

    def clear(self) -> None:
        """Forget all entities. Repeatable."""
        self._run(self._clear)

    async def aclear(self) -> None:
        """See `clear`."""
        await self._arun(self._clear)

    async def _get(self, book: AsyncDaybook, key: str, default: str | None) -> str | None:
        record = await book.records.get(self._place, key)
        return default if record is None else str(record.value["text"])

    async def _set(self, book: AsyncDaybook, key: str, value: str | None) -> None:
        if value:
            life = self._history.session.ttl
            await book.records.put(self._place, key, {"text": value}, ttl=life, searched=False)
        else:
            await book.records.delete(self._place, key)

    async def _clear(self, book: AsyncDaybook) -> None:
        for record in await book.records.list(self._place, limit=_MOST):
            await book.records.delete(record.namespace, record.key)

    def _run(self, work: Callable[[AsyncDaybook], Coroutine[Any, Any, T]]) -> T:
        opened = self._history.place.open()
        return opened.run(work(opened.awaited))

    async def _arun(self, work: Callable[[AsyncDaybook], Coroutine[Any, Any, T]]) -> T:
        return await work((await self._history.place.aopen()).awaited)
