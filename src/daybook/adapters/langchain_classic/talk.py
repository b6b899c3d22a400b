"""One conversation and what a memory has made of it: messages that stay, and a view that moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from langchain_core.messages import BaseMessage
from msgspec import Struct

from daybook.adapters.langchain.messages import from_langchain, readable
from daybook.adapters.langchain.session_history import SessionHistory
from daybook.client import AsyncDaybook
from daybook.errors import ConflictError

__all__ = ["BookTalk", "PlainTalk", "Said", "Talk", "View"]

_OWNER = "classic-memory:"  # apart from the records that the user's own programs list


class Said(Struct, frozen=True):
    """A message and its number in the conversation."""

    seq: int
    message: BaseMessage


class View(Struct, frozen=True):
    """What a memory has made of a conversation.

    Attributes:
        cut: The last message that the memory no longer shows; 0 for none. It stays stored.
        summary: What stands for the messages that are not shown, or for all.
        version: Which version of it this is; 0 before the first.
    """

    cut: int = 0
    summary: str = ""
    version: int = 0


class Talk(Protocol):
    """A conversation, as memories use it."""

    async def messages(self, *, after: int = 0, limit: int | None = None) -> list[Said]:
        """Return the messages above a number in order, or the newest `limit` of them."""
        ...

    async def add(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages as one batch."""
        ...

    async def view(self) -> View:
        """Return what the memory has made of it."""
        ...

    async def show(self, view: View) -> bool:
        """Keep a view in place of the version it names; tell whether that was still the newest."""
        ...

    async def clear(self) -> None:
        """Remove the messages and the view."""
        ...


class BookTalk:
    """A conversation in Daybook: messages and view outlive the process."""

    def __init__(self, book: AsyncDaybook, session: SessionHistory, name: str) -> None:
        """Take an opened book, which session it is, and the memory's name for its view."""
        self._book = book
        self._session = session
        self._place = (f"{_OWNER}{session.owner}", session.session_id)
        self._name = name

    async def messages(self, *, after: int = 0, limit: int | None = None) -> list[Said]:
        """See `Talk.messages`."""
        if after:
            entries = await self._book.history.entries(
                self._session.session_id, after=after, limit=limit, user_id=self._session.user_id
            )
        else:
            entries = await self._session.load(self._book, limit)
        return [Said(entry.seq, readable(entry.message)) for entry in entries]

    async def add(self, messages: Sequence[BaseMessage]) -> None:
        """See `Talk.add`."""
        await self._session.append(self._book, [from_langchain(one) for one in messages])

    async def view(self) -> View:
        """See `Talk.view`."""
        record = await self._book.records.get(self._place, self._name)
        if record is None:
            return View()
        return View(record.value["cut"], record.value["summary"], record.version)

    async def show(self, view: View) -> bool:
        """See `Talk.show`."""
        value = {"cut": view.cut, "summary": view.summary}
        try:
            await self._book.records.put(
                self._place,
                self._name,
                value,
                ttl=self._session.ttl,
                expected_version=view.version,
                searched=False,
            )
        except ConflictError:
            return False
        return True

    async def clear(self) -> None:
        """See `Talk.clear`."""
        await self._book.records.delete(self._place, self._name)
        await self._session.clear(self._book)


class PlainTalk:
    """A conversation in another library's chat history; the view lives as long as this object."""

    def __init__(self, history: Any) -> None:
        """Take the history."""
        self._history = history
        self._view = View()

    async def messages(self, *, after: int = 0, limit: int | None = None) -> list[Said]:
        """See `Talk.messages`."""
        found = await self._history.aget_messages()
        said = [Said(seq, message) for seq, message in enumerate(found, start=1)][after:]
        return said if limit is None else said[-limit:]

    async def add(self, messages: Sequence[BaseMessage]) -> None:
        """See `Talk.add`."""
        await self._history.aadd_messages(messages)

    async def view(self) -> View:
        """See `Talk.view`."""
        return self._view

    async def show(self, view: View) -> bool:
        """See `Talk.show`."""
        if view.version != self._view.version:
            return False
        self._view = View(view.cut, view.summary, view.version + 1)
        return True

    async def clear(self) -> None:
        """See `Talk.clear`."""
        self._view = View()
        await self._history.aclear()
