"""The record store on MongoDB. Method texts: `daybook.protocols.record_store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.mongodb import record_reads, record_writes
from daybook.engines.mongodb.connection import Connections, Document
from daybook.engines.mongodb.record_documents import below, key_of, live, to_record
from daybook.model.capabilities import EngineCapabilities
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.namespace import decode_namespace
from daybook.model.record_filter import compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import Place, Records

__all__ = ["MongoRecordStore"]

# `list` is a method below, so the types that need the builtin are named here.
_MaybeRecords = list[MemoryRecord | None]
_Namespaces = list[Namespace]
_Names = list[str]
_Removed = list[tuple[str, Namespace, str]]


class MongoRecordStore:
    """Records in the same database as the log."""

    def __init__(
        self, connections: Connections, clock: Clock, capabilities: EngineCapabilities
    ) -> None:
        self._run = connections.run
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records, all or none."""
        body = partial(
            record_writes.put, tenant=scope.tenant, records=tuple(records), now=self._now()
        )
        return [to_record(document) for document in await self._run("put", body)]

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each place."""
        keys = [key_of(scope.tenant, *place) for place in places]
        body = partial(record_reads.get, tenant=scope.tenant, keys=keys, now=self._now())
        return await self._run("get", body)

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later."""
        given = tuple(ends)
        body = partial(record_writes.extend, tenant=scope.tenant, ends=given, now=self._now())
        return await self._run("extend", body)

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions."""
        keys = list({key_of(scope.tenant, *place) for place in places})
        return await self._run("delete", partial(record_writes.delete, keys=keys, now=self._now()))

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix, some hundred keys in each transaction."""
        body = partial(
            record_writes.delete_some, condition=below(scope.tenant, prefix), now=self._now()
        )
        removed = 0
        while (some := await self._run("delete namespace", body)) is not None:
            removed += some
        return removed

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
        wanted = self._below(scope, prefix)
        body = partial(record_reads.page, wanted=wanted, limit=limit, offset=offset)
        if filter:
            matches = compile_filter(filter)
            body = partial(
                record_reads.matching, wanted=wanted, matches=matches, limit=limit, offset=offset
            )
        return await self._run("list", body)

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
        body = partial(record_reads.namespaces, wanted=self._below(scope, prefix))
        found = {one[:max_depth] for one in await self._run("namespaces", body)}
        return sorted(found)[offset : offset + limit]

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> Records:
        """Return the versions of a live key, newest first."""
        body = partial(
            record_reads.versions,
            tenant=scope.tenant,
            record=key_of(scope.tenant, namespace, key),
            limit=limit,
            now=self._now(),
        )
        return await self._run("versions", body)

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys with all their versions, each key in one transaction."""
        for history in histories:
            body = partial(record_writes.restore, tenant=scope.tenant, history=history)
            await self._run("restore", body)

    async def tenants(self) -> _Names:
        """Return the tenants that have records."""
        return await self._run("tenants", record_reads.tenants)

    async def sweep(self, now: datetime) -> _Removed:
        """Remove what expired up to `now`, some hundred keys in each transaction."""
        body = partial(record_writes.sweep_some, now=to_micros(now))
        removed: _Removed = []
        while some := await self._run("sweep", body):
            removed += map(_place, some)
        return removed

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _now(self) -> int:
        return to_micros(self._clock.now())

    def _below(self, scope: Scope, prefix: Namespace) -> Document:
        return {**below(scope.tenant, prefix), **live(self._now())}


def _place(document: Document) -> tuple[str, Namespace, str]:
    return document["t"], decode_namespace(document["ns"]), document["key"]
