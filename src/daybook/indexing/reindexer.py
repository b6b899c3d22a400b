"""Works through a run that indexes everything anew, beside any number of other processes.

A worker claims a share, does it item by item, writes down now and then how far it is, and takes the
next one. A claim holds for a minute after its last sign of life; one whose process has died on this
host is free at once. Doing a part twice changes nothing, so a claim saves work and is no lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from daybook.errors import ConflictError, DaybookError, StoreError
from daybook.indexing.reindex_plan import LEASE, Job, ReindexPlan
from daybook.indexing.reindex_state import Claim, Item, Reached, RunHead
from daybook.indexing.reindex_store import ReindexStore, Versioned
from daybook.indexing.worker_name import has_died, new_worker_name
from daybook.model.reindex_progress import ReindexProgress
from daybook.protocols.clock import Clock, IdFactory

__all__ = ["Outcome", "Reindexer"]

_AT_ONCE = 2  # shares: one is analysed while the other one's commit waits
_WRITE_EVERY = timedelta(seconds=3)
_LOOK_S = 0.3
_SIGN_S = 15.0  # well within a lease: an embedder may take its time with a chunk
_MOST_FAILURES = 20  # in a row: then it is not the items

OnProgress = Callable[[ReindexProgress], None]


class Outcome(Struct):
    """What one worker did.

    Attributes:
        done: Items it indexed anew.
        weight: Their messages.
        failed: Items it could not index.
        error: Why, the first time.
    """

    done: int = 0
    weight: int = 0
    failed: int = 0
    error: DaybookError | None = None


class _Lost(Exception):  # noqa: N818 - never seen outside
    """Somebody else took the share over."""


class _Held:
    """A share that this worker has, and how far it is."""

    def __init__(self, number: int, items: tuple[Item, ...], claim: Claim, version: int) -> None:
        self.number = number
        self.items = items
        self.claim = claim
        self.version = version
        self.written_at = claim.until - LEASE
        self.writing = asyncio.Lock()
        self.is_lost = False


class Reindexer:
    """One worker on runs of one kind."""

    def __init__(
        self,
        store: ReindexStore,
        plan: ReindexPlan,
        job: Job,
        *,
        embedder: str,
        clock: Clock,
        id_factory: IdFactory,
    ) -> None:
        self._store = store
        self._plan = plan
        self._job = job
        self._embedder = embedder
        self._clock = clock
        self._id_factory = id_factory
        self._name = new_worker_name(id_factory())
        self._run: RunHead | None = None
        self._seen: dict[int, Versioned[Claim]] = {}
        self._held: dict[int, _Held] = {}
        self._skipped: set[int] = set()
        self._open: list[int] = []
        self._choosing = asyncio.Lock()
        self._failures = 0
        self._told: OnProgress | None = None
        self._outcome = Outcome()

    async def begin(self, *, fresh: bool = False) -> bool:
        """Find the run that is on its way, or begin one; tell whether it was there already.

        Args:
            fresh: Begin a new one in any case; one on its way is given up.
        """
        self._run, resumed = await self._plan.begin(
            self._id_factory(), worker=self._name, embedder=self._embedder, fresh=fresh
        )
        return resumed

    async def join(self, run_id: str) -> bool:
        """Work with others on a run; tell whether it is still there."""
        head = await self._plan.current()
        if head is None or head.id != run_id:
            return False
        self._run = head
        return True

    @property
    def run(self) -> RunHead:
        """The run that was begun or joined."""
        if self._run is None:
            raise AssertionError("begin or join comes first")
        return self._run

    async def progress(self) -> ReindexProgress:
        """Return how far the run is, everybody's work counted."""
        if self.run.stage == "working":
            self._seen = await self._store.claims(self.run.id)
        return self._progress()

    async def work(self, on_progress: OnProgress | None = None) -> Outcome:
        """Take shares until none is left for anybody; return what this worker did.

        Items that fail are left for the next time the run is gone on with.

        Args:
            on_progress: Told how far the run is, after every chunk.

        Raises:
            ConflictError: The run was begun anew by another process.
            StoreError: The store failed.
            ProviderError: The embedder failed, many times in a row.
        """
        self._outcome, self._told = Outcome(), on_progress
        if self.run.stage == "finishing":
            return self._outcome
        try:
            async with asyncio.TaskGroup() as group:
                signing = group.create_task(self._sign())
                takers = [group.create_task(self._take_shares()) for _ in range(_AT_ONCE)]
                await asyncio.wait(takers)
                signing.cancel()
        except ExceptionGroup as failed:
            raise _first_of(failed) from failed
        return self._outcome

    async def is_done(self) -> bool:
        """Tell whether nothing of the run is left to do, or somebody else has ended it."""
        if self.run.stage == "finishing":
            return True
        claims = await self._store.claims(self.run.id)
        if sum(claim.value.finished for claim in claims.values()) == self.run.shares:
            return True
        head = await self._plan.current()
        return head is None or head.id != self.run.id or head.stage == "finishing"

    async def end(self) -> None:
        """Leave nothing of the run, which is done. Repeatable, by any number at once."""
        await self._plan.end(self.run)

    async def _take_shares(self) -> None:
        while (held := await self._next()) is not None:
            try:
                await self._do(held)
            except _Lost:
                continue
            finally:
                self._held.pop(held.number, None)

    async def _sign(self) -> None:
        """Show from time to time that this worker lives, however long a chunk takes."""
        while True:
            await asyncio.sleep(_SIGN_S)
            for held in list(self._held.values()):
                with suppress(_Lost):  # whoever does the share finds out as well
                    await self._write(held, holder=self._name)

    async def _next(self) -> _Held | None:
        """Claim a share; wait where others hold all that are left; None if nothing is left."""
        async with self._choosing:
            while True:
                while self._open:
                    held = await self._claim(self._open.pop())
                    if held is not None:
                        self._held[held.number] = held
                        return held
                self._seen = await self._store.claims(self.run.id)
                self._tell()
                left = [
                    number
                    for number in range(self.run.shares)
                    if number not in self._held
                    and number not in self._skipped
                    and not (number in self._seen and self._seen[number].value.finished)
                ]
                if not left:
                    return None
                free = [number for number in left if self._is_free(self._seen.get(number))]
                # Workers begin at different places, so they rarely want the same share.
                turn = hash(self._name) % len(free) if free else 0
                self._open = [*free[turn:], *free[:turn]][::-1]
                if not free:
                    await asyncio.sleep(_LOOK_S)

    def _is_free(self, claim: Versioned[Claim] | None) -> bool:
        if claim is None or not claim.value.holder:
            return True
        return claim.value.until <= self._clock.now() or has_died(claim.value.holder)

    async def _claim(self, number: int) -> _Held | None:
        """Claim a share as it was last seen; None if it is not there to be had any more."""
        seen = self._seen.get(number)
        now = self._clock.now()
        claim = Claim(holder=self._name, until=now + LEASE)
        if seen is not None:
            claim = replace(seen.value, holder=claim.holder, until=claim.until)
        expected = 0 if seen is None else seen.version
        version = await self._store.write_claim(self.run.id, number, claim, expected)
        if version is None:
            return None
        # The share after the claim: others may have done all there was and ended the run meanwhile.
        share = await self._store.share(self.run.id, number)
        if share is None:
            await self._store.forget(self.run.id)
            await self._gone()
            return None
        return _Held(number, share.items, claim, version)

    async def _gone(self) -> None:
        """Find out why the run's shares are not there: others are done, or began anew."""
        self._open = []
        head = await self._plan.current()
        if head is None or (head.id == self.run.id and head.stage == "finishing"):
            self._run = replace(self.run, stage="finishing", shares=0)
            return
        raise ConflictError(
            "reindex: another process began it anew meanwhile; run it again to work with that one"
        )

    async def _do(self, held: _Held) -> None:
        """Do what is left of a share; give it back if that is not possible."""
        again, start = held.claim.failed, held.claim.reached
        try:
            for number in again:
                await self._do_batch(held, Reached(number), 1, again=True)
            for number in range(start.item, len(held.items), self._job.batch):
                place = start if number == start.item else Reached(number)
                await self._do_batch(held, place, self._job.batch)
            finished = not held.claim.failed
            await self._write(held, holder="" if not finished else self._name, finished=finished)
            if not finished:
                self._skipped.add(held.number)
        finally:
            if held.number in self._held:  # neither finished nor given back: whatever went wrong
                with suppress(StoreError, _Lost):  # then it ends by itself
                    await asyncio.shield(self._write(held, holder=""))

    async def _do_batch(
        self, held: _Held, start: Reached, count: int, *, again: bool = False
    ) -> None:
        """Do some items of a share, and write down what came of it."""
        items = held.items[start.item : start.item + count]
        before, told = held.claim, 0

        async def on_chunk(reached: Reached, weight: int) -> None:
            nonlocal told
            told += weight
            # What failed before is begun anew each time: its place is not kept.
            place = before.reached if again else reached
            held.claim = replace(held.claim, reached=place, weight=before.weight + told)
            await self._write_sometimes(held)

        failed = tuple(one for one in before.failed if one != start.item)
        done, weight = len(items), 0
        try:
            weight = await self._job.rebuild(items, start, on_chunk)
            self._failures = 0
        except DaybookError as exc:
            held.claim = before
            if len(items) > 1:  # the others need not wait for the one that fails
                for number in range(start.item, start.item + len(items)):
                    await self._do_batch(held, Reached(number), 1)
                return
            self._note_failure(exc)
            failed, done = (*failed, start.item), 0
        self._outcome.done += done
        self._outcome.weight += weight
        held.claim = replace(
            before,
            reached=before.reached if again else Reached(start.item + len(items)),
            weight=before.weight + weight,
            failed=failed,
        )
        await self._write_sometimes(held)

    def _note_failure(self, error: DaybookError) -> None:
        """Count an item that failed.

        Raises:
            DaybookError: The same, where very many failed in a row.
        """
        self._outcome.failed += 1
        self._outcome.error = self._outcome.error or error
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            raise error

    async def _write_sometimes(self, held: _Held) -> None:
        self._tell()
        if self._clock.now() - held.written_at >= _WRITE_EVERY:
            await self._write(held, holder=self._name)

    async def _write(self, held: _Held, *, holder: str, finished: bool = False) -> None:
        """Write a claim as it stands.

        Raises:
            _Lost: Somebody else took the share over.
        """
        async with held.writing:
            if held.is_lost:
                raise _Lost
            if held.number not in self._held:  # done and given back while this waited
                return
            now: datetime = self._clock.now()
            claim = replace(held.claim, holder=holder, until=now + LEASE, finished=finished)
            version = await self._store.write_claim(self.run.id, held.number, claim, held.version)
            if version is None:
                held.is_lost = True
                raise _Lost
            held.version, held.written_at = version, now
            self._seen[held.number] = Versioned(claim, version)
            if finished or not holder:
                del self._held[held.number]

    def _tell(self) -> None:
        if self._told is not None:
            self._told(self._progress())

    def _progress(self) -> ReindexProgress:
        run = self.run
        if run.stage == "finishing":
            return _all_done(run)
        claims = {number: seen.value for number, seen in self._seen.items()}
        claims.update((number, held.claim) for number, held in self._held.items())
        at_work = [one for one in claims.values() if one.holder and not one.finished]
        return ReindexProgress(
            done=min(sum(one.done for one in claims.values()), run.total),
            total=run.total,
            messages_done=min(sum(one.weight for one in claims.values()), run.weight),
            messages_total=run.weight,
            failed=sum(len(one.failed) for one in claims.values()),
            holders=tuple(sorted({one.holder.rpartition(":")[0] for one in at_work})),
        )


def _all_done(run: RunHead) -> ReindexProgress:
    return ReindexProgress(
        done=run.total, total=run.total, messages_done=run.weight, messages_total=run.weight
    )


def _first_of(group: ExceptionGroup[Exception]) -> Exception:
    """Return the first error of several that happened side by side."""
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, ExceptionGroup) else first
