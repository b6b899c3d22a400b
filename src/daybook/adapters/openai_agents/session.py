"""`DaybookSession`: the Agents SDK's `Session` protocol over a session of Daybook's."""

from __future__ import annotations

from typing import Any

from agents.memory import SessionSettings

from daybook.adapters.kept_items import KeptItems
from daybook.adapters.openai_agents.items import from_item, to_items
from daybook.adapters.opened import BookOrUrl, Place
from daybook.model.identifiers import check_id

__all__ = ["DaybookSession"]


class DaybookSession:
    """A conversation for ``Runner.run(agent, text, session=...)``.

    The items are raw dicts and come back as they were given; beside them stand Daybook's messages,
    for recall, contexts, export and every other face of the book.

    Attributes:
        session_id: The conversation.
        session_settings: How many items a run reads, if limited.

    Example:
        >>> session = DaybookSession("support-7", "inmemory://", user_id="alice")
        >>> session.session_id
        'support-7'
    """

    session_id: str
    session_settings: SessionSettings | None

    def __init__(
        self,
        session_id: str,
        book: BookOrUrl,
        *,
        user_id: str = "me",
        session_settings: SessionSettings | dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Name a conversation; it is made when first written to, and no I/O happens here.

        Args:
            session_id: The conversation; unique in the store.
            book: A URL as for `Daybook.open`, or an opened book. A URL is opened once per process.
            user_id: Whose it is. Another user's session of that name is never read or written.
            session_settings: The default limit of `get_items`.
            options: Options of `Daybook.open`, with a URL only.

        Raises:
            ConfigError: The URL or an option is wrong.
            InvalidInputError: An id is not valid.
        """
        self.session_id = check_id(session_id, "session_id")
        if isinstance(session_settings, dict):
            session_settings = SessionSettings(**session_settings)
        self.session_settings = session_settings or SessionSettings()
        self._place = Place(book, options)
        self._items = KeptItems(
            self._place, user_id=check_id(user_id, "user_id"), session_id=session_id
        )

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Return the newest `limit` items, oldest first; all where no limit is set.

        Raises:
            StoreError: The engine failed.
        """
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        if limit is not None and limit < 0:
            limit = None
        entries = await self._items.shown(limit)
        items = [item for entry in entries if not entry.corrupt for item in to_items(entry.message)]
        return items if limit is None else items[len(items) - min(limit, len(items)) :]

    async def add_items(self, items: list[Any]) -> None:
        """Add items to the end: all of them, contiguous, or none.

        Raises:
            InvalidInputError: An item is not a dict of JSON; nothing is stored.
            ConflictError: The session is another user's.
            StoreError: The engine failed.
        """
        await self._items.append([from_item(item) for item in items])

    async def pop_item(self) -> Any | None:
        """Take back the newest item and return it; None if there is none.

        Of several who pop at once, in this process or another, each gets another item. The
        message stays in Daybook's history, which only grows: recall still finds it.
        """
        while True:
            taken = await self._items.take_back(lambda shown: shown[-1:], newest=1)
            if not taken:
                return None
            if not taken[0].corrupt:
                return to_items(taken[0].message)[-1]

    async def clear_session(self) -> None:
        """Remove all items, for good. Repeatable."""
        await self._items.clear()

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable; the next use opens it again."""
        self._place.close()
