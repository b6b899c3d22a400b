"""`DaybookDBChatStore`: what LlamaIndex's `Memory` keeps its short-term queue in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.storage.chat_store.base_db import AsyncDBChatStore, MessageStatus
from pydantic import PrivateAttr

from daybook.adapters.kept_items import KeptItems, born_aside
from daybook.adapters.llama_index.chat_store import all_keys, kept_items
from daybook.adapters.llama_index.messages import (
    from_chat_message,
    same_chat_message,
    to_chat_message,
)
from daybook.adapters.opened import BookOrUrl, Place
from daybook.model.entry import HistoryEntry
from daybook.model.identifiers import check_id
from daybook.model.message import Message

__all__ = ["DaybookDBChatStore"]


class DaybookDBChatStore(AsyncDBChatStore):  # type: ignore[misc] # untyped where it is checked
    """The store of ``Memory.from_defaults(session_id, chat_store=...)``; a key is a session.

    What the memory archives stays in the conversation: it is set aside, and recall finds it.
    """

    _place: Place = PrivateAttr()
    _user_id: str = PrivateAttr()

    def __init__(self, book: BookOrUrl, *, user_id: str = "me", **options: Any) -> None:
        """Name the place; no I/O. Arguments as in `DaybookChatStore`."""
        super().__init__()
        self._place = Place(book, options)
        self._user_id = check_id(user_id, "user_id")

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex writes into its own files."""
        return "DaybookDBChatStore"

    async def get_messages(
        self,
        key: str,
        status: MessageStatus | None = MessageStatus.ACTIVE,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[ChatMessage]:
        """Return the messages of a status, or all, oldest first; `limit` of them from `offset`."""
        entries = await self._items(key).shown(aside=_aside(status))
        first = offset or 0
        return _chat_messages(entries[first : None if limit is None else first + limit])

    async def count_messages(
        self, key: str, status: MessageStatus | None = MessageStatus.ACTIVE
    ) -> int:
        """Return how many messages of a status there are, or in all."""
        return len(await self._items(key).shown(aside=_aside(status)))

    async def add_message(
        self, key: str, message: ChatMessage, status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Add a message to the end."""
        await self.add_messages(key, [message], status)

    async def add_messages(
        self,
        key: str,
        messages: list[ChatMessage],
        status: MessageStatus = MessageStatus.ACTIVE,
    ) -> None:
        """Add messages to the end: all of them, contiguous, or none."""
        await self._items(key).append(_ours(messages, status))

    async def set_messages(
        self,
        key: str,
        messages: list[ChatMessage],
        status: MessageStatus = MessageStatus.ACTIVE,
    ) -> None:
        """Put a list in place of all that a key has, archived ones too.

        Atomicity: readers see the list before or the list after.
        """
        await self._items(key).replace_with(_ours(messages, status), same_chat_message)

    async def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Take back the message at `idx` of the active ones; None if there is none."""

        def choose(active: list[HistoryEntry]) -> list[HistoryEntry]:
            return [active[idx]] if -len(active) <= idx < len(active) else []

        taken = await self._items(key).take_back(choose, aside=False)
        return next(iter(_chat_messages(taken)), None)

    async def delete_messages(self, key: str, status: MessageStatus | None = None) -> None:
        """Remove all messages for good; those of one status are taken back instead."""
        items = self._items(key)
        if status is None:
            await items.clear()
            return
        await items.take_back(lambda shown: shown, aside=_aside(status))

    async def delete_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Take back the oldest `n` active messages and return them; no other call gets them too."""
        items = self._items(key)
        return _chat_messages(
            await items.take_back(lambda active: active[: max(0, n)], aside=False)
        )

    async def archive_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Set the oldest `n` active messages aside and return them; no other call gets them too."""
        return _chat_messages(await self._items(key).set_aside(lambda shown: shown[: max(0, n)]))

    async def get_keys(self) -> list[str]:
        """Return the user's sessions, last active first."""
        return await all_keys(self._place, self._user_id)

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable; the next use opens it again."""
        self._place.close()

    def _items(self, key: str) -> KeptItems:
        return kept_items(self._place, self._user_id, key)


def _aside(status: MessageStatus | None) -> bool | None:
    return None if status is None else status == MessageStatus.ARCHIVED


def _ours(messages: Sequence[ChatMessage], status: MessageStatus) -> list[Message]:
    made = [from_chat_message(one) for one in messages]
    return [born_aside(one) for one in made] if status == MessageStatus.ARCHIVED else made


def _chat_messages(entries: Sequence[HistoryEntry]) -> list[ChatMessage]:
    return [to_chat_message(entry.message) for entry in entries if not entry.corrupt]
