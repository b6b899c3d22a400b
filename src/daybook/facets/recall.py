"""`book.recall`: finds what was said, and shows where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from daybook.errors import InvalidInputError, NotFoundError, UnsupportedError
from daybook.facets.checks import check_limit, check_moment
from daybook.facets.hit_reading import FoundHits, read_hits
from daybook.facets.timed_question import timed_question
from daybook.indexing.documents import to_micros
from daybook.indexing.models import Models
from daybook.indexing.query_runner import SearchFilter, run_query
from daybook.indexing.turn_indexer import TurnIndexer
from daybook.model.hit import Hit
from daybook.model.identifiers import check_id
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog, PendingSession
from daybook.protocols.search_index import SearchIndex
from daybook.protocols.token_counter import TokenCounter

if TYPE_CHECKING:
    from daybook.indexing.reindexing import Reindexing
    from daybook.model.passage import Recollection
    from daybook.model.reindex_progress import ReindexProgress
    from daybook.recall.times.time_relations import TimeWindow

__all__ = ["Recall", "RecallState"]

_MOST_QUERY = 10_000
_MOST_NEIGHBOURS = 20
_MOST_PENDING = 100_000
_DEFAULT_LIMIT = 10
# As many as are read to fill a budget; beyond, hardly any are evidence.
_MOST_TO_FIT = 100
# A message takes at least so many tokens, so that a small budget need not read a hundred.
_SMALLEST_MESSAGE = 8


class RecallState(Struct, frozen=True, kw_only=True):
    """How far the index is behind the log.

    Attributes:
        documents: Messages indexed.
        pending_sessions: Sessions with changes not indexed yet, counted up to 100,000.
        more_pending: Whether there are more than were counted.
        embedders: Documents per embedder id; more than one while re-embedding.
        current_embedder: Id of the embedder in use; empty for words alone.
        last_error: Kind of the error that made background indexing wait, if it does.
    """

    documents: int
    pending_sessions: int
    embedders: dict[str, int]
    current_embedder: str
    last_error: str | None = None
    more_pending: bool = False


class Recall:
    """Searches a user's conversations by words and meaning."""

    def __init__(  # noqa: PLR0913 - what it is wired from
        self,
        log: MessageLog,
        index: SearchIndex | None,
        indexer: TurnIndexer | None,
        models: Models,
        *,
        tenant: str,
        clock: Clock,
        counter: TokenCounter,
        no_index: str = "",
        reindexing: Callable[[], Reindexing | None],
    ) -> None:
        self._log = log
        self._counter = counter
        self._no_index = no_index
        self._maybe_index = index
        self._maybe_indexer = indexer
        self._maybe_reindexing = reindexing
        self._models = models
        self._tenant = tenant
        self._clock = clock

    async def search(  # noqa: PLR0913 - what may be asked
        self,
        query: str,
        *,
        user_id: str,
        session_id: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        neighbours: int | None = None,
        max_tokens: int | None = None,
        explain: bool = False,
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
            limit: At most so many; 10 if None, or with `max_tokens` as many as fit (of 100).
            neighbours: How many messages before and after each to return with it; 1 if None, or
                with `max_tokens` only the question that a short answer follows.
            max_tokens: Fill so many tokens, as counted at append, with the best evidence: whole
                messages, repeats left out. The counts of all `messages` stay within it.
            explain: Give each hit its `reasons`.
            read_your_writes: First index what this user's sessions gained; if False, what the
                background has not reached yet may be missed.

        Raises:
            InvalidInputError: An argument is not valid.
            UnsupportedError: No search index is configured.
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        asked = self._asked(query, user_id, session_id, since, until)
        around = 1 if neighbours is None else _check_neighbours(neighbours)
        wanted = _wanted(limit, max_tokens)
        if read_your_writes:
            await self._indexer.catch_up(asked.scope)
        found = await self._best(asked, wanted, around)
        if max_tokens is not None:
            found = found.within(max_tokens, whole_surroundings=neighbours is not None)
        if not explain:
            return found.hits
        from daybook.recall.evidence.explanation import explained  # noqa: PLC0415 - loads when asked for

        return explained(found.hits, asked.text, self._models.analyzer)

    async def passages(
        self,
        query: str,
        *,
        user_id: str,
        session_id: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        max_tokens: int = 500,
        read_your_writes: bool = True,
    ) -> Recollection:
        """Return the best evidence for a question as text of so many tokens at most.

        Neighbouring hits are put together, repeats are counted and left out, and of a message that
        would take more than half of the budget the part that matches best is quoted.

        Args:
            query: A question or some words.
            user_id: Whose conversations; no other's are looked at.
            session_id: Only this session, or these.
            since: Only messages said at or after this moment.
            until: Only messages said before this moment.
            limit: Look at so many hits at most; 100 if None.
            max_tokens: Tokens of the whole text, dates and speakers included, by the counter that
                counts messages at append.
            read_your_writes: First index what this user's sessions gained.

        Raises:
            InvalidInputError: An argument is not valid.
            UnsupportedError: No search index is configured.
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        from daybook.recall.evidence.matched_words import matched_spans  # noqa: PLC0415 - as `search`
        from daybook.recall.evidence.passages import recollect  # noqa: PLC0415

        asked = self._asked(query, user_id, session_id, since, until)
        wanted = _wanted(limit, check_limit(max_tokens, "max_tokens"))
        if read_your_writes:
            await self._indexer.catch_up(asked.scope)
        found = await self._best(asked, wanted, 1)

        def spans(text: str) -> Sequence[tuple[int, int]]:
            return matched_spans(text, asked.text, self._models.analyzer)

        return recollect(found.hits, max_tokens, counter=self._counter, spans=spans)

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
        pending = await self._log.pending(limit=_MOST_PENDING + 1, scope=scope)
        error = self._indexer.last_error
        return RecallState(
            documents=index.documents,
            pending_sessions=min(len(pending), _MOST_PENDING),
            more_pending=len(pending) > _MOST_PENDING,
            embedders=index.embedders,
            current_embedder=self._models.embedder_id,
            last_error=None if error is None else type(error).__name__,
        )

    async def reindex(
        self,
        *,
        user_id: str | None = None,
        fresh: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Index every session anew, in place; return how many messages this call indexed.

        The way to move a store's index to another place, or to mend one that was lost. A search
        meanwhile finds what it found before, and messages that are appended meanwhile are indexed
        too. Broken off, it goes on where it was when it is called again; called by several
        processes at once, it shares the work. `daybook reindex` starts several.

        Args:
            user_id: Only this user's sessions; None for all of the tenant.
            fresh: Begin anew although a run was broken off or is on its way.
            on_progress: Called with how many sessions are done and how many there are.

        Raises:
            ConflictError: Another process began it anew meanwhile.
            StoreError: A store failed; what was done stays done.
            ProviderError: The embedder failed; all that did not fail was indexed.
        """
        scope = Scope.of(self._tenant, user_id)
        work = self._reindexing
        told = None if on_progress is None else _counts_for(on_progress)
        done = await work.run(work.turns(user_id), fresh=fresh, on_progress=told)
        await self._indexer.catch_up(scope)
        return done

    async def is_lost(self) -> bool:
        """Tell whether the index holds nothing of what it should, or was only half made anew.

        So it is when the file of a separate index was removed; opening a store asks. What waits to
        be indexed is not lost.
        """
        return await self._reindexing.is_lost()

    @property
    def _index(self) -> SearchIndex:
        if self._maybe_index is None:
            raise UnsupportedError(f"there is no search index: {self._no_index}")
        return self._maybe_index

    @property
    def _reindexing(self) -> Reindexing:
        if (reindexing := self._maybe_reindexing()) is None:
            raise UnsupportedError(f"there is no search index: {self._no_index}")
        return reindexing

    @property
    def _indexer(self) -> TurnIndexer:
        if self._maybe_indexer is None:
            raise UnsupportedError(f"there is no search index: {self._no_index}")
        return self._maybe_indexer

    def _asked(
        self,
        query: Any,
        user_id: Any,
        session_id: str | Sequence[str] | None,
        since: datetime | None,
        until: datetime | None,
    ) -> _Asked:
        first, last = check_moment(since, "since"), check_moment(until, "until")
        only = SearchFilter(
            groups=_check_sessions(session_id),
            since=None if first is None else to_micros(first),
            until=None if last is None else to_micros(last),
        )
        scope = Scope.of(self._tenant, check_id(user_id, "user_id"))
        return _Asked(scope, _check_query(query), only)

    async def _best(self, asked: _Asked, wanted: int, around: int) -> FoundHits:
        """Return the best hits there are, arranged as the question's times ask."""
        now = self._clock.now()

        tokens: dict[tuple[str, int], int] = {}

        async def find(
            words: str, limit: int, *, within: TimeWindow | None = None
        ) -> Sequence[Hit]:
            only = asked.only.at_any_time()
            if within is not None:
                only = asked.only.within(to_micros(within.since), to_micros(within.until))
            part = replace(asked, text=words, only=only)
            found = await self._read(part, limit, around, now)
            tokens.update(found.tokens)
            return found.hits

        timed = await timed_question(asked.text, now=now, models=self._models, find=find)
        question = replace(asked, text=timed.text)
        pool = timed.pool(wanted)
        found = await self._read(question, pool, around, now, timed.event_windows)
        return FoundHits(timed.arranged(found.hits, wanted), {**tokens, **found.tokens})

    async def _read(
        self,
        asked: _Asked,
        wanted: int,
        around: int,
        now: datetime,
        windows: Sequence[TimeWindow] = (),
    ) -> FoundHits:
        """Return the best hits by score alone, `wanted` at most."""
        limit = wanted
        while True:
            ranked = await run_query(
                self._index,
                self._models,
                asked.scope,
                "turns",
                asked.text,
                now=now,
                limit=limit,
                only=asked.only,
                windows=windows,
            )
            found = await read_hits(self._log, asked.scope, ranked, around)
            if len(found.hits) >= wanted or len(ranked) < limit:
                return found.first(wanted)
            limit *= 2  # some were of sessions that have expired or are gone


class _Asked(Struct, frozen=True):
    """A question that was checked."""

    scope: Scope
    text: str
    only: SearchFilter


def _wanted(limit: Any, max_tokens: Any) -> int:
    """Return how many hits to look for."""
    most = None if limit is None else check_limit(limit)
    if max_tokens is None:
        return most or _DEFAULT_LIMIT
    fitting = check_limit(max_tokens, "max_tokens") // _SMALLEST_MESSAGE
    return most or min(_MOST_TO_FIT, max(_DEFAULT_LIMIT, fitting))


def _counts_for(on_progress: Callable[[int, int], None]) -> Callable[[ReindexProgress], None]:
    return lambda progress: on_progress(progress.done, progress.total)


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
