"""One session's messages as a chat history needs them; all of it async, over an opened book."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from msgspec import Struct

from daybook.client import AsyncDaybook
from daybook.errors import ConflictError, NotFoundError
from daybook.model.entry import HistoryEntry
from daybook.model.identifiers import check_id
from daybook.model.message import Message

__all__ = ["SessionHistory", "life_of"]


def life_of(ttl: float | timedelta | None) -> timedelta | None:
    """Return a life given in seconds, as LangChain's histories take it, or as a timedelta."""
    return ttl if ttl is None or isinstance(ttl, timedelta) else timedelta(seconds=ttl)


class SessionHistory(Struct, frozen=True):
    """Which session, whose, for how long.

    Attributes:
        session_id: The session, made with its first message.
        user_id: Its owner; None for whoever owns it. A session made without one is its own user:
            recall then reaches no other session.
        ttl: It expires this long after its last message; None to leave its life alone.
    """

    session_id: str
    user_id: str | None = None
    ttl: timedelta | None = None

    @property
    def owner(self) -> str:
        """Who owns the session if it is made here."""
        return self.user_id or self.session_id

    def check(self) -> SessionHistory:
        """Return this if its names are ids.

        Raises:
            InvalidInputError: One is not.
        """
        check_id(self.session_id, "session_id")
        if self.user_id is not None:
            check_id(self.user_id, "user_id")
        return self

    async def load(
        self, book: AsyncDaybook, limit: int | None = None, before: int | None = None
    ) -> list[HistoryEntry]:
        """Return the session's messages, or the newest `limit` of them from a whole turn on."""
        entries = await book.history.entries(
            self.session_id, limit=limit, before=before, user_id=self.user_id
        )
        return entries if limit is None else _without_orphans(entries)

    async def append(self, book: AsyncDaybook, messages: Sequence[Message]) -> None:
        """Add messages as one batch; makes the session where it is missing or has expired."""
        if self.ttl is None and self.user_id is not None:
            await book.history.append(self.session_id, messages, user_id=self.user_id)
            return
        if self.ttl is not None:
            await self._settle_life(book)
        try:
            await book.history.append(self.session_id, messages, user_id=self.user_id)
        except NotFoundError:
            if self.user_id is not None:
                raise
            await self._create(book)
            await book.history.append(self.session_id, messages, user_id=self.owner)

    async def clear(self, book: AsyncDaybook) -> None:
        """Remove all messages."""
        await book.history.clear(self.session_id, user_id=self.user_id)

    async def delete(self, book: AsyncDaybook) -> None:
        """Remove the session."""
        await book.sessions.delete(self.session_id, user_id=self.user_id)

    async def _settle_life(self, book: AsyncDaybook) -> None:
        """Make the session with its life, or give it this life if it has another."""
        session = await book.sessions.get(self.session_id, user_id=self.user_id)
        if session is None:
            await self._create(book)
        elif session.ttl != self.ttl and self.user_id in (None, session.user_id):
            await book.sessions.update(session.id, user_id=session.user_id, ttl=self.ttl)

    async def _create(self, book: AsyncDaybook) -> None:
        with suppress(ConflictError):  # another writer made it just now
            await book.sessions.create(user_id=self.owner, session_id=self.session_id, ttl=self.ttl)


def _without_orphans(entries: list[HistoryEntry]) -> list[HistoryEntry]:
    """Leave out results at the start whose calls are cut off."""
    called: set[str | None] = set()
    kept: list[HistoryEntry] = []
    for entry in entries:
        message = entry.message
        called.update(call.id for call in message.tool_calls)
        if message.role != "tool" or message.tool_call_id in called:
            kept.append(entry)
    return kept
