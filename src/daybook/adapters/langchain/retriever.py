"""Recall as a retriever: what was said, as documents."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import PrivateAttr

from daybook.adapters.opened import BookOrUrl, Place
from daybook.config import default_url
from daybook.model.hit import Hit

__all__ = ["DaybookRetriever"]


class DaybookRetriever(BaseRetriever):
    """Returns the messages of one user that best answer a query, best first.

    Attributes:
        user_id: Whose conversations; a session that was made without a user is its own user.
        session_id: Only this session; None for all.
        k: Most documents.
        neighbours: So many messages before and after each stand in the document with it.
    """

    user_id: str
    session_id: str | None = None
    k: int = 5
    neighbours: int = 0
    _place: Place = PrivateAttr()

    def __init__(
        self,
        url: BookOrUrl | None = None,
        *,
        open_options: dict[str, Any] | None = None,
        **data: Any,
    ) -> None:
        """Name the place and, by keyword, the attributes; no I/O is done yet."""
        super().__init__(**data)
        self._place = Place(default_url() if url is None else url, open_options)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        del run_manager
        opened = self._place.open()
        return _documents(opened.run(opened.awaited.recall.search(query, **self._arguments(k))))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        del run_manager
        book = (await self._place.aopen()).awaited
        return _documents(await book.recall.search(query, **self._arguments(k)))

    def _arguments(self, k: int | None) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "session_id": self.session_id,
            "limit": self.k if k is None else k,
            "neighbours": self.neighbours,
        }


def _documents(hits: list[Hit]) -> list[Document]:
    return [_document(hit) for hit in hits]


def _document(hit: Hit) -> Document:
    said = [message.text for message in (hit.messages or (hit.message,)) if message.text]
    return Document(
        "\n".join(said),
        id=f"{hit.session_id}:{hit.seq}",
        metadata={
            "session_id": hit.session_id,
            "seq": hit.seq,
            "message_id": hit.message.id,
            "role": hit.message.role,
            "speaker": hit.speaker,
            "said_at": hit.said_at.isoformat() if hit.said_at else None,
            "score": hit.score,
        },
    )
