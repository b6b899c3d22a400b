"""A chat history on Daybook with LangChain's interface, and what it keeps when that ends."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, get_buffer_string

from daybook.adapters.langchain.messages import from_langchain, readable
from daybook.adapters.langchain.session_history import SessionHistory, life_of
from daybook.adapters.langchain.sync_twins import NONE, of_subclass
from daybook.adapters.opened import BookOrUrl, Place
from daybook.config import default_url
from daybook.model.message import Message

if TYPE_CHECKING:
    _Base = object
else:
    try:  # LangChain's own classes ask for it by isinstance; core 2.0 is to remove it
        from langchain_core.chat_history import BaseChatMessageHistory as _Base
    except ImportError:
        _Base = object

__all__ = ["DaybookChatMessageHistory"]


class DaybookChatMessageHistory(_Base):
    """The messages of one session, for any framework that speaks LangChain's history interface.

    Any number of objects may stand for one session, in any number of threads and processes; they
    share one connection per URL. Making one does no I/O, so a factory may make one per request.
    Sync and async methods are the same, also where a subclass changes the sync one alone. Unlike
    LangChain's own histories:

    - a batch is stored whole and contiguous, or an error is raised: nothing is swallowed;
    - every field comes back: ids, names, calls, usage, artifacts, content blocks;
    - messages are copies: changing a returned list or message changes nothing that is stored;
    - a message with an id that is stored already is left alone, so a retry adds nothing.

    Attributes:
        session_id: The session.
    """

    def __init__(
        self,
        session_id: str,
        url: BookOrUrl | None = None,
        *,
        user_id: str | None = None,
        ttl: float | timedelta | None = None,
        history_size: int | None = None,
        **open_options: Any,
    ) -> None:
        """Name the session.

        Args:
            session_id: Any text; the session is made with its first message.
            url: A URL as for `Daybook.open`, or an opened `Daybook` or `AsyncDaybook`; by default
                ``DAYBOOK_URL``, else ``sqlite:///daybook.db``.
            user_id: The session's owner, who alone then sees it; None for no check.
            ttl: Seconds, or a timedelta, after its last message, when the session expires.
            history_size: `messages` returns so many of the newest; None for all.
            open_options: Options of `Daybook.open`.

        Raises:
            InvalidInputError: An id or number is not valid.
            ConfigError: The URL has no scheme.
        """
        self.session_id = session_id
        self._history = SessionHistory(session_id, user_id, life_of(ttl)).check()
        self._limit = history_size
        self._place = Place(default_url() if url is None else url, open_options)

    @property
    def place(self) -> Place:
        """Where its book is, for what is built upon it."""
        return self._place

    @property
    def session(self) -> SessionHistory:
        """Which session it is, for what is built upon it."""
        return self._history

    @property
    def messages(self) -> list[BaseMessage]:
        """The session's messages, in order; a list of the caller's own.

        One that does not decode is a marked placeholder.
        """
        opened = self._place.open()
        entries = opened.run(self._history.load(opened.awaited, self._limit))
        return [readable(entry.message) for entry in entries]

    async def aget_messages(self) -> list[BaseMessage]:
        """Return `messages`."""
        shown = await of_subclass(self, "messages", "aget_messages", lambda: self.messages)
        if shown is not NONE:
            return list(shown)
        opened = await self._place.aopen()
        entries = await self._history.load(opened.awaited, self._limit)
        return [readable(entry.message) for entry in entries]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages as one batch.

        Raises:
            InvalidInputError: A message cannot be stored; nothing of the batch was.
            ConflictError: A message id is stored with another body, or the session is another
                user's.
            StoreError: The store failed; adding messages that have ids again is safe.
        """
        if batch := _ours(messages):
            opened = self._place.open()
            opened.run(self._history.append(opened.awaited, batch))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Do what `add_messages` does."""
        added = await of_subclass(
            self, "add_messages", "aadd_messages", lambda: self.add_messages(messages)
        )
        if added is not NONE:
            return
        if batch := _ours(messages):
            opened = await self._place.aopen()
            await self._history.append(opened.awaited, batch)

    def add_message(self, message: BaseMessage) -> None:
        """Add one message; see `add_messages`."""
        self.add_messages([message])

    async def aadd_message(self, message: BaseMessage) -> None:
        """Add one message; see `add_messages`."""
        await self.aadd_messages([message])

    def add_user_message(self, message: HumanMessage | str) -> None:
        """Add what the user said."""
        self.add_message(HumanMessage(message) if isinstance(message, str) else message)

    def add_ai_message(self, message: AIMessage | str) -> None:
        """Add what the model said."""
        self.add_message(AIMessage(message) if isinstance(message, str) else message)

    def clear(self) -> None:
        """Remove all messages of the session. Repeatable."""
        self._run(self._history.clear(self._place.open().awaited))

    async def aclear(self) -> None:
        """Do what `clear` does."""
        if await of_subclass(self, "clear", "aclear", self.clear) is NONE:
            await self._history.clear((await self._place.aopen()).awaited)

    def close(self) -> None:
        """Let go of the shared connection; otherwise the end of the process does. Repeatable."""
        self._place.close()

    def __str__(self) -> str:
        return get_buffer_string(self.messages)

    def __len__(self) -> int:
        return len(self.messages)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        """Show no URL, which may hold a password, and no message."""
        return f"{type(self).__name__}(session_id={self.session_id!r})"

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._place.open().run(coroutine)


def _ours(messages: Sequence[BaseMessage]) -> list[Message]:
    return [from_langchain(message) for message in messages]
