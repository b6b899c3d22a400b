"""`DaybookChatStore`: LlamaIndex's `BaseChatStore`, sync and async on one object."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.storage.chat_store.base import BaseChatStore
from pydantic import PrivateAttr

from daybook.adapters.kept_items import KeptItems
from daybook.adapters.llama_index.messages import (
    from_chat_message,
    same_chat_message,
    to_chat_message,
)
from daybook.adapters.opened import BookOrUrl, Place
from daybook.model.entry import HistoryEntry
from daybook.model.identifiers import check_id

__all__ = ["DaybookChatStore", "all_keys", "kept_items"]

T = TypeVar("T")
_PAGE = 1000


class DaybookChatStore(BaseChatStore):  # type: ignore[misc] # untyped where it is checked
    """Chat histories for `ChatMemoryBuffer` and its kind; a key is a session of the user's.

    The async methods do not block the event loop and wait for no thread of their own.
    """

    _place: Place = PrivateAttr()
    _user_id: str = PrivateAttr()

    def __init__(self, book: BookOrUrl, *, user_id: str = "me", **options: Any) -> None:
        """Name the place; no I/O.

        Args:
            book: A URL as for `Daybook.open`, or an opened book. A URL is opened once per process.
            user_id: Whose histories.
            options: Options of `Daybook.open`, with a URL only.
        """
        super().__init__()
        self._place = Place(book, options)
        self._user_id = check_id(user_id, "user_id")

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex writes into its own files."""
        return "DaybookChatStore"

    def set_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Put a list in place of what a key has. Readers see the list before or the list after."""
        self._run(self.aset_messages(key, messages))

    def get_messages(self, key: str) -> list[ChatMessage]:
        """Return what a key has, oldest first; an unknown key has nothing."""
        return self._run(self.aget_messages(key))

    def add_message(self, key: str, message: ChatMessage, idx: int | None = None) -> None:
        """Add a message to the end, or before the one at `idx`."""
        self._run(self.async_add_message(key, message, idx))

    def delete_messages(self, key: str) -> list[ChatMessage] | None:
        """Remove a key and all it has, for good; return it, None for an unknown key."""
        return self._run(self.adelete_messages(key))

    def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Take back the message at `idx` and return it; None if there is none."""
        return self._run(self.adelete_message(key, idx))

    def delete_last_message(self, key: str) -> ChatMessage | None:
        """Take back the newest message and return it; None if there is none."""
        return self._run(self.adelete_last_message(key))

    def get_keys(self) -> list[str]:
        """Return the user's sessions, last active first."""
        return self._run(self.aget_keys())

    async def aset_messages(self, key: str, messages: Sequence[ChatMessage]) -> None:
        """See `set_messages`."""
        new = [from_chat_message(one) for one in messages]
        await self._items(key).replace_with(new, same_chat_message)

    async def aget_messages(self, key: str) -> list[ChatMessage]:
        """See `get_messages`."""
        return _chat_messages(await self._items(key).shown())

    async def async_add_message(
        self, key: str, message: ChatMessage, idx: int | None = None
    ) -> None:
        """See `add_message`."""
        if idx is None:
            await self._items(key).append([from_chat_message(message)])
            return
        known = await self.aget_messages(key)
        known.insert(idx, message)
        await self.aset_messages(key, known)

    async def adelete_messages(self, key: str) -> list[ChatMessage] | None:
        """See `delete_messages`."""
        book = (await self._place.aopen()).awaited
        if await book.sessions.get(key, user_id=self._user_id) is None:
            return None
        held = await self.aget_messages(key)
        await self._items(key).clear()
        await book.sessions.delete(key, user_id=self._user_id)
        return held

    async def adelete_message(self, key: str, idx: int) -> ChatMessage | None:
        """See `delete_message`."""

        def choose(shown: list[HistoryEntry]) -> list[HistoryEntry]:
            return [shown[idx]] if -len(shown) <= idx < len(shown) else []

        return _first(await self._items(key).take_back(choose))

    async def adelete_last_message(self, key: str) -> ChatMessage | None:
        """See `delete_last_message`."""
        return _first(await self._items(key).take_back(lambda shown: shown[-1:], newest=1))

    async def aget_keys(self) -> list[str]:
        """See `get_keys`."""
        return await all_keys(self._place, self._user_id)

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable; the next use opens it again."""
        self._place.close()

    def _items(self, key: str) -> KeptItems:
        return kept_items(self._place, self._user_id, key)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._place.open().run(work)


def kept_items(place: Place, user_id: str, key: str) -> KeptItems:
    """Return what a key has.

    Raises:
        InvalidInputError: The key is no id.
    """
    return KeptItems(place, user_id=user_id, session_id=check_id(key, "key"))


async def all_keys(place: Place, user_id: str) -> list[str]:
    """Return the ids of a user's sessions, last active first."""
    book = (await place.aopen()).awaited
    page = await book.sessions.list(user_id=user_id, limit=_PAGE)
    keys = [session.id for session in page.items]
    while page.cursor is not None:
        page = await book.sessions.list(user_id=user_id, limit=_PAGE, cursor=page.cursor)
        keys += [session.id for session in page.items]
    return keys


def _chat_messages(entries: Sequence[HistoryEntry]) -> list[ChatMessage]:
    return [to_chat_message(entry.message) for entry in entries if not entry.corrupt]


def _first(entries: Sequence[HistoryEntry]) -> ChatMessage | None:
    return next(iter(_chat_messages(entries)), None)
