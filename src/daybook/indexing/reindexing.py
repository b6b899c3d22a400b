"""Everything indexed anew: which runs there are, and one process's whole part in a run."""

from __future__ import annotations

from hashlib import blake2b

from daybook.indexing.models import Models
from daybook.indexing.record_indexer import RecordIndexer
from daybook.indexing.record_rebuild import RecordRebuild
from daybook.indexing.reindex_plan import Job, ReindexPlan
from daybook.indexing.reindex_store import ReindexStore
from daybook.indexing.reindexer import OnProgress, Reindexer
from daybook.indexing.session_rebuild import SessionRebuild
from daybook.model.reindex_progress import ReindexProgress
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore
from daybook.protocols.search_index import SearchIndex

__all__ = ["Reindexing"]

_PAGE = 500
_MOST_WAITING = 100_000


class Reindexing:
    """Makes workers for runs over a tenant's sessions, one user's, or a tenant's records."""

    def __init__(
        self,
        log: MessageLog,
        store: RecordStore,
        index: SearchIndex,
        models: Models,
        *,
        tenant: str,
        place: str,
        clock: Clock,
        id_factory: IdFactory,
    ) -> None:
        """Say between what the runs are.

        Args:
            log: Where sessions are.
            store: Where records are, and the runs' progress.
            index: What is made anew.
            models: Analyse and embed.
            tenant: Whose.
            place: Where the index is; empty if it is the store's own.
            clock: Tells the time.
            id_factory: Makes ids.
        """
        self._log = log
        self._store = store
        self._index = index
        self._models = models
        self._tenant = tenant
        self._scope = Scope(tenant)
        self._clock = clock
        self._id_factory = id_factory
        # An index in one process's memory has runs of its own.
        private = "" if index.capabilities.several_processes else id_factory()
        self._place = blake2b(f"{place} {private}".encode(), digest_size=8).hexdigest()

    @property
    def several_processes(self) -> bool:
        """Whether other processes can work on the same run."""
        return (
            self._index.capabilities.several_processes
            and self._store.capabilities.several_processes
        )

    def turns(self, user_id: str | None = None) -> Reindexer:
        """Return a worker for the sessions of all users, or of one."""
        job = SessionRebuild(self._log, self._index, self._models, Scope(self._tenant, user_id))
        area = ("turns",) if user_id is None else ("turns of", user_id)
        return self._worker(job, *area)

    def records(self) -> Reindexer:
        """Return a worker for the tenant's records."""
        indexer = RecordIndexer(self._store, self._index, self._models, clock=self._clock)
        job = RecordRebuild(self._store, self._index, indexer, self._tenant)
        return self._worker(job, "records")

    async def is_lost(self) -> bool:
        """Tell whether the tenant's index holds nothing of what it should, or was half made again.

        So it is when the file of a separate index was removed. What only waits to be indexed is
        not lost: the background does it.

        Cost: one call where there is an index; where there is none, a look through the sessions.
        """
        if await self._index.groups(self._scope, "turns", limit=1):
            return await self.is_half_made()
        waiting = await self._log.pending(limit=_MOST_WAITING, scope=self._scope)
        marked = {one.session_id for one in waiting}
        cursor = None
        while len(marked) < _MOST_WAITING:
            page = await self._log.list_sessions(self._scope, limit=_PAGE, cursor=cursor)
            if any(one.message_count and one.id not in marked for one in page.items):
                return True
            cursor = page.cursor
            if cursor is None:
                break
        return await self._has_lost_records()

    async def _has_lost_records(self) -> bool:
        if await self._index.groups(self._scope, "records", limit=1):
            return False
        some = await self._store.list(self._scope, (), limit=_PAGE)
        return any(one.provenance.indexed != () for one in some)

    async def is_half_made(self) -> bool:
        """Tell whether a run over an index that had been lost was broken off."""
        head = await self._runs("turns").head()
        return head is not None and (head.value is None or head.value.was_empty)

    async def make_anew(self) -> None:
        """Index everything anew, or go on with that, sessions and records.

        The run over the sessions is begun first and ended last: whoever looks in between sees that
        not everything is done.

        Raises:
            DaybookError: Something could not be indexed; everything else was.
        """
        turns, records = self.turns(), self.records()
        await turns.begin()
        await self.run(records)
        await self.run(turns)

    async def unfinished(self) -> ReindexProgress | None:
        """Return how far a run over the sessions is that is on its way or was broken off."""
        store = self._runs("turns")
        head = await store.head()
        if head is None or head.value is None or head.value.stage != "working":
            return None
        worker = self.turns()
        await worker.join(head.value.id)
        return await worker.progress()

    async def run(
        self, worker: Reindexer, *, fresh: bool = False, on_progress: OnProgress | None = None
    ) -> int:
        """Begin or go on with a run, work until it is done, and return this worker's messages.

        Args:
            worker: The worker.
            fresh: Begin a new run whatever there is.
            on_progress: Told how far it is whenever another item is done.

        Raises:
            DaybookError: Something could not be indexed; everything else was. Run it again.
        """
        await worker.begin(fresh=fresh)
        outcome = await worker.work(None if on_progress is None else _each_once(on_progress))
        if outcome.error is not None:
            raise outcome.error
        if await worker.is_done():
            await worker.end()
        return outcome.weight

    def _worker(self, job: Job, *kind: str) -> Reindexer:
        store = self._runs(*kind)
        plan = ReindexPlan(store, self._index, job, kind=" ".join(kind), clock=self._clock)
        return Reindexer(
            store,
            plan,
            job,
            embedder=self._models.embedder_id,
            clock=self._clock,
            id_factory=self._id_factory,
        )

    def _runs(self, *kind: str) -> ReindexStore:
        area = (self._tenant, self._place, *kind)
        return ReindexStore(self._store, area, self._clock)


def _each_once(on_progress: OnProgress) -> OnProgress:
    """Return what tells progress when the count of items that are done has changed."""
    last: tuple[int, int] | None = None

    def told(progress: ReindexProgress) -> None:
        nonlocal last
        if (counts := (progress.done, progress.total)) != last:
            last = counts
            on_progress(progress)

    return told
