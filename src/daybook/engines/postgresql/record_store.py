"""The record store on PostgreSQL. Method texts: `daybook.protocols.record_store`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.postgresql.binary_arrays import (
    bool_array,
    bytea_array,
    int4_array,
    int8_array,
)
from daybook.engines.postgresql.driver_errors import OtherVersionError
from daybook.engines.postgresql.pool import Pool
from daybook.engines.postgresql.record_rows import (
    Key,
    key_of,
    new_record,
    provenance_column,
    range_of,
    read_record,
)
from daybook.errors import ConflictError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import encode_json
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.namespace import decode_namespace
from daybook.model.record_filter import Predicate, compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import Place, Records

__all__ = ["PostgreSQLRecordStore"]

# `list` is a method below, so the types that need the builtin are named here.
_MaybeRecords = list[MemoryRecord | None]
_Names = list[str]
_Namespaces = list[Namespace]
_Removed = list[tuple[str, Namespace, str]]

_PUT = "SELECT * FROM {schema}.put_records(%b::bytea, %b::int8, %b, %b, %b, %b, %b, %b, %b)"
_GET = "SELECT * FROM {schema}.get_records(%b::bytea, %b::int8, %b, %b, %b)"
_EXTEND = "SELECT {schema}.extend_records(%b::bytea, %b::int8, %b, %b, %b, %b, %b)"
_DELETE = "SELECT {schema}.delete_records(%b::bytea, %b::int8, %b, %b, %b)"
_BELOW = "%b::bytea, %b::int8, %b::int8, %b::bytea, %b::bytea"
_DELETE_BELOW = f"SELECT {{schema}}.delete_below({_BELOW})"
_LIST = f"SELECT * FROM {{schema}}.list_records({_BELOW}, %b::int8, %b::int8)"
_OPEN_LIST = f"SELECT {{schema}}.open_records(%b::int8, {_BELOW})"
_NAMESPACES = f"SELECT * FROM {{schema}}.list_namespaces({_BELOW}) AS namespace"
_VERSIONS = f"SELECT * FROM {{schema}}.list_versions({_BELOW}, %b::int8)"
_RESTORE = "SELECT {schema}.restore_records(%b::bytea, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)"
_TENANTS = "SELECT * FROM {schema}.list_record_tenants() AS tenant"
_SWEEP = "SELECT * FROM {schema}.sweep_records(%b::int8)"

_FETCHED_AT_ONCE = 500
_MOST_COUNT = 2**62


class PostgreSQLRecordStore:
    """Records in the tables of one schema."""

    def __init__(self, pool: Pool, clock: Clock, capabilities: EngineCapabilities) -> None:
        self._pool = pool
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records, all or none."""
        now = self._clock.now()
        keys = [key_of(scope, one.namespace, one.key) for one in records]
        order = sorted(range(len(records)), key=keys.__getitem__)
        given = [records[at] for at in order]
        arguments = (
            *self._whose(scope),
            *_key_arrays(keys[at] for at in order),
            bytea_array([one.value for one in given]),
            int8_array([None if one.expires_at is None else to_micros(one.expires_at)
                        for one in given]),
            bytea_array([provenance_column(one.provenance) for one in given]),
            int4_array([one.expected_version for one in given]),
        )  # fmt: skip
        try:
            rows = await self._pool.fetch("put", _PUT, arguments)
        except OtherVersionError as exc:
            raise _conflict(given[exc.place - 1], exc.version) from None
        stored: _MaybeRecords = [None] * len(records)
        for place, version, created in rows:
            at = order[place - 1]
            stored[at] = new_record(records[at], version=version, created=created, now=now)
        return [one for one in stored if one is not None]

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each place."""
        keys = [key_of(scope, namespace, key) for namespace, key in places]
        rows = await self._pool.fetch("get", _GET, (*self._whose(scope), *_key_arrays(keys)))
        found = {row[0]: read_record(row[1:]) for row in rows}
        return [found.get(place) for place in range(1, len(places) + 1)]

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later, all in one transaction."""
        named = sorted((key_of(scope, one.namespace, one.key), at) for at, one in enumerate(ends))
        given = [ends[at] for _, at in named]
        arguments = (
            *self._whose(scope),
            *_key_arrays(key for key, _ in named),
            int4_array([one.version for one in given]),
            int8_array([to_micros(one.expires_at) for one in given]),
        )
        return int((await self._pool.one("extend", _EXTEND, arguments))[0])

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions."""
        keys = sorted(key_of(scope, namespace, key) for namespace, key in places)
        arguments = (*self._whose(scope), *_key_arrays(keys))
        return int((await self._pool.one("delete", _DELETE, arguments))[0])

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix."""
        arguments = (*self._whose(scope), *range_of(scope, prefix))
        return int((await self._pool.one("delete namespace", _DELETE_BELOW, arguments))[0])

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
        below = (*self._whose(scope), *range_of(scope, prefix))
        if filter:
            return await self._filtered(below, compile_filter(filter), limit, offset)
        arguments = (*below, min(limit, _MOST_COUNT), min(offset, _MOST_COUNT))
        return [read_record(row) for row in await self._pool.fetch("list", _LIST, arguments)]

    async def _filtered(
        self, below: tuple[Any, ...], matches: Predicate, limit: int, offset: int
    ) -> Records:
        """Read on, all from one moment, until enough records match."""
        found: Records = []
        async with self._pool.transaction("list") as transaction:
            await transaction.open_cursor(_OPEN_LIST, below)
            while len(found) < offset + limit:
                rows = await transaction.fetch_on("daybook_records", _FETCHED_AT_ONCE)
                read = (read_record(row[1:]) for row in rows)
                found += [one for one in read if matches(one.value)]
                if len(rows) < _FETCHED_AT_ONCE:
                    break
        return found[offset : offset + limit]

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
        arguments = (*self._whose(scope), *range_of(scope, prefix))
        rows = await self._pool.fetch("namespaces", _NAMESPACES, arguments)
        cut = sorted({decode_namespace(row[0].decode())[:max_depth] for row in rows})
        return cut[offset : offset + limit]

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> Records:
        """Return the versions of a key, newest first."""
        home, encoded, name = key_of(scope, namespace, key).columns
        arguments = (*self._whose(scope), home, encoded, name, min(limit, _MOST_COUNT))
        rows = await self._pool.fetch("versions", _VERSIONS, arguments)
        return [read_record(row) for row in islice(rows, limit)]

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys with all their versions, in place of what they had."""
        last: dict[Key, Sequence[MemoryRecord]] = {}
        for history in histories:
            if history:
                last[key_of(scope, history[0].namespace, history[0].key)] = history
        flat = [
            (key, one, one is history[-1])
            for key, history in sorted(last.items())
            for one in history
        ]
        arguments = (
            scope.tenant.encode(),
            *_key_arrays(key for key, _, _ in flat),
            int4_array([one.version for _, one, _ in flat]),
            int8_array([to_micros(one.created_at) for _, one, _ in flat]),
            int8_array([to_micros(one.updated_at) for _, one, _ in flat]),
            int8_array([None if one.expires_at is None else to_micros(one.expires_at)
                        for _, one, _ in flat]),
            bytea_array([provenance_column(one.provenance) for _, one, _ in flat]),
            bytea_array([encode_json(one.value) for _, one, _ in flat]),
            bool_array([newest for _, _, newest in flat]),
        )  # fmt: skip
        await self._pool.one("restore", _RESTORE, arguments)

    async def tenants(self) -> _Names:
        """Return the tenants that have records."""
        return [row[0].decode() for row in await self._pool.fetch("tenants", _TENANTS)]

    async def sweep(self, now: datetime) -> _Removed:
        """Remove what expired up to `now`."""
        rows = await self._pool.fetch("sweep", _SWEEP, (to_micros(now),))
        return [
            (tenant.decode(), decode_namespace(namespace.decode()), key.decode())
            for tenant, namespace, key in rows
        ]

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _whose(self, scope: Scope) -> tuple[bytes, int]:
        return scope.tenant.encode(), to_micros(self._clock.now())


def _key_arrays(keys: Iterable[Key]) -> tuple[bytes, bytes, bytes]:
    """Return homes, namespaces and keys, packed."""
    columns = [key.columns for key in keys]
    return (
        int8_array([home for home, _, _ in columns]),
        bytea_array([namespace for _, namespace, _ in columns]),
        bytea_array([name for _, _, name in columns]),
    )


def _conflict(record: NewRecord, version: int) -> ConflictError:
    return ConflictError(
        f"record {record.key} has version {version}, not {record.expected_version}: read it "
        "again and decide anew; nothing of this call was stored"
    )
