"""`book.recall`: finds what was said, and shows where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from daybook.errors import InvalidInputError, NotFoundError, UnsupportedError
from daybook.facets.checks import check_limit, check_moment
from daybook.facets.session_forks import all_sessions
from daybook.indexing.documents import to_micros
from daybook.indexing.models import Models
from daybook.indexing.query_runner import SearchFilter, run_query
from daybook.indexing.turn_indexer import TurnIndexer
from daybook.model.codec import decode_entry
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.identifiers import check_id
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog, PendingSession
from daybook.protocols.search_index import SearchIndex

if TYPE_CHECKING:
    from daybook.recall.ranker import Ranked

__all__ = ["Recall", "RecallState"]

_MOST_QUERY = 10_000
_MOST_NEIGHBOURS = 20
_MOST_PENDING = 100_000


class RecallState(Struct, frozen=True, kw_only=True):
    """How far the index is behind the log.

    Attributes:
        documents: Messages indexed.
        pending_sessions: Sessions with changes not indexed yet.
        embedders: Documents per embedder id; more than one while re-embedding.
        current_embedder: Id of the embedder in use; empty for words alone.
        last_error: Kind of the error that made background indexing wait, if it does.
    """

    documents: int
    pending_sessions: int
    embedders: dict[str, int]
    current_embedder: str
    last_error: str | None = None


class Recall:
    """Searches a user's conversations by words and meaning."""

    def __init__(
        self,
        log: MessageLog,
        index: SearchIndex | None,
        indexer: TurnIndexer | None,
        models: Models,
        *,
        tenant: str,
        clock: Clock,
        no_index: str = "",
    ) -> None:
        self._log = log
        self._no_index = no_index
        self._maybe_index = index
        self._maybe_indexer = indexer
        self._models = models
        self._tenant = tenant
        self._clock = clock

    async def search(
        self,
        query: str,
        *,
        user_id: str,
        session_id: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 10,
        neighbours: int = 1,
        read_your_writes: bool = True,
    ) -> list[Hit]:
        """Return the messages that best answer a question, best first, with their surroundings.

        Args:
            query: A question or some words. A time in it ("last month", "in May 2023") and a
                speaker's name in it draw matching messages up.
            user_id: Whose conversations; no other's are looked at.
            session_id: Only this session, or these.
            since: Only messages said at or after this moment.
            until: Only messages said before this moment.
            limit: At most so many.
            neighbours: How many messages before and after each to return with it.
            read_your_writes: First index what this user's sessions gained; if False, what the
                background has not reached yet may be missed.

        Raises:
            InvalidInputError: An argument is not valid.
            UnsupportedError: No search index is configured.
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        scope = Scope.of(self._tenant, check_id(user_id, "user_id"))
        around = _check_neighbours(neighbours)
        first, last = check_moment(since, "since"), check_moment(until, "until")
        groups = _check_sessions(session_id)
        if read_your_writes:
            await self._indexer.catch_up(scope)
        only = SearchFilter(
            groups=groups,
            since=None if first is None else to_micros(first),
            until=None if last is None else to_micros(last),
        )
        text, wanted = _check_query(query), check_limit(limit)
        asked = wanted
        while True:
            ranked = await run_query(
                self._index,
                self._models,
                scope,
                "turns",
                text,
                now=self._clock.now(),
                limit=asked,
                only=only,
            )
            hits = await self._hits(scope, ranked, around)
            if len(hits) >= wanted or len(ranked) < asked:
                return hits[:wanted]
            asked *= 2  # some were of sessions that have expired or are gone

    async def index(self, session_id: str, *, user_id: str | None = None) -> int:
        """Index what of one session is not indexed yet, now; return how many messages.

        Appends do this in the background; call it where that is turned off. Repeatable.

        Raises:
            NotFoundError: There is no such session (of this user).
        """
        scope = Scope.of(self._tenant, user_id)
        span = await self._log.span(scope, check_id(session_id, "session_id"))
        if span is None:
            raise NotFoundError(
                f"no session {session_id}: it was deleted, has expired, or never was"
            )
        return await self._indexer.index_session(
            PendingSession(self._tenant, span.user_id, session_id, 0)
        )

    async def flush(self, *, user_id: str | None = None) -> None:
        """Wait until everything appended so far (by a user) is indexed.

        Raises:
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        await self._indexer.catch_up(Scope.of(self._tenant, user_id))

    async def state(self, *, user_id: str | None = None) -> RecallState:
        """Return how far the index is behind the log."""
        scope = Scope.of(self._tenant, user_id)
        index = await self._index.state(scope)
        pending = await self._log.pending(limit=_MOST_PENDING, scope=scope)
        error = self._indexer.last_error
        return RecallState(
            documents=index.documents,
            pending_sessions=len(pending),
            embedders=index.embedders,
            current_embedder=self._models.embedder_id,
            last_error=None if error is None else type(error).__name__,
        )

    async def reindex(
        self, *, user_id: str | None = None, on_progress: Callable[[int, int], None] | None = None
    ) -> int:
        """Forget what is indexed and index every session anew; return how many messages.

        The way to move a store's index to another place, or to mend one that was lost. Searches
        meanwhile find what is indexed already. Run it again if it was broken off.

        Args:
            user_id: Only this user's sessions; None for all of the tenant.
            on_progress: Called with how many sessions are done and how many there are.
        """
        scope = Scope.of(self._tenant, user_id)
        sessions = [one async for one in all_sessions(self._log, scope)]
        for owner in sorted({session.user_id for session in sessions}):
            await self._index.erase(Scope(self._tenant, owner), "turns")
        done = 0
        for number, session in enumerate(sessions, 1):
            done += await self._indexer.index_session(
                PendingSession(self._tenant, session.user_id, session.id, 0)
            )
            if on_progress is not None:
                on_progress(number, len(sessions))
        return done

    async def is_lost(self) -> bool:
        """Tell whether the index is empty though nothing waits to be indexed.

        So it is when the file of a separate index was removed; opening a store asks.
        """
        if (await self._index.state(None)).documents or await self._log.pending(limit=1):
            return False
        return bool((await self._log.list_sessions(Scope(self._tenant), limit=1)).items)

    @property
    def _index(self) -> SearchIndex:
        if self._maybe_index is None:
            raise UnsupportedError(f"there is no search index: {self._no_index}")
        return self._maybe_index

    @property
    def _indexer(self) -> TurnIndexer:
        if self._maybe_indexer is None:
            raise UnsupportedError(f"there is no search index: {self._no_index}")
        return self._maybe_indexer

    async def _hits(self, scope: Scope, ranked: Sequence[Ranked], around: int) -> list[Hit]:
        """Read the messages behind ranked documents.

        One that is gone from the log is left out, and so is what a fork shares with a session
        that is among the hits already.
        """
        places = [(one.group, one.position - around, one.position + around) for one in ranked]
        found = await self._log.read_at(scope, places)
        hits: list[Hit] = []
        seen: dict[str, list[Message]] = {}
        for one, stored in zip(ranked, found, strict=True):
            entries = [decode_entry(entry) for entry in stored]
            match = next((entry for entry in entries if entry.seq == one.position), None)
            if match is None or match.message in seen.setdefault(match.message.id, []):
                continue
            seen[match.message.id].append(match.message)
            hits.append(_hit(one, match, entries))
        return hits


def _hit(ranked: Ranked, match: HistoryEntry, entries: Sequence[HistoryEntry]) -> Hit:
    message = match.message
    return Hit(
        message=message,
        messages=tuple(entry.message for entry in entries),
        session_id=ranked.group,
        seq=match.seq,
        score=ranked.score,
        why=ranked.contributions,
        said_at=message.created_at,
        speaker=message.name or message.role,
    )


def _check_query(query: Any) -> str:
    if not isinstance(query, str) or not query.strip():
        raise InvalidInputError("query must be non-empty text")
    if len(query) > _MOST_QUERY:
        raise InvalidInputError(f"query must have at most {_MOST_QUERY:,} characters")
    return query


def _check_neighbours(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_NEIGHBOURS:
        raise InvalidInputError(f"neighbours must be an int from 0 to {_MOST_NEIGHBOURS}")
    return value


def _check_sessions(value: str | Sequence[str] | None) -> frozenset[str] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return frozenset([check_id(value, "session_id")])
    return frozenset(check_id(one, f"session_id[{at}]") for at, one in enumerate(value))
