"""Keeps conversations under their user's names for them, with summaries of their chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from daybook.adapters.ai_infra.conversation_chunks import Chunking, chunk_id
from daybook.adapters.ai_infra.kept_messages import kept_messages, new_messages, what_changed
from daybook.adapters.ai_infra.language_model import ModelChoice, chosen_model
from daybook.adapters.ai_infra.lazy_book import Work
from daybook.adapters.ai_infra.summaries import summary_of
from daybook.client import AsyncDaybook
from daybook.errors import ConflictError
from daybook.facets.history import MAX_BATCH
from daybook.model.message import Message
from daybook.model.session import Session
from daybook.protocols.language_model import LanguageModel

__all__ = ["MARK", "ConversationIndex", "summary_of_chunk"]

MARK = "ai_infra"
_SUMMARIES = "chunk-summaries:"  # an owner apart from the memories that programs list
_MOST = 100_000


class ConversationIndex:
    """Writes and removes conversations; the methods return work for a daybook."""

    def __init__(self, chunking: Chunking, *, summaries: bool, llm: ModelChoice | None) -> None:
        self._chunking = chunking
        self._summaries = summaries
        self._llm = llm

    def work(
        self,
        user_id: str,
        conversation: str,
        messages: Sequence[Any],
        metadata: Mapping[str, Any] | None,
    ) -> Work[list[str]]:
        """Return the work that keeps a conversation and returns its chunks' ids."""

        async def work(book: AsyncDaybook) -> list[str]:
            given = kept_messages(messages)
            if not given:
                return []
            mark = {"indexed": True, "summaries": self._summaries}
            session = await _session(book, user_id, conversation, metadata, mark)
            stored = await book.history.list(session.id, user_id=user_id, hidden=True)
            whole = await _store(book, session, stored, given)
            await book.recall.index(session.id, user_id=user_id)
            if self._summaries:
                await self._summarise(book, session, whole)
            return self._ids(session.id, len(whole))

        return work

    def deletion(self, user_id: str, conversation: str | None) -> Work[int]:
        """Return the work that removes one conversation, or all of a user, and counts chunks."""

        async def work(book: AsyncDaybook) -> int:
            removed = 0
            for session in await _indexed(book, user_id, conversation):
                if await book.sessions.delete(session.id, user_id=user_id):
                    removed += self._chunking.count(session.message_count)
                place = _summaries(session)
                for record in await book.records.list(place, limit=_MOST):
                    await book.records.delete(record.namespace, record.key)
            return removed

        return work

    def _ids(self, session_id: str, messages: int) -> list[str]:
        chunks = range(self._chunking.count(messages))
        return [chunk_id(session_id, self._chunking.span(at, messages)[0]) for at in chunks]

    async def _summarise(
        self, book: AsyncDaybook, session: Session, messages: Sequence[Message]
    ) -> None:
        """Write the summaries of the chunks that have none, or changed since."""
        place = _summaries(session)
        made = {one.key: one.value for one in await book.records.list(place, limit=_MOST)}
        async with chosen_model(self._llm) as model:
            await self._fill_in(book, session, messages, made, model)

    async def _fill_in(
        self,
        book: AsyncDaybook,
        session: Session,
        messages: Sequence[Message],
        made: Mapping[str, Mapping[str, Any]],
        model: LanguageModel | None,
    ) -> None:
        place = _summaries(session)
        for at in range(self._chunking.count(len(messages))):
            start, end = self._chunking.span(at, len(messages))
            part = messages[start:end]
            mark = _mark(part)
            key = chunk_id(session.id, start)
            if made.get(key, {}).get("of") == mark:
                continue
            text = await summary_of(part, model)
            value = {"summary": text, "of": mark, "made_by": model.id if model else "quotes"}
            await book.records.put(place, key, value, searched=False)


async def summary_of_chunk(book: AsyncDaybook, session: Session, name: str) -> str | None:
    """Return a chunk's summary; None if there is none."""
    mark = session.metadata.get(MARK)
    if not isinstance(mark, dict) or not mark.get("summaries"):
        return None
    record = await book.records.get(_summaries(session), name)
    return None if record is None else str(record.value["summary"])


async def _session(
    book: AsyncDaybook,
    user_id: str,
    conversation: str,
    metadata: Mapping[str, Any] | None,
    mark: Mapping[str, Any],
) -> Session:
    """Return the session of a conversation, made now if there is none, with its metadata."""
    with suppress(ConflictError):  # it exists
        return await book.sessions.create(
            user_id=user_id,
            conversation_id=conversation,
            metadata={**(metadata or {}), MARK: mark},
        )
    session_id = await book.sessions.id_of(user_id=user_id, conversation_id=conversation)
    session = await book.sessions.get(session_id, user_id=user_id)
    kept = {} if session is None else session.metadata
    wanted = {**(kept if metadata is None else metadata), MARK: mark}
    if session is not None and kept == wanted:
        return session
    return await book.sessions.update(session_id, user_id=user_id, metadata=wanted)


async def _store(
    book: AsyncDaybook, session: Session, stored: Sequence[Message], given: Sequence[Message]
) -> list[Message]:
    """Append what is new of a conversation, in its place if it was edited; return it whole."""
    change = what_changed(stored, given)
    before = [] if change.replaces else list(stored)
    if change.replaces:
        await book.history.clear(session.id, user_id=session.user_id)
    fresh = new_messages(before, given[len(given) - change.added :])
    for start in range(0, len(fresh), MAX_BATCH):
        batch = fresh[start : start + MAX_BATCH]
        await book.history.append(session.id, batch, user_id=session.user_id)
    return [*before, *fresh]


async def _indexed(book: AsyncDaybook, user_id: str, conversation: str | None) -> list[Session]:
    """Return the sessions of a user that were indexed here: one of them, or all."""
    if conversation is not None:
        one = await book.sessions.get(user_id=user_id, conversation_id=conversation)
        return [one] if one is not None and MARK in one.metadata else []
    found: list[Session] = []
    cursor: str | None = None
    while True:
        page = await book.sessions.list(user_id=user_id, limit=500, cursor=cursor)
        found += [session for session in page.items if MARK in session.metadata]
        cursor = page.cursor
        if cursor is None:
            return found


def _mark(messages: Sequence[Message]) -> str:
    ids = "\0".join(message.id for message in messages)
    return blake2b(ids.encode(), digest_size=12).hexdigest()


def _summaries(session: Session) -> tuple[str, str]:
    return f"{_SUMMARIES}{session.user_id}", session.id
