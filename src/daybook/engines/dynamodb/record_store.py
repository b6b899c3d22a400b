"""The record store on DynamoDB. Method texts: `daybook.protocols.record_store`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from daybook.engines.dynamodb import hints, record_reads, record_writes
from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.record_ends import forget_end, noted_ends
from daybook.engines.dynamodb.record_items import current_key, is_over
from daybook.engines.dynamodb.worker import Worker
from daybook.model.capabilities import EngineCapabilities
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.record_filter import compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import Place, Records

__all__ = ["DynamoDBRecordStore"]

T = TypeVar("T")

# `list` is a method below, so the types that need the builtin are named here.
_MaybeRecords = list[MemoryRecord | None]
_Namespaces = list[Namespace]
_Names = list[str]
_Removed = list[tuple[str, Namespace, str]]


class DynamoDBRecordStore:
    """Records in the same table as the log."""

    def __init__(
        self, worker: Worker, clock: Clock, capabilities: EngineCapabilities, tenants: set[str]
    ) -> None:
        self._worker = worker
        self._clock = clock
        self._capabilities = capabilities
        self._tenants = tenants

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records, all or none; at most a hundred."""
        job = partial(
            record_writes.put,
            tenant=scope.tenant,
            records=tuple(records),
            now=self._clock.now(),
            tenants=self._tenants,
        )
        return await self._run("put", job)

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each place."""
        job = partial(record_reads.get, tenant=scope.tenant, places=places, now=self._clock.now())
        return await self._run("get", job)

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later."""
        now, given = self._clock.now(), tuple(ends)
        return await self._run(
            "extend", lambda calls: record_writes.extend(calls, scope.tenant, given, now)
        )

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions."""
        now = self._clock.now()
        keys = [current_key(scope.tenant, namespace, key) for namespace, key in places]
        return await self._run("delete", lambda calls: len(record_writes.delete(calls, keys, now)))

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix."""
        now = self._clock.now()

        def job(calls: Calls) -> int:
            found = record_reads.below(calls, scope.tenant, prefix)
            return len(record_writes.delete(calls, [one.place for one in found], now))

        return await self._run("delete_namespace", job)

    async def list(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int,
        offset: int = 0,
    ) -> Records:
        """Return records below a prefix, last updated first."""
        job = partial(
            record_reads.page,
            tenant=scope.tenant,
            prefix=prefix,
            matches=compile_filter(filter) if filter else None,
            limit=limit,
            offset=offset,
            now=self._clock.now(),
        )
        return await self._run("list", job)

    async def namespaces(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        max_depth: int | None = None,
        limit: int,
        offset: int = 0,
    ) -> _Namespaces:
        """Return the distinct namespaces below a prefix."""
        now = self._clock.now()
        found = await self._run(
            "namespaces",
            lambda calls: record_reads.namespaces(calls, scope.tenant, prefix, max_depth, now),
        )
        return found[offset : offset + limit]

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> Records:
        """Return the versions of a key, newest first."""
        now = self._clock.now()
        return await self._run(
            "versions",
            lambda calls: record_reads.versions(calls, scope.tenant, namespace, key, limit, now),
        )

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys with all their versions, each key whole."""
        given = [tuple(history) for history in histories if history]

        def job(calls: Calls) -> None:
            for history in given:
                record_writes.restore(calls, scope.tenant, history, self._tenants)

        await self._run("restore", job)

    async def tenants(self) -> _Names:
        """Return the tenants that ever had data."""
        return await self._run("tenants", hints.tenants)

    async def sweep(self, now: datetime) -> _Removed:
        """Remove what expired up to `now`."""
        return await self._run("sweep", lambda calls: _sweep(calls, now))

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    async def _run(self, operation: str, job: Callable[[Calls], T]) -> T:
        return await self._worker.run(job, operation)


def _sweep(calls: Calls, now: datetime) -> _Removed:
    notes = noted_ends(calls)
    found = record_writes.load(calls, [*notes])
    removed: _Removed = []
    for place, note in notes.items():
        one = found.get(place)
        if one is not None and is_over(one, now) and record_writes.remove(calls, [one]):
            removed.append((one.tenant, one.namespace, one.key))
            forget_end(calls, note)
        elif (one is None or one.expires_at is None) and hints.is_old(note):
            forget_end(calls, note)
    return removed
