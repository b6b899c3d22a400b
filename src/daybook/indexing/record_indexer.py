"""Brings records into the index as they are written, and finds them again.

Records are indexed in the call that writes them: they are few and short, and whoever wrote one
expects to find it. Record and document are handed over together and share a commit where they
share an engine. If only one of the two was written, the next write of the key mends it; a document
whose record is gone is never returned, because records are read from the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from daybook.indexing.documents import record_document, record_text
from daybook.indexing.models import Models
from daybook.indexing.query_runner import SearchFilter, run_query
from daybook.model.index_document import IndexDocument
from daybook.model.memory_record import MemoryRecord, Namespace
from daybook.model.namespace import decode_namespace, encode_namespace
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import RecordStore
from daybook.protocols.search_index import SearchIndex

__all__ = ["Documents", "RecordIndexer"]

Documents = dict[Scope, list[IndexDocument]]

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
        await self.write(await self.prepare(tenant, records))
        await self.remove_unsearched(tenant, records)

    async def prepare(self, tenant: str, records: Sequence[MemoryRecord]) -> Documents:
        """Return the documents, by owner, of those that are searched; nothing is written yet.

        Raises:
            ProviderError: The embedder failed.
        """
        records = [record for record in records if _is_searched(record)]
        analysed = await self._models.analyse([record_text(record) for record in records])
        embedder = self._models.embedder_id
        documents: Documents = {}
        for record, text in zip(records, analysed, strict=True):
            owner = Scope(tenant, record.namespace[0])
            documents.setdefault(owner, []).append(record_document(record, text, embedder))
        return documents

    async def write(self, documents: Documents) -> None:
        """Write prepared documents, handed over all at once so that owners share commits."""
        await asyncio.gather(
            *(self._index.put(scope, "records", mine) for scope, mine in documents.items())
        )

    async def remove_unsearched(self, tenant: str, records: Sequence[MemoryRecord]) -> None:
        """Take out of the index what a version before left there, where nothing is searched."""
        unsearched = [(one.namespace, one.key) for one in records if not _is_searched(one)]
        await self.remove(tenant, unsearched)

    async def remove(self, tenant: str, places: Sequence[tuple[Namespace, str]]) -> None:
        """Take keys out of the index."""
        for namespace, key in places:
            scope = Scope(tenant, namespace[0])
            await self._index.delete(scope, "records", encode_namespace(namespace), keys=[key])

    async def rank(
        self, tenant: str, prefix: Namespace, query: str, *, limit: int
    ) -> list[tuple[tuple[Namespace, str], float]]:
        """Return about `limit` places below a prefix with scores, best first; at least half."""
        ranked = await run_query(
            self._index,
            self._models,
            Scope(tenant, prefix[0]),
            "records",
            query,
            now=self._clock.now(),
            limit=limit,
            only=SearchFilter(group_prefix=encode_namespace(prefix)),
        )
        return [((decode_namespace(one.group), one.key), one.score) for one in ranked]

    async def re_embed(self) -> int:
        """Index anew a chunk of the records that another embedder made; 0 when none is left."""
        stale = await self._index.stale("records", self._models.embedder_id, limit=_CHUNK)
        for scope, group, key, _ in stale:
            place = (decode_namespace(group), key)
            (record,) = await self._store.get(Scope(scope.tenant), [place])
            if record is None or not _is_searched(record):
                await self.remove(scope.tenant, [place])
            else:
                await self.index(scope.tenant, [record])
        return len(stale)


def _is_searched(record: MemoryRecord) -> bool:
    return record.provenance.indexed != ()
