"""Brings the index up to the log: session by session, from its watermark, until nothing is left.

The log notes every change in the change's own transaction (`MessageLog.pending`); the indexer
reads those notes, so nothing is forgotten by a crash and nothing is indexed twice for long: the
work is idempotent. The log is the truth, the index only follows.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from weakref import WeakValueDictionary

from daybook.errors import DaybookError
from daybook.indexing.models import Models
from daybook.indexing.record_indexer import RecordIndexer
from daybook.indexing.turn_documents import documents_of
from daybook.model.codec import decode_entry
from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog, PendingSession, SessionSpan
from daybook.protocols.search_index import SearchIndex

__all__ = ["TurnIndexer"]

_log = logging.getLogger("daybook.indexing")

_CHUNK = 512  # messages read, embedded and written at a time
_AT_ONCE = 2  # sessions; more brought nothing on two cores
_SESSIONS = 64  # pending sessions taken at a time
_SEQ_BITS = 32  # as wide as a sequence number may get
_GATHER_S = 0.03  # how long the background waits for more before it starts
_FIRST_RETRY_S = 0.5
_LONGEST_RETRY_S = 60.0


class TurnIndexer:
    """Indexes pending sessions, in the background and on request."""

    def __init__(
        self,
        log: MessageLog,
        index: SearchIndex,
        models: Models,
        *,
        background: bool,
        records: RecordIndexer | None = None,
    ) -> None:
        self._messages = log
        self._index = index
        self._models = models
        self._background = background
        self._records = records
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None
        self._locks: WeakValueDictionary[tuple[int, str, str, str], asyncio.Lock] = (
            WeakValueDictionary()
        )
        self.last_error: DaybookError | None = None

    def notify(self) -> None:
        """Say that the log changed; the background task wakes, or starts on this event loop."""
        if not self._background or self._closed:
            return
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop().is_closed():
            self._wake = asyncio.Event()
            self._task = loop.create_task(self._work(self._wake), name="daybook-indexer")
        if self._wake is None:
            return
        home = self._task.get_loop()
        if home is loop:
            self._wake.set()
        else:
            with suppress(RuntimeError):  # its loop closed just now: the next change starts anew
                home.call_soon_threadsafe(self._wake.set)

    async def catch_up(self, scope: Scope | None = None) -> int:
        """Index everything pending (of a user), newest change first; return messages indexed.

        A session that fails stays pending and does not keep the others waiting.

        Raises:
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        done = 0
        while pending := await self._messages.pending(limit=_SESSIONS, scope=scope):
            outcomes = await self._index_all(list(reversed(pending)))
            settled = [one for one, outcome in outcomes if isinstance(outcome, int)]
            if settled:
                await self._messages.settle(settled)
            done += sum(outcome for _, outcome in outcomes if isinstance(outcome, int))
            failures = [outcome for _, outcome in outcomes if isinstance(outcome, DaybookError)]
            if failures:
                raise failures[0]
        return done

    async def _index_all(
        self, pending: list[PendingSession]
    ) -> list[tuple[PendingSession, int | DaybookError]]:
        """Index sessions, two at a time: one is analysed while the other one's commit waits."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def index(one: PendingSession) -> tuple[PendingSession, int | DaybookError]:
            async with turns:
                try:
                    return one, await self.index_session(one)
                except DaybookError as exc:
                    return one, exc

        return await asyncio.gather(*map(index, pending))

    async def index_session(self, session: PendingSession) -> int:
        """Index what of one session is not indexed yet; return how many messages."""
        async with self._lock(session):
            return await self._index_session(session)

    async def re_embed(self) -> int:
        """Index anew the turns whose vector another embedder made, a chunk of them.

        Returns:
            How many were looked at; 0 when none is left.
        """
        stale = await self._index.stale("turns", self._models.embedder_id, limit=_CHUNK)
        by_scope: dict[Scope, list[tuple[str, str, int]]] = {}
        for scope, group, key, at in stale:
            by_scope.setdefault(scope, []).append((group, key, at))
        for scope, turns in by_scope.items():
            await self._re_embed_scope(scope, turns)
        return len(stale)

    async def _re_embed_some(self) -> int:
        return await self.re_embed() or (await self._records.re_embed() if self._records else 0)

    async def close(self) -> None:
        """Stop the background task at its next pause. What is left stays pending."""
        self._closed = True
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
            if self._task.get_loop() is asyncio.get_running_loop():
                with suppress(asyncio.CancelledError):
                    await self._task

    def _lock(self, session: PendingSession) -> asyncio.Lock:
        """Return this event loop's lock for a session: two workers would do the same work twice."""
        name = (session.tenant, session.user_id, session.session_id)
        key = (id(asyncio.get_running_loop()), *name)
        return self._locks.setdefault(key, asyncio.Lock())

    async def _work(self, wake: asyncio.Event) -> None:
        """Wait for changes, index them; retry after a failure, more slowly each time."""
        retry_s = _FIRST_RETRY_S
        while not self._closed:
            await wake.wait()
            await asyncio.sleep(_GATHER_S)
            wake.clear()
            try:
                await self.catch_up()
                if await self._re_embed_some():  # then new messages go first
                    wake.set()
                self.last_error, retry_s = None, _FIRST_RETRY_S
            except DaybookError as exc:
                self.last_error = exc
                _log.warning("indexing failed and will be tried again: %s", type(exc).__name__)
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, _LONGEST_RETRY_S)
                wake.set()

    async def _index_session(self, pending: PendingSession) -> int:
        """Bring one session's documents to what the log holds now.

        A watermark is the session's incarnation and the last sequence number indexed, so that a
        session made again under an old id starts anew.
        """
        scope = Scope(pending.tenant, pending.user_id)
        name = pending.session_id
        span = await self._messages.span(scope, name)
        if span is None:
            await self._index.delete(scope, "turns", name)
            return 0
        base = span.incarnation << _SEQ_BITS
        mark = await self._index.watermark(scope, "turns", name)
        if 0 < mark < base:
            await self._index.delete(scope, "turns", name)
        elif mark - base < span.first_seq <= span.last_seq + 1 and span.first_seq > 1:
            await self._index.delete(scope, "turns", name, before=span.first_seq)
        done = 0
        position = max(mark - base, 0)
        while position < span.last_seq:
            stored = await self._messages.read(scope, name, after=position, limit=_CHUNK)
            if not stored:
                break
            documents = await documents_of(
                self._models, [(name, decode_entry(entry)) for entry in stored]
            )
            position = stored[-1].seq
            watermarks = [(name, base + position)]
            await self._index.put(scope, "turns", documents, watermarks=watermarks)
            done += len(stored)
        if done:
            await self._take_back(scope, name, span)
        return done

    async def _take_back(self, scope: Scope, name: str, before: SessionSpan) -> None:
        """Remove what was written of a session that was deleted or cleared meanwhile.

        Another process may have taken it out of the index already, before it was written.
        """
        now = await self._messages.span(scope, name)
        if now is None:
            await self._index.delete(scope, "turns", name)
        elif now.first_seq > before.first_seq:
            await self._index.delete(scope, "turns", name, before=now.first_seq)

    async def _re_embed_scope(self, scope: Scope, turns: list[tuple[str, str, int]]) -> None:
        places = [(group, at, at) for group, _, at in turns]
        found = await self._messages.read_at(scope, places)
        there = [
            (group, decode_entry(stored[0]))
            for (group, _, _), stored in zip(turns, found, strict=True)
            if stored
        ]
        documents = await documents_of(self._models, there)
        made = {(document.group, document.key) for document in documents}
        for group, key, _ in turns:
            if (group, key) not in made:  # gone from the log, or nothing in it to find
                await self._index.delete(scope, "turns", group, keys=[key])
        await self._index.put(scope, "turns", documents)
