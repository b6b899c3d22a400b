"""Sessions indexed anew, in place: what a search finds now it finds all the while.

Documents are overwritten chunk by chunk, and what stands in the index beside those that the log
accounts for is removed after its chunk was written. Nothing here needs to be alone: whatever
another process indexes, deletes or rebuilds meanwhile, the last one to look finds what the log
says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from daybook.indexing.models import Models
from daybook.indexing.reindex_state import Item, Reached
from daybook.indexing.turn_documents import documents_of
from daybook.model.codec import decode_entry
from daybook.model.entry import StoredEntry
from daybook.model.index_document import IndexDocument
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


class _Seen(Struct, frozen=True):
    """A session as the log had it before it was read; without a span it is gone."""

    item: Item
    scope: Scope
    span: SessionSpan | None
    emptied: bool = False

    @property
    def length(self) -> int:
        return 0 if self.span is None else self.span.last_seq + 1 - self.span.first_seq

    @property
    def base(self) -> int:
        return 0 if self.span is None else self.span.incarnation << SEQ_BITS


class SessionRebuild:
    """What there is to do for the turns of a tenant, or of one user."""

    batch = 32

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
        """Index sessions anew; return how many messages they have.

        Short sessions are analysed and written together.

        Args:
            items: The sessions.
            start: Where to go on in the first one; its sequence number counts if the session's
                incarnation is still the same.
            on_chunk: Told what is done after a chunk, and how many messages that was.

        Raises:
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        done, size = 0, 0
        together: list[_Seen] = []
        looked = await asyncio.gather(*map(self._look, items))
        for number, seen in enumerate(looked, start.item):
            goes_on = number == start.item and start.seq > 0
            is_long = goes_on or seen.length >= _CHUNK
            if not is_long:
                together.append(seen)
                size += seen.length
                if size < _CHUNK:
                    continue
            written = await self._rewrite_together(together)
            done, together, size = done + written, [], 0
            if is_long:
                place = start if goes_on else Reached(number)
                done += await self._rewrite_one(seen, place, on_chunk)
            else:
                await on_chunk(Reached(number + 1), written)
        return done + await self._rewrite_together(together)

    async def _look(self, item: Item) -> _Seen:
        """Return what a session is in the log, once nothing else than that is in the index."""
        scope = Scope(self.scope.tenant, item.owner)
        # The mark first: what others index after it is in the span that is read then.
        mark = await self._index.watermark(scope, "turns", item.name)
        span = await self._log.span(scope, item.name)
        if span is None:
            await self._index.delete(scope, "turns", item.name)
        else:
            base = span.incarnation << SEQ_BITS
            if mark and not base <= mark <= base + span.last_seq:
                # Of another life of the session, or of messages that a restored log never had.
                await self._index.delete(scope, "turns", item.name)
                return _Seen(item, scope, span, emptied=True)
        return _Seen(item, scope, span)

    async def _rewrite_together(self, sessions: Sequence[_Seen]) -> int:
        """Overwrite the documents of short sessions; return how many messages they have."""
        there = [seen for seen in sessions if seen.span is not None]
        held = await asyncio.gather(*map(self._listed, there))
        read = await asyncio.gather(
            *(self._log.read(one.scope, one.item.name, limit=_CHUNK) for one in there)
        )
        made = await self._write_all([*zip(there, read, strict=True)])
        settled = await asyncio.gather(
            *(
                self._settle(seen, [key for key, _ in listed if key not in made[seen.item]])
                for seen, listed in zip(there, held, strict=True)
            )
        )
        done = sum(map(len, read))
        for seen, stored, is_settled in zip(there, read, settled, strict=True):
            if not is_settled or len(stored) == _CHUNK:  # it was made again, or grew
                again = await self._look(seen.item)
                done += await self._rewrite_one(again, Reached(), _tell_nobody) - len(stored)
        return done

    async def _write_all(
        self, sessions: Sequence[tuple[_Seen, Sequence[StoredEntry]]]
    ) -> dict[Item, set[str]]:
        """Write the documents of sessions, one transaction for each user; return their keys."""
        entries = [
            (seen.item.name, decode_entry(one)) for seen, stored in sessions for one in stored
        ]
        documents = await documents_of(self._models, entries)
        of: dict[str, list[IndexDocument]] = {}
        for document in documents:
            of.setdefault(document.group, []).append(document)  # one session's: ids are a tenant's
        made: dict[Item, set[str]] = {}
        by_owner: dict[Scope, tuple[list[IndexDocument], list[tuple[str, int]]]] = {}
        for seen, stored in sessions:
            mine = of.get(seen.item.name, [])
            made[seen.item] = {document.key for document in mine}
            if stored:
                written, marks = by_owner.setdefault(seen.scope, ([], []))
                written += mine
                marks.append((seen.item.name, seen.base + stored[-1].seq))
        for scope, (written, marks) in by_owner.items():
            await self._index.put(scope, "turns", written, watermarks=marks)
        return made

    async def _rewrite_one(self, seen: _Seen, start: Reached, on_chunk: OnChunk) -> int:
        """Overwrite one session's documents from a place to its end; return how many messages."""
        done = 0
        while seen.span is not None:
            if seen.emptied or start.incarnation != seen.span.incarnation:
                start = Reached(start.item, seen.span.incarnation, 0)
            done += await self._rewrite(seen, start, on_chunk)
            if await self._settle(seen, []):
                break
            seen = await self._look(seen.item)
        return done

    async def _rewrite(self, seen: _Seen, start: Reached, on_chunk: OnChunk) -> int:
        """Overwrite documents from a place on, a chunk at a time; return how many messages."""
        # Listed before anything is read: what comes later is the log's for certain.
        others = [one for one in await self._listed(seen) if one[1] > start.seq]
        position, done = start.seq, 0
        while True:
            stored = await self._log.read(seen.scope, seen.item.name, after=position, limit=_CHUNK)
            made = await self._write_all([(seen, stored)])
            position = stored[-1].seq if len(stored) == _CHUNK else _ENDLESS
            gone = [key for key, at in others if at <= position and key not in made[seen.item]]
            await self._remove(seen, gone)
            others = [one for one in others if one[1] > position]
            done += len(stored)
            if position == _ENDLESS:
                return done
            await on_chunk(Reached(start.item, start.incarnation, position), len(stored))

    async def _listed(self, seen: _Seen) -> list[tuple[str, int]]:
        return await self._index.listed(seen.scope, "turns", seen.item.name)

    async def _remove(self, seen: _Seen, keys: Sequence[str]) -> None:
        if keys:
            await self._index.delete(seen.scope, "turns", seen.item.name, keys=keys)

    async def _settle(self, seen: _Seen, gone: Sequence[str]) -> bool:
        """Take out what is gone or was cleared; tell whether it still is the session written."""
        await self._remove(seen, gone)
        now = await self._log.span(seen.scope, seen.item.name)
        if seen.span is None or now is None or now.incarnation != seen.span.incarnation:
            return False
        if now.first_seq > seen.span.first_seq:
            await self._index.delete(seen.scope, "turns", seen.item.name, before=now.first_seq)
        return True


async def _tell_nobody(_reached: Reached, _weight: int) -> None:
    """Stand in where nobody asks how far it is."""
