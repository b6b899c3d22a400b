"""Where one conversation thread is kept between requests: ai-infra's session storages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from daybook.adapters.ai_infra.kept_messages import kept_form, shown_message
from daybook.adapters.ai_infra.lazy_book import LazyBook
from daybook.adapters.opened import BookOrUrl
from daybook.client import AsyncDaybook
from daybook.errors import UnsupportedError
from daybook.model.message import Message

__all__ = ["SessionStorage"]


class SessionStorage:
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

    def __init__(self, where: BookOrUrl, **options: Any) -> None:
        """Remember where; nothing is opened before first use.

        Args:
            where: The URL of any engine of Daybook's, or an opened book.
            options: More arguments of `Daybook.open`.
        """
        self.book = LazyBook(where, options)

    def load(self, session_id: str, *, limit: int | None = None) -> list[Any]:
        """Return the newest `limit` messages of a session in order, all for None."""
        return self.book.run(lambda book: _load(book, session_id, limit))

    async def aload(self, session_id: str, *, limit: int | None = None) -> list[Any]:
        """See `load`."""
        return await self.book.arun(lambda book: _load(book, session_id, limit))

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
        return self.book.run(lambda book: _append(book, session_id, messages, user_id))

    async def aappend(
        self, session_id: str, messages: Sequence[Any], *, user_id: str | None = None
    ) -> int:
        """See `append`."""
        return await self.book.arun(lambda book: _append(book, session_id, messages, user_id))

    def delete(self, session_id: str) -> bool:
        """Remove a session; tell whether it was there. Repeatable."""
        return self.book.run(lambda book: book.sessions.delete(session_id))

    async def adelete(self, session_id: str) -> bool:
        """See `delete`."""
        return await self.book.arun(lambda book: book.sessions.delete(session_id))

    def get_checkpointer(self) -> Any:
        """Raise: Daybook keeps messages, not the states of graphs.

        Raises:
            UnsupportedError: Always. `daybook.adapters.ai_infra.Agent` needs none; a LangGraph
                agent takes LangGraph's own saver beside Daybook's middleware, histories and store.
        """
        raise UnsupportedError(
            "session storage of Daybook is no LangGraph checkpointer: use "
            "daybook.adapters.ai_infra.Agent, or LangGraph's own saver beside Daybook's store"
        )

    def get_store(self) -> Any | None:
        """Return None: memories across sessions are a `MemoryStore`'s."""
        return None

    def close(self) -> None:
        """Let go of the store. Repeatable. What was in memory alone is gone."""
        self.book.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
