"""The record store on MongoDB. Method texts: `daybook.protocols.record_store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.mongodb import record_writes
from daybook.engines.mongodb.connection import Connections, Document, Handles
from daybook.engines.mongodb.keys import version_ids
from daybook.engines.mongodb.record_documents import below, key_of, live, to_record
from daybook.model.capabilities import EngineCapabilities
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord
from daybook.model.namespace import decode_namespace
from daybook.model.record_filter import Predicate, compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import Place, Records

__all__ = ["MongoRecordStore"]

# `list` is a method below, so the types that need the builtin are named here.
_MaybeRecords = list[MemoryRecord | None]
_Namespaces = list[Namespace]
_Names = list[str]
_Removed = list[tuple[str, Namespace, str]]
_ORDER = {"upd": -1, "ns": 1, "key": 1}


class MongoRecordStore:
    """Records in the same database as the log."""

    def __init__(
        self, connections: Connections, clock: Clock, capabilities: EngineCapabilities
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records, all or none."""
        async with self._connections.call("put") as handles:
            if not records:
                return []
            written = await record_writes.put(handles, scope.tenant, records, self._now())
        return [to_record(document) for document in written]

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each place."""
        keys = [key_of(scope.tenant, *place) for place in places]
        async with self._connections.call("get") as handles:
            if not keys:
                return []
            wanted = {"_id": {"$in": list(set(keys))}, "t": scope.tenant, **live(self._now())}
            documents = await handles.records.find(wanted).to_list()
        found = {document["_id"]: document for document in documents}
        return [to_record(found[key]) if key in found else None for key in keys]

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions."""
        keys = list({key_of(scope.tenant, *place) for place in places})
        async with self._connections.call("delete") as handles:
            return await record_writes.delete(handles, keys, self._now())

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix, some hundred keys in each transaction."""
        condition = below(scope.tenant, prefix)
        removed = 0
        while True:
            async with self._connections.call("delete namespace") as handles:
                some = await record_writes.delete_some(handles, condition, self._now())
            if some is None:
                return removed
            removed += some

    async def list(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the protocol's word
        limit: int,
        offset: int = 0,
    ) -> Records:
        """Return records below a prefix; a filter is applied while reading."""
        matches = compile_filter(filter) if filter else None
        wanted = {**below(scope.tenant, prefix), **live(self._now())}
        async with self._connections.call("list") as handles:
            if matches is not None:
                return await _matching(handles, wanted, matches, limit, offset)
            found = handles.records.find(wanted).sort(_ORDER).skip(offset).limit(limit)
            return [to_record(document) async for document in found] if limit else []

    async def namespaces(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        max_depth: int | None = None,
        limit: int,
        offset: int = 0,
    ) -> _Namespaces:
        """Return the distinct namespaces that hold records."""
        wanted = {**below(scope.tenant, prefix), **live(self._now())}
        async with self._connections.call("namespaces") as handles:
            cursor = await handles.records.aggregate(
                [{"$match": wanted}, {"$group": {"_id": "$ns"}}]
            )
            texts = [one["_id"] for one in await cursor.to_list()]
        found = {decode_namespace(text)[:max_depth] for text in texts}
        return sorted(found)[offset : offset + limit]

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> Records:
        """Return the versions of a live key, newest first."""
        record = key_of(scope.tenant, namespace, key)
        low, high = version_ids(record)
        async with self._connections.call("versions") as handles, handles.moment() as moment:
            wanted = {"_id": record, "t": scope.tenant, **live(self._now())}
            current = await handles.records.find_one(wanted, session=moment)
            if current is None:
                return []
            former = handles.versions.find({"_id": {"$gte": low, "$lte": high}}, session=moment)
            kept = await former.sort("_id", -1).limit(limit).to_list()
        return [to_record(document) for document in (current, *kept)][:limit]

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys with all their versions, each key in one transaction."""
        for history in histories:
            async with self._connections.call("restore") as handles:
                await record_writes.restore(handles, scope.tenant, history)

    async def tenants(self) -> _Names:
        """Return the tenants that have records."""
        async with self._connections.call("tenants") as handles:
            cursor = await handles.records.aggregate([{"$group": {"_id": "$t"}}])
            return sorted([one["_id"] for one in await cursor.to_list()])

    async def sweep(self, now: datetime) -> _Removed:
        """Remove what expired up to `now`."""
        removed: _Removed = []
        while True:
            async with self._connections.call("sweep") as handles:
                some = await record_writes.sweep_some(handles, to_micros(now))
            if not some:
                return removed
            removed += map(_place, some)

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _now(self) -> int:
        return to_micros(self._clock.now())


async def _matching(
    handles: Handles, wanted: Document, matches: Predicate, limit: int, offset: int
) -> Records:
    """Return matching records; all are of one moment, however long reading takes."""
    answer: Records = []
    async with handles.moment() as moment:
        async for document in handles.records.find(wanted, session=moment).sort(_ORDER):
            if len(answer) >= limit:
                break
            record = to_record(document)
            if not matches(record.value):
                continue
            if offset:
                offset -= 1
            else:
                answer.append(record)
    return answer


def _place(document: Document) -> tuple[str, Namespace, str]:
    return document["t"], decode_namespace(document["ns"]), document["key"]
