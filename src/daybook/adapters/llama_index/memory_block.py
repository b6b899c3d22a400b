"""`DaybookMemoryBlock`: what a user said before, recalled into LlamaIndex's `Memory`."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.memory.memory import BaseMemoryBlock
from pydantic import Field, PrivateAttr

from daybook.adapters.llama_index.messages import from_chat_message
from daybook.adapters.opened import BookOrUrl, Place
from daybook.model.hit import Hit
from daybook.model.identifiers import check_id
from daybook.model.message import Message

__all__ = ["DaybookMemoryBlock"]

_CHARACTERS_PER_TOKEN = 4


class DaybookMemoryBlock(BaseMemoryBlock[str]):  # type: ignore[misc] # untyped where it is checked
    """Recalls what the user said before that bears on the latest message.

    With a `DaybookDBChatStore` on the same book, pass ``accept_short_term_memory=False``: what the
    queue lets go of is in the book already.
    """

    name: str = Field(default="recall")
    limit: int = Field(default=5, description="Most messages that are recalled.")
    _place: Place = PrivateAttr()
    _user_id: str = PrivateAttr()
    _session_id: str = PrivateAttr()

    def __init__(
        self,
        book: BookOrUrl,
        *,
        user_id: str = "me",
        session_id: str = "llama-index",
        options: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Name the place; no I/O.

        Args:
            book: A URL as for `Daybook.open`, or an opened book. A URL is opened once per process.
            user_id: Whose conversations are searched.
            session_id: Where messages are kept that come without a session's id.
            options: Options of `Daybook.open`, with a URL only.
            fields: `name`, `limit`, `priority` and the base class's other fields.
        """
        super().__init__(**fields)
        self._place = Place(book, options or {})
        self._user_id = check_id(user_id, "user_id")
        self._session_id = check_id(session_id, "session_id")

    async def _aget(
        self,
        messages: list[ChatMessage] | None = None,
        **block_kwargs: Any,  # noqa: ARG002 - the base class's signature
    ) -> str:
        """Return the messages that best answer the latest of the user's, one a line, best first."""
        asked = [one for one in messages or [] if one.role == MessageRole.USER and one.content]
        if not asked:
            return ""
        book = (await self._place.aopen()).awaited
        said = {one.content for one in messages or []}
        hits = await book.recall.search(
            str(asked[-1].content), user_id=self._user_id, limit=self.limit + len(said)
        )
        return "\n".join([_line(hit) for hit in hits if hit.message.text not in said][: self.limit])

    async def _aput(self, messages: list[ChatMessage]) -> None:
        """Keep messages: each in the session it names, else in the block's own."""
        book = (await self._place.aopen()).awaited
        sessions: dict[str, list[Message]] = {}
        for one in messages:
            session_id = one.additional_kwargs.get("session_id") or self._session_id
            sessions.setdefault(str(session_id), []).append(from_chat_message(one))
        for session_id, kept in sessions.items():
            await book.history.append(session_id, kept, user_id=self._user_id)

    async def atruncate(self, content: str, tokens_to_truncate: int) -> str | None:
        """Drop the worst lines, about so many tokens; None if nothing is left."""
        lines = content.split("\n")
        spare = tokens_to_truncate * _CHARACTERS_PER_TOKEN
        while lines and spare > 0:
            spare -= len(lines.pop()) + 1
        return "\n".join(lines) or None

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable; the next use opens it again."""
        self._place.close()


def _line(hit: Hit) -> str:
    day = f" on {hit.said_at:%Y-%m-%d}" if hit.said_at is not None else ""
    return f"{hit.speaker}{day}: {' '.join(hit.message.text.split())}"
