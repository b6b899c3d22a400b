"""From the messages that recall finds to the chunks around them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from daybook.adapters.ai_infra.conversation_chunks import (
    Chunking,
    ConversationChunk,
    SearchResult,
    chunk_context,
    chunk_id,
    chunk_text,
)
from daybook.adapters.ai_infra.conversation_index import MARK, summary_of_chunk
from daybook.adapters.ai_infra.kept_messages import shown_message
from daybook.adapters.ai_infra.lazy_book import Work
from daybook.adapters.ai_infra.memory_item import similarity
from daybook.client import AsyncDaybook
from daybook.model.hit import Hit
from daybook.model.session import Session

__all__ = ["ConversationSearch", "Wanted"]

_FIRST_HITS = 4
_MOST_HITS = 2000


class Wanted(Struct, frozen=True):
    """What is searched for; the fields are the arguments of `ConversationMemory.search`."""

    user_id: str
    query: str
    limit: int
    min_score: float | None = None
    session_id: str | None = None


class _Place(Struct, frozen=True):
    """A chunk that was found: its session, its number there, its best message's score."""

    session: Session
    index: int
    score: float


class ConversationSearch:
    """Finds chunks; the method returns work for a daybook."""

    def __init__(self, chunking: Chunking) -> None:
        self._chunking = chunking

    def work(self, wanted: Wanted) -> Work[list[SearchResult]]:
        """Return the work that searches."""

        async def work(book: AsyncDaybook) -> list[SearchResult]:
            sessions: dict[str, Session | None] = {}
            asked = max(1, wanted.limit) * _FIRST_HITS
            while True:
                hits = await self._hits(book, wanted, asked)
                places = await self._places(book, wanted, hits, sessions)
                if len(places) >= wanted.limit or len(hits) < asked or asked >= _MOST_HITS:
                    break
                asked *= 4
            results = [self._result(book, place) for place in places[: wanted.limit]]
            return list(await asyncio.gather(*results))

        return work

    async def _hits(self, book: AsyncDaybook, wanted: Wanted, asked: int) -> Sequence[Hit]:
        only: str | None = None
        if wanted.session_id is not None:
            only = await book.sessions.id_of(
                user_id=wanted.user_id, conversation_id=wanted.session_id
            )
        return await book.recall.search(
            wanted.query, user_id=wanted.user_id, session_id=only, limit=asked, neighbours=0
        )

    async def _places(
        self,
        book: AsyncDaybook,
        wanted: Wanted,
        hits: Sequence[Hit],
        sessions: dict[str, Session | None],
    ) -> list[_Place]:
        """Return the chunks of messages, each once, in the order of their best message."""
        unknown = {hit.session_id for hit in hits} - sessions.keys()
        found = [book.sessions.get(name, user_id=wanted.user_id) for name in unknown]
        sessions.update(zip(unknown, await asyncio.gather(*found), strict=True))
        places: list[_Place] = []
        covered = set[tuple[str, int]]()
        for hit in hits:
            score = similarity(hit.score)
            if wanted.min_score is not None and score < wanted.min_score:
                break
            session = sessions[hit.session_id]
            if session is None or (hit.session_id, hit.seq) in covered:
                continue
            index = self._chunking.index_of(hit.seq - session.first_seq, _length(session))
            low, high = self._chunking.span(index, _length(session))
            first = session.first_seq
            covered.update((session.id, first + place) for place in range(low, high))
            places.append(_Place(session, index, score))
        return places

    async def _result(self, book: AsyncDaybook, place: _Place) -> SearchResult:
        session = place.session
        low, high = self._chunking.span(place.index, _length(session))
        messages = await book.history.list(
            session.id,
            after=session.first_seq + low - 1,
            before=session.first_seq + high,
            user_id=session.user_id,
            hidden=True,
        )
        name = chunk_id(session.id, low)
        summary = await summary_of_chunk(book, session, name)
        metadata = {key: value for key, value in session.metadata.items() if key != MARK}
        text = chunk_text(messages)
        chunk = ConversationChunk(
            chunk_id=name,
            user_id=session.user_id,
            session_id=session.conversation_id or session.id,
            messages=[shown_message(message) for message in messages],
            text=text,
            summary=summary,
            metadata=metadata,
            created_at=session.created_at.timestamp(),
            score=place.score,
        )
        return SearchResult(chunk, place.score, chunk_context(text, summary, metadata))


def _length(session: Session) -> int:
    return session.last_seq - session.first_seq + 1
