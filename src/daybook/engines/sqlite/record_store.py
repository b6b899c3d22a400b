"""The record store on SQLite. Method texts: `daybook.protocols.record_store`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.sqlite import record_jobs
from daybook.engines.sqlite.reader_pool import ReaderPool
from daybook.engines.sqlite.writer import Writer
from daybook.model.capabilities import EngineCapabilities
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.record_filter import compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import Place, Records

__all__ = ["SQLiteRecordStore"]

# `list` is a method below, so the types that need the builtin are named here.
_MaybeRecords = list[MemoryRecord | None]
_Namespaces = list[Namespace]
_Names = list[str]
_Removed = list[tuple[str, Namespace, str]]


class SQLiteRecordStore:
    """Records in the same SQLite file as the log."""

    def __init__(
        self, writer: Writer, readers: ReaderPool, clock: Clock, capabilities: EngineCapabilities
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records, all or none."""
        job = partial(record_jobs.put, tenant=scope.tenant, records=records, now=self._now())
        return await self._writer.run(job, "put")

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each place."""
        job = partial(record_jobs.get, tenant=scope.tenant, places=places, now=self._now())
        return await self._readers.run_at_one_moment(job, "get")

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later, all in one transaction."""
        job = partial(record_jobs.extend, tenant=scope.tenant, ends=ends, now=self._now())
        return await self._writer.run(job, "extend")

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions."""
        job = partial(record_jobs.delete, tenant=scope.tenant, places=places, now=self._now())
        return await self._writer.run(job, "delete")

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix."""
        job = partial(
            record_jobs.delete_namespace, tenant=scope.tenant, prefix=prefix, now=self._now()
        )
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
        matches = compile_filter(filter) if filter else None
        job = partial(
            record_jobs.page,
            tenant=scope.tenant,
            prefix=prefix,
            matches=matches,
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
        now = self._now()

        def job(connection: sqlite3.Connection) -> _Namespaces:
            found = record_jobs.namespaces(connection, scope.tenant, prefix, now)
            cut = sorted({name[:max_depth] for name in found})
            return cut[offset : offset + limit]

        return await self._readers.run(job, "namespaces")

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> Records:
        """Return the versions of a key, newest first."""
        job = partial(
            record_jobs.versions,
            tenant=scope.tenant,
            namespace=namespace,
            key=key,
            limit=limit,
            now=self._now(),
        )
        return await self._readers.run_at_one_moment(job, "versions")

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys as they were elsewhere, all in one transaction."""
        job = partial(record_jobs.restore, tenant=scope.tenant, histories=histories)
        await self._writer.run(job, "restore")

    async def tenants(self) -> _Names:
        """Return the tenants that have records."""
        return await self._readers.run(record_jobs.tenants, "tenants")

    async def sweep(self, now: datetime) -> _Removed:
        """Remove what expired up to `now`."""
        return await self._writer.run(partial(record_jobs.sweep, now=to_micros(now)), "sweep")

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _now(self) -> int:
        return to_micros(self._clock.now())
