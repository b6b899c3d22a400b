"""Sessions indexed anew, in place: what a search finds now it finds all the while.

Documents are overwritten chunk by chunk, and what stands in the index beside those that the log
accounts for is removed after its chunk was written. Nothing here needs to be alone: whatever
another process indexes, deletes or rebuilds meanwhile, the last one to look finds what the log
says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from daybook.indexing.models import Models
from daybook.indexing.reindex_state import Item, Reached
from daybook.indexing.turn_documents import documents_of
from daybook.model.codec import decode_entry
from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog, SessionSpan
from daybook.protocols.search_index import SearchIndex

__all__ = ["SEQ_BITS", "SessionRebuild"]

SEQ_BITS = 32  # as wide as a sequence number may get
_CHUNK = 512  # messages read, embedded and written at a time
_PAGE = 500
_GROUPS = 5_000
_ENDLESS = 1 << SEQ_BITS
_CLOCKS_S = 300  # hosts' clocks agree better than that

OnChunk = Callable[[Reached, int], Awaitable[None]]


class SessionRebuild:
    """What there is to do for the turns of a tenant, or of one user."""

    batch = 1

    def __init__(self, log: MessageLog, index: SearchIndex, models: Models, scope: Scope) -> None:
        self.scope = scope
        self._log = log
        self._index = index
        self._models = models

    async def items(self) -> list[tuple[Item, int]]:
        """Return all sessions with their counts of messages, a user's ones side by side."""
        found: dict[Item, int] = {}
        newest = None
        while True:
            fresh, newest = await self._page_through(found, until=newest)
            if not fresh:
                return sorted(found.items())

    async def _page_through(
        self, found: dict[Item, int], *, until: float | None
    ) -> tuple[int, float | None]:
        """Add sessions to `found`, most recently active first, down to an activity's time.

        A session that becomes active between two pages is missed by the later ones, and comes
        first the next time: so whoever calls again until nothing is new has them all.
        """
        cursor, fresh, newest = None, 0, None
        while True:
            page = await self._log.list_sessions(self.scope, limit=_PAGE, cursor=cursor)
            for session in page.items:
                active = session.last_active_at.timestamp()
                newest = active if newest is None else max(newest, active)
                item = Item(session.user_id, session.id)
                fresh += item not in found
                found[item] = session.message_count
            cursor = page.cursor
            oldest = page.items[-1].last_active_at.timestamp() if page.items else None
            passed = until is not None and oldest is not None and oldest < until - _CLOCKS_S
            if cursor is None or passed:
                return fresh, newest

    async def sweep(self, known: Sequence[Item]) -> None:
        """Take sessions out of the index that the log does not have."""
        there = set(known)
        after = None
        while page := await self._index.groups(self.scope, "turns", after=after, limit=_GROUPS):
            for user_id, name in page:
                owner = Scope(self.scope.tenant, user_id)
                if Item(user_id, name) not in there and not await self._log.span(owner, name):
                    await self._index.delete(owner, "turns", name)
            after = page[-1]

    async def rebuild(self, items: Sequence[Item], start: Reached, on_chunk: OnChunk) -> int:
        """Index one session anew, from where it was got to; return how many messages.

        Args:
            items: The session.
            start: Where to go on; its sequence number counts if the session's incarnation is still
                the same.
            on_chunk: Told where it is after each chunk, and how many messages that was.

        Raises:
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        (item,) = items
        scope = Scope(self.scope.tenant, item.owner)
        done = 0
        while True:
            # The mark first: what others index after it is in the span that is read then.
            mark = await self._index.watermark(scope, "turns", item.name)
            span = await self._log.span(scope, item.name)
            if span is None:
                await self._index.delete(scope, "turns", item.name)
                return done
            base = span.incarnation << SEQ_BITS
            if start.incarnation != span.incarnation:
                start = Reached(start.item, span.incarnation, 0)
            if mark and not base <= mark <= base + span.last_seq:
                # Of another life of the session, or of messages that a restored log never had.
                await self._index.delete(scope, "turns", item.name)
                start = Reached(start.item, span.incarnation, 0)
            done += await self._rewrite(scope, item.name, start, on_chunk)
            if await self._is_settled(scope, item.name, span):
                return done

    async def _rewrite(self, scope: Scope, name: str, start: Reached, on_chunk: OnChunk) -> int:
        """Overwrite a session's documents from a place to its end; return how many messages."""
        # Listed before anything is read: what comes later is the log's for certain.
        held = await self._index.listed(scope, "turns", name)
        others = [(key, at) for key, at in held if at > start.seq]
        base, position, done = start.incarnation << SEQ_BITS, start.seq, 0
        while True:
            stored = await self._log.read(scope, name, after=position, limit=_CHUNK)
            made = await self._write(scope, name, base, stored)
            position = stored[-1].seq if len(stored) == _CHUNK else _ENDLESS
            gone = [key for key, at in others if at <= position and key not in made]
            if gone:
                await self._index.delete(scope, "turns", name, keys=gone)
            others = [one for one in others if one[1] > position]
            done += len(stored)
            if position == _ENDLESS:
                return done
            await on_chunk(Reached(start.item, start.incarnation, position), len(stored))

    async def _write(
        self, scope: Scope, name: str, base: int, stored: Sequence[StoredEntry]
    ) -> set[str]:
        """Write the documents of some messages; return their keys."""
        if not stored:
            return set()
        entries = [(name, decode_entry(one)) for one in stored]
        documents = await documents_of(self._models, entries)
        marks = [(name, base + stored[-1].seq)]
        await self._index.put(scope, "turns", documents, watermarks=marks)
        return {document.key for document in documents}

    async def _is_settled(self, scope: Scope, name: str, before: SessionSpan) -> bool:
        """Tell whether the session still is what was written; take out what was cleared."""
        now = await self._log.span(scope, name)
        if now is None or now.incarnation != before.incarnation:
            return False
        if now.first_seq > before.first_seq:
            await self._index.delete(scope, "turns", name, before=now.first_seq)
        return True
