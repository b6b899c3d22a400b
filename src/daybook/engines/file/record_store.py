"""The record store in files. Method texts: `daybook.protocols.record_store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.file.reader_pool import ReaderPool
from daybook.engines.file.record_jobs import RecordJobs
from daybook.engines.file.tenant_names import TenantNames
from daybook.engines.file.writer import Writer
from daybook.model.capabilities import EngineCapabilities
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.record_filter import compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import Place, Records

__all__ = ["FileRecordStore"]

# `list` is a method below, so the types that need the builtin are named here.
_MaybeRecords = list[MemoryRecord | None]
_Namespaces = list[Namespace]
_Names = list[str]
_Removed = list[tuple[str, Namespace, str]]


class FileRecordStore:
    """Records, a file for each owner."""

    def __init__(
        self,
        *,
        writer: Writer[None, None],
        readers: ReaderPool,
        jobs: RecordJobs,
        tenants: TenantNames,
        clock: Clock,
        capabilities: EngineCapabilities,
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._jobs = jobs
        self._tenants = tenants
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records; those of one owner all or none."""
        job = partial(self._jobs.put, scope.tenant, records, self._now())
        return await self._writer.run(job, "put")

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each place."""
        job = partial(self._jobs.get, scope.tenant, places, self._now())
        return await self._readers.run(job, "get")

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later; those of one owner all or none."""
        job = partial(self._jobs.extend, scope.tenant, ends, self._now())
        return await self._writer.run(job, "extend")

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions."""
        job = partial(self._jobs.delete, scope.tenant, places, self._now())
        return await self._writer.run(job, "delete")

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix."""
        job = partial(self._jobs.delete_namespace, scope.tenant, prefix, self._now())
        return await self._writer.run(job, "delete namespace")

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
            self._jobs.page,
            scope.tenant,
            prefix,
            matches=compile_filter(filter) if filter else None,
            limit=limit,
            offset=offset,
            now=self._now(),
        )
        return await self._readers.run(job, "list")

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
        job = partial(self._jobs.namespaces, scope.tenant, prefix, max_depth, self._now())
        found = await self._readers.run(job, "namespaces")
        return found[offset : offset + limit]

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> Records:
        """Return the versions of a key, newest first."""
        job = partial(self._jobs.versions, scope.tenant, (namespace, key), limit, self._now())
        return await self._readers.run(job, "versions")

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys with all their versions exactly as given."""
        job = partial(self._jobs.restore, scope.tenant, histories)
        await self._writer.run(job, "restore")

    async def tenants(self) -> _Names:
        """Return the tenants of the store."""
        return await self._readers.run(self._tenants.every, "tenants")

    async def sweep(self, now: datetime) -> _Removed:
        """Remove what expired up to `now`, and what earlier removals left on the disk."""
        moment = to_micros(now)
        gone: _Removed = []
        for name in await self._readers.run(partial(self._jobs.stale, moment), "sweep"):
            gone += await self._writer.run(partial(self._jobs.sweep, name, moment), "sweep")
        return gone

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _now(self) -> int:
        return to_micros(self._clock.now())
