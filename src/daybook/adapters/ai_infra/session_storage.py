"""Where one conversation thread is kept between requests: ai-infra's session storages."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

from daybook.adapters.ai_infra.graph_savers import saver_for
from daybook.adapters.ai_infra.kept_messages import kept_form, shown_message
from daybook.adapters.ai_infra.lazy_book import HoldsBook, LazyBook
from daybook.adapters.opened import BookOrUrl
from daybook.client import AsyncDaybook
from daybook.model.message import Message

__all__ = ["SessionStorage"]


class SessionStorage(HoldsBook):
    """Keeps the messages of sessions by their ids, each turn whole or not at all.

    A session belongs to the user it was begun for; where none is named, to itself.

    Example:
        >>> storage = SessionStorage("inmemory://")
        >>> storage.append("thread_1", [Message.user("Hi, I'm Bob")])
        1
        >>> [message.text for message in storage.load("thread_1")]
        ["Hi, I'm Bob"]
        >>> storage.close()
    """

    def __init__(
        self,
        where: BookOrUrl,
        *,
        pool_size: int = 5,
        enable_store: bool = False,
        **options: Any,
    ) -> None:
        """Remember where; nothing is opened before first use.

        Args:
            where: The URL of any engine of Daybook's, or an opened book.
            pool_size: Connections of a checkpointer to PostgreSQL at most; Daybook's own pool
                serves the whole process.
            enable_store: Let `get_store` return a store.
            options: More arguments of `Daybook.open`.
        """
        super().__init__(LazyBook(where, options))
        self._where = where
        self._options = options
        self._pool_size = pool_size
        self._enable_store = enable_store
        self._making = Lock()
        self._saver: Any = None
        self._store: Any = None

    def load(self, session_id: str, *, limit: int | None = None) -> list[Any]:
        """Return the newest `limit` messages of a session in order, all for None."""
        return self._book.run(lambda book: _load(book, session_id, limit))

    async def aload(self, session_id: str, *, limit: int | None = None) -> list[Any]:
        """See `load`."""
        return await self._book.arun(lambda book: _load(book, session_id, limit))

    def append(
        self, session_id: str, messages: Sequence[Any], *, user_id: str | None = None
    ) -> int:
        """Add messages to the end of a session, made if there is none; return how many it has.

        Args:
            session_id: The session.
            messages: LangChain messages, dictionaries or ours.
            user_id: Whose session it becomes if it is made now.

        Atomicity: all of them, contiguous, or none. Retry-safe: yes, for messages with ids.
        """
        return self._book.run(lambda book: _append(book, session_id, messages, user_id))

    async def aappend(
        self, session_id: str, messages: Sequence[Any], *, user_id: str | None = None
    ) -> int:
        """See `append`."""
        return await self._book.arun(lambda book: _append(book, session_id, messages, user_id))

    def delete(self, session_id: str) -> bool:
        """Remove a session; tell whether it was there. Repeatable."""
        return self._book.run(lambda book: book.sessions.delete(session_id))

    async def adelete(self, session_id: str) -> bool:
        """See `delete`."""
        return await self._book.arun(lambda book: book.sessions.delete(session_id))

    def get_checkpointer(self) -> Any:
        """Return LangGraph's own saver beside this storage, for ai-infra's own agent.

        It keeps the states of graphs, not the messages that `load` returns. Made once.

        Raises:
            UnsupportedError: LangGraph has no saver for this engine.
            MissingDependencyError: The saver's package is not installed.
        """
        with self._making:
            if self._saver is None:
                self._saver = saver_for(self._where, self._pool_size)
            return self._saver

    def get_store(self) -> Any:
        """Return a LangGraph store in the same place; None unless it was enabled."""
        if not self._enable_store:
            return None
        with self._making:
            if self._store is None:
                from daybook.adapters.langgraph import DaybookStore  # noqa: PLC0415 - an extra

                self._store = DaybookStore(self._where, **self._options)
            return self._store


async def _load(book: AsyncDaybook, session_id: str, limit: int | None) -> list[Any]:
    found = await book.history.list(session_id, limit=limit)
    return [shown_message(message) for message in found]


async def _append(
    book: AsyncDaybook, session_id: str, messages: Sequence[Any], user_id: str | None
) -> int:
    fresh: list[Message] = [kept_form(message) for message in messages]
    session = await book.sessions.get(session_id)
    owner = user_id or (session_id if session is None else None)
    if fresh:
        await book.history.append(session_id, fresh, user_id=owner)
    session = await book.sessions.get(session_id)
    return 0 if session is None else session.message_count
