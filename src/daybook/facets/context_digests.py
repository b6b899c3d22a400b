"""Bring the digest of a session up to date: the one place where building a context may wait.

Messages that left the window are read in order and handed, chunk by chunk, to a model or to the
choice of quotes. Each chunk that worked is stored, so a failure loses nothing: the digest before it
stands, a job says what is missing, and what users stated in the missing part is quoted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from msgspec import Struct
from msgspec.structs import replace

from daybook.context.cut import digest_room
from daybook.context.digest_prompts import digest_request, read_observations, read_summary
from daybook.context.digesting import EXTRACTIVE, compacted, extended, first_digest
from daybook.context.notes import distinct_notes
from daybook.context.salience import facts_of
from daybook.context.strategy import Observations, Summary
from daybook.context.transcript import Chunk, chunks_of
from daybook.errors import CostCapError, ProviderError
from daybook.facets.metered_model import MeteredModel
from daybook.facets.session_notes import SessionNotes
from daybook.model.context import SeqRange
from daybook.model.digest import Digest, DigestJob, DigestKind, Note
from daybook.model.entry import HistoryEntry
from daybook.model.session import Session
from daybook.protocols.clock import Clock
from daybook.protocols.token_counter import TokenCounter

__all__ = ["Covered", "Digests", "ReadPart", "Still"]

ReadPart = Callable[[int, int, int], Awaitable[list[HistoryEntry]]]
"""Reads the oldest `limit` messages between two numbers, both excluded: after, before, limit."""

Still = Callable[[], Awaitable[bool]]
"""Tells whether a session still is as it was when its messages were read."""

_LockKey = tuple[str, str, int]
_PAGE = 500
_QUOTED_AT_ONCE = 100
_CHUNKS_AT_ONCE = 8
_MOST_MISSING = 4000
_LONGEST_PAUSE = timedelta(minutes=5)


class Covered(Struct, frozen=True):
    """A digest, and what it does not cover yet.

    Attributes:
        digest: The newest one, None if there is none at all.
        facts: What users stated in the messages that it does not cover.
        missing: Those messages' numbers.
    """

    digest: Digest | None
    facts: Sequence[Note] = ()
    missing: SeqRange | None = None

    def unseen(self, first_seq: int, last_seq: int) -> Covered | None:
        """Return what a context without the digest accounts for.

        All of it is missing where there was no room; none where nothing was worth a note.
        """
        digest = self.digest
        if digest is None and self.missing is None:
            return None
        if digest is not None and not (digest.prose or digest.notes or self.facts):
            return self
        return Covered(None, (), (first_seq, last_seq))


class Digests:
    """Keeps the summaries and observation logs of sessions."""

    def __init__(
        self,
        notes: SessionNotes,
        model: MeteredModel | None,
        *,
        counter: TokenCounter,
        clock: Clock,
        mark: Callable[[], str],
    ) -> None:
        self._notes = notes
        self._model = model
        self._counter = counter
        self._clock = clock
        self._mark = mark
        self._locks: WeakValueDictionary[_LockKey, asyncio.Lock] = WeakValueDictionary()

    def none_yet(self, part: Summary | Observations) -> Digest:
        """Return a digest that covers nothing, for facts that no digest holds yet."""
        return first_digest(
            _kind(part), 1, made_by=EXTRACTIVE, mark=self._mark(), now=self._clock.now()
        )

    async def newest(self, session: Session, part: Summary | Observations) -> Digest | None:
        """Return the newest digest, without making one."""
        return await self._notes.digest(session, _kind(part))

    async def cover(
        self,
        session: Session,
        part: Summary | Observations,
        *,
        up_to: int,
        max_tokens: int | None,
        read: ReadPart,
        still: Still,
        patient: bool = False,
    ) -> Covered:
        """Return a digest of a session's messages up to a number, as far as it could be made.

        Args:
            session: The session.
            part: What kind, how large, and by whom.
            up_to: The last message to cover.
            max_tokens: The budget of the context, of which the digest gets its share.
            read: Reads the session's messages.
            still: Asked after something was stored: what was deleted or cleared meanwhile must not
                be found in the store again.
            patient: Leave a model alone for a while that failed twice in a row on this part: two
                seconds, then twice as long after every failure, five minutes at most.

        Of two callers at once in one process the second waits and finds it done; in two processes
        both work and the first to store it wins.
        """
        async with self._alone(session.id, _kind(part)):
            digest = await self._notes.digest(session, _kind(part))
            limit = digest_room(part, max_tokens)
            if digest is None or digest.last_seq < up_to:
                job = await self._notes.job(session, _kind(part))
                if patient and job is not None and self._clock.now() < _pause_end(job):
                    return await self._account(session, digest, up_to, read)
                digest = await self._extend(session, part, digest, up_to, limit, read, job)
                if not await still():
                    await self._notes.forget(session)
                    return Covered(None)
        return await self._account(session, digest, up_to, read)

    @asynccontextmanager
    async def _alone(self, session_id: str, kind: DigestKind) -> AsyncIterator[None]:
        # A lock belongs to one event loop; builders on two loops are as two processes.
        key = (session_id, kind, id(asyncio.get_running_loop()))
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield

    async def _extend(
        self,
        session: Session,
        part: Summary | Observations,
        digest: Digest | None,
        up_to: int,
        limit: int,
        read: ReadPart,
        job: DigestJob | None,
    ) -> Digest | None:
        model = None if part.extractive else self._model
        made_by = model.id if model else EXTRACTIVE
        now = digest or first_digest(
            _kind(part),
            session.first_seq,
            made_by=made_by,
            mark=self._mark(),
            now=self._clock.now(),
        )
        now = replace(now, made_by=made_by)
        chunks = 0
        try:
            async for chunk in self._chunks(part, now.last_seq, up_to, read, model):
                if model and chunks == _CHUNKS_AT_ONCE:
                    break  # the next call goes on
                covered = now.last_seq
                now = await self._with(session, now, chunk, limit, model)
                chunks += 1
                if now.last_seq == covered:
                    continue  # a part of a message that is larger than a chunk
                if not await self._notes.put_digest(session, now):
                    return await self._notes.digest(session, now.kind)
        except (ProviderError, CostCapError) as exc:
            await self._wait(session, now, up_to, 1 + (job.attempts if job else 0), exc)
        else:
            if now.last_seq < up_to:
                await self._wait(session, now, up_to, 0, None)
            elif job is not None:
                await self._notes.end_job(session, now.kind)
        return now if now.last_seq >= now.first_seq else None

    async def _chunks(
        self,
        part: Summary | Observations,
        after: int,
        up_to: int,
        read: ReadPart,
        model: MeteredModel | None,
    ) -> AsyncIterator[Chunk]:
        while after < up_to:
            page = await read(after, up_to + 1, _PAGE)
            if not page:
                return
            if model:
                for chunk in chunks_of(page, part.chunk_tokens, self._counter):
                    yield chunk
            else:
                for start in range(0, len(page), _QUOTED_AT_ONCE):
                    some = page[start : start + _QUOTED_AT_ONCE]
                    yield Chunk("", some[-1].seq, tuple(some))
            after = page[-1].seq

    async def _with(
        self, session: Session, digest: Digest, chunk: Chunk, limit: int, model: MeteredModel | None
    ) -> Digest:
        """Return the digest that covers a chunk as well."""
        prose: str | None = None
        notes: list[Note] | None = None
        if model:
            operation = "summary" if digest.kind == "summary" else "observations"
            request = digest_request(digest, chunk, limit)
            reply = await model.generate(request, session.user_id, operation)
            if digest.kind == "summary":
                prose, notes = read_summary(reply.message.text, chunk.touched)
            else:
                notes = read_observations(reply.message.text, chunk.touched)
        grown = extended(
            digest,
            chunk.entries,
            chunk.last_seq,
            limit=limit,
            counter=self._counter,
            now=self._clock.now(),
            prose=prose,
            notes=notes,
        )
        if digest.kind == "summary":
            return replace(grown, mark=self._mark())
        return compacted(grown, limit=limit, counter=self._counter, mark=self._mark())

    async def _wait(
        self,
        session: Session,
        digest: Digest,
        up_to: int,
        attempts: int,
        error: Exception | None,
    ) -> None:
        """Note what is not covered yet: the next call goes on there."""
        await self._notes.put_job(
            session,
            DigestJob(
                session_id=session.id,
                user_id=session.user_id,
                kind=digest.kind,
                first_seq=digest.last_seq + 1,
                last_seq=up_to,
                attempts=attempts,
                error=type(error).__name__ if error else "",
                failed_at=self._clock.now(),
            ),
        )

    async def _account(
        self, session: Session, digest: Digest | None, up_to: int, read: ReadPart
    ) -> Covered:
        after = session.first_seq - 1 if digest is None else digest.last_seq
        if after >= up_to:
            return Covered(digest)
        facts: list[Note] = []
        place = max(after, up_to - _MOST_MISSING)
        while place < up_to:
            page = await read(place, up_to + 1, _PAGE)
            if not page:
                break
            facts += facts_of(page)
            place = page[-1].seq
        return Covered(digest, distinct_notes(facts[-_PAGE:]), (after + 1, up_to))


def _kind(part: Summary | Observations) -> DigestKind:
    return "summary" if isinstance(part, Summary) else "observations"


def _pause_end(job: DigestJob) -> datetime:
    """Return when a model may be asked again by a build, which would wait for its failing."""
    again = job.attempts - 1  # one failure may be chance
    if again < 1 or job.error in ("", CostCapError.__name__):
        return job.failed_at
    return job.failed_at + min(_LONGEST_PAUSE, timedelta(seconds=2 ** min(again, 9)))
