"""Brings records into the index as they are written, and finds them again.

Records are indexed in the call that writes them: they are few and short, and whoever wrote one
expects to find it. If the process ends between the two steps, the next write or `re_embed` of the
same key mends it; a document whose record is gone is never returned, because records are read
from the store.
"""

from __future__ import annotations

from collections.abc import Sequence

from daybook.indexing.documents import record_document, record_text
from daybook.indexing.models import Models
from daybook.indexing.query_runner import run_query
from daybook.model.memory_record import MemoryRecord, Namespace
from daybook.model.namespace import decode_namespace, encode_namespace
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import RecordStore
from daybook.protocols.search_index import SearchIndex

__all__ = ["RecordIndexer"]

_MOST_RANKED = 1000
_CHUNK = 512


class RecordIndexer:
    """Indexes records and ranks them for a query."""

    def __init__(
        self, store: RecordStore, index: SearchIndex, models: Models, *, clock: Clock
    ) -> None:
        self._clock = clock
        self._store = store
        self._index = index
        self._models = models

    async def index(self, tenant: str, records: Sequence[MemoryRecord]) -> None:
        """Index records as they stand; each replaces what was indexed under its key."""
        analysed = await self._models.analyse([record_text(record) for record in records])
        by_owner: dict[str, list[int]] = {}
        for at, record in enumerate(records):
            by_owner.setdefault(record.namespace[0], []).append(at)
        embedder = self._models.embedder_id
        for owner, places in by_owner.items():
            documents = [record_document(records[at], analysed[at], embedder) for at in places]
            await self._index.put(Scope(tenant, owner), "records", documents)

    async def remove(self, tenant: str, places: Sequence[tuple[Namespace, str]]) -> None:
        """Take keys out of the index."""
        for namespace, key in places:
            scope = Scope(tenant, namespace[0])
            await self._index.delete(scope, "records", encode_namespace(namespace), keys=[key])

    async def rank(
        self, tenant: str, prefix: Namespace, query: str
    ) -> list[tuple[tuple[Namespace, str], float]]:
        """Return places below a prefix with scores, best first."""
        ranked = await run_query(
            self._index,
            self._models,
            Scope(tenant, prefix[0]),
            "records",
            query,
            now=self._clock.now(),
            limit=_MOST_RANKED,
            group_prefix=encode_namespace(prefix),
        )
        return [((decode_namespace(one.group), one.key), one.score) for one in ranked]

    async def re_embed(self) -> int:
        """Index anew a chunk of the records that another embedder made; 0 when none is left."""
        stale = await self._index.stale("records", self._models.embedder_id, limit=_CHUNK)
        for scope, group, key, _ in stale:
            place = (decode_namespace(group), key)
            (record,) = await self._store.get(Scope(scope.tenant), [place])
            if record is None:
                await self.remove(scope.tenant, [place])
            else:
                await self.index(scope.tenant, [record])
        return len(stale)
