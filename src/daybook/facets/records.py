"""`book.records`: values under a namespace and a key, kept for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from daybook.errors import InvalidInputError, UnsupportedError
from daybook.facets.checks import check_limit, check_ttl
from daybook.indexing.record_indexer import RecordIndexer
from daybook.model.codec import encode_json
from daybook.model.identifiers import check_id
from daybook.model.json_value import check_json_object
from daybook.model.memory_record import (
    LaterEnd,
    MemoryRecord,
    Namespace,
    NewRecord,
    Provenance,
    RecordHit,
)
from daybook.model.namespace import check_namespace
from daybook.model.record_filter import Predicate, compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import RecordStore

if TYPE_CHECKING:
    from daybook.indexing.reindexing import Reindexing

__all__ = ["Place", "RecordWrite", "Records"]

Place = tuple[Sequence[str], str]
"""A namespace and a key."""

_MAX_VALUE_BYTES = 16_000_000
# So many are ranked; all, where a filter leaves too few of those.
_RANKED = (1_000, 1_000_000)
_READ_AT_ONCE = 64

# `list` is a method below, so the types that need the builtin are named here.
_Records = list[MemoryRecord]
_MaybeRecords = list[MemoryRecord | None]
_Hits = list[RecordHit]
_Namespaces = list[Namespace]


class RecordWrite(Struct, frozen=True, kw_only=True):
    """One write of `put_many`; the fields are the arguments of `put`."""

    namespace: Namespace
    key: str
    value: dict[str, Any]
    ttl: timedelta | None = None
    provenance: Provenance = Provenance()
    expected_version: int | None = None
    searched: bool | Sequence[str] = True


class Records:
    """Keeps and finds values. The first label of a namespace names its owner."""

    def __init__(
        self,
        store: RecordStore,
        indexer: RecordIndexer | None,
        *,
        tenant: str,
        clock: Clock,
        reindexing: Callable[[], Reindexing | None],
    ) -> None:
        self._store = store
        self._indexer = indexer
        self._reindexing = reindexing
        self._scope = Scope(tenant)
        self._clock = clock

    async def put(
        self,
        namespace: Sequence[str],
        key: str,
        value: dict[str, Any],
        *,
        ttl: timedelta | None = None,
        provenance: Provenance | None = None,
        expected_version: int | None = None,
        searched: bool | Sequence[str] = True,
    ) -> MemoryRecord:
        """Write a record and return it as stored; the version before stays readable.

        Args:
            namespace: Where, for example ``("alice", "prefs")``; the first label is the owner.
            key: Its name there.
            value: A JSON object.
            ttl: It becomes unreadable after so long, counted anew by `renew`; None for never.
            provenance: What it rests on.
            expected_version: Write only if this is the current version; 0 if there must be none.
            searched: Whether a search by query finds it; or by which parts of the value, as paths
                such as ``"title"`` and ``"chapters[*].text"``.

        Raises:
            InvalidInputError: An argument cannot be stored.
            ConflictError: The current version is another.

        Atomicity: one transaction. Retry-safe: with `expected_version`; else it writes a version
        more.
        """
        write = RecordWrite(
            namespace=tuple(namespace) if isinstance(namespace, list | tuple) else namespace,  # type: ignore[arg-type] # checked next
            key=key,
            value=value,
            ttl=ttl,
            provenance=provenance or Provenance(),
            expected_version=expected_version,
            searched=searched,
        )
        return (await self.put_many([write]))[0]

    async def put_many(self, writes: Sequence[RecordWrite]) -> _Records:
        """Write many records in one transaction, all or none; return them as stored, in order.

        Raises:
            InvalidInputError: A write cannot be stored; names which.
            ConflictError: A current version is not the expected one.
        """
        now = self._clock.now()
        new = [_check_write(write, f"writes[{at}]", now) for at, write in enumerate(writes)]
        if not new:
            return []
        if self._indexer is None:
            return await self._store.put(self._scope, new)
        if any(record.expected_version is not None for record in new):
            stored = await self._store.put(self._scope, new)
            await self._indexer.index(self._scope.tenant, stored)
            return stored
        coming = [_as_record(write, one, now) for write, one in zip(writes, new, strict=True)]
        documents = await self._indexer.prepare(self._scope.tenant, coming)
        stored, _, _ = await asyncio.gather(
            self._store.put(self._scope, new),
            self._indexer.write(documents),
            self._indexer.remove_unsearched(self._scope.tenant, coming),
        )
        return stored

    async def get(self, namespace: Sequence[str], key: str) -> MemoryRecord | None:
        """Return a record; None if there is none or it has expired."""
        place = (check_namespace(namespace), check_id(key, "key"))
        return (await self._store.get(self._scope, [place]))[0]

    async def get_many(self, places: Sequence[Place]) -> _MaybeRecords:
        """Return the record of each ``(namespace, key)``, None where there is none."""
        return await self._store.get(self._scope, _check_places(places))

    async def renew(self, records: Sequence[MemoryRecord]) -> int:
        """Let records live as long again, from now, as they were given to when written.

        Args:
            records: As they were read; one that has no end, or was written since, is left alone.

        Returns:
            How many end later now. Neither version nor time of update changes.

        Atomicity: each record by itself. Repeatable.
        """
        now = self._clock.now()
        ends = [
            LaterEnd(one.namespace, one.key, one.version, now + life)
            for one in records
            if (life := _life_of(one)) is not None
        ]
        return await self._store.extend(self._scope, ends) if ends else 0

    async def delete(self, namespace: Sequence[str], key: str) -> bool:
        """Remove a record with all its versions; tell whether it was there. Repeatable."""
        return bool(await self.delete_many([(namespace, key)]))

    async def delete_many(self, places: Sequence[Place]) -> int:
        """Remove records with all their versions; return how many were there. Repeatable.

        Atomicity: one transaction, as far as the engine's `capabilities` go.
        """
        checked = _check_places(places)
        removed = await self._store.delete(self._scope, checked) if checked else 0
        if self._indexer is not None:
            await self._indexer.remove(self._scope.tenant, checked)
        return removed

    async def list(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int = 100,
        offset: int = 0,
    ) -> _Records:
        """Return records at or below a namespace, last updated first.

        Args:
            namespace_prefix: Leading labels; ``("a",)`` never reaches ``("ab",)``.
            filter: Conditions on the value, for example ``{"age": {"$gte": 18}}``; the operators
                are $eq $ne $gt $gte $lt $lte $in $exists.
            limit: At most so many.
            offset: Skip so many first.
        """
        return await self._store.list(
            self._scope,
            check_namespace(namespace_prefix, allow_empty=True),
            filter=filter,
            limit=check_limit(limit),
            offset=_check_offset(offset),
        )

    async def search(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        query: str | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int = 10,
        offset: int = 0,
    ) -> _Hits:
        """Return the records that best match a query, or without one the last updated.

        Args:
            namespace_prefix: Leading labels; with a query at least one, the owner.
            query: Text; both its words and its meaning count.
            filter: As in `list`; applied before the limit.
            limit: At most so many.
            offset: Skip so many first.

        Raises:
            InvalidInputError: A query without an owner, or a filter that is not valid.
            UnsupportedError: A query while no search index is configured.
        """
        prefix = check_namespace(namespace_prefix, allow_empty=True)
        if query is None:
            found = await self.list(prefix, filter=filter, limit=limit, offset=offset)
            return [RecordHit(record, 0.0) for record in found]
        if not prefix:
            raise InvalidInputError(
                "records.search with a query needs a namespace_prefix of at least one label: the "
                "owner, whose index is searched"
            )
        if self._indexer is None:
            raise UnsupportedError("records.search with a query needs a search index: pass index=")
        start = _check_offset(offset)
        wanted = start + check_limit(limit)
        matches = compile_filter(filter)
        hits: list[RecordHit] = []
        for most in _RANKED:
            ranked = await self._indexer.rank(self._scope.tenant, prefix, query, limit=most)
            hits = await self._hits(ranked, matches, wanted)
            if len(hits) >= wanted or len(ranked) < most // 2:  # fewer are all there are
                break
        return hits[start:wanted]

    async def _hits(
        self,
        ranked: Sequence[tuple[tuple[Namespace, str], float]],
        matches: Predicate,
        wanted: int,
    ) -> _Hits:
        """Return the first so many of what was ranked that are there and match."""
        hits: list[RecordHit] = []
        step = max(_READ_AT_ONCE, wanted)
        for at in range(0, len(ranked), step):
            some = ranked[at : at + step]
            records = await self._store.get(self._scope, [place for place, _ in some])
            hits += [
                RecordHit(record, score)
                for record, (_, score) in zip(records, some, strict=True)
                if record is not None and matches(record.value)
            ]
            if len(hits) >= wanted:
                break
        return hits

    async def namespaces(
        self,
        prefix: Sequence[str] = (),
        *,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> _Namespaces:
        """Return the distinct namespaces that hold records, sorted, cut to `max_depth` labels."""
        return await self._store.namespaces(
            self._scope,
            check_namespace(prefix, allow_empty=True),
            max_depth=None if max_depth is None else check_limit(max_depth, "max_depth"),
            limit=check_limit(limit),
            offset=_check_offset(offset),
        )

    async def versions(self, namespace: Sequence[str], key: str, *, limit: int = 100) -> _Records:
        """Return a record's versions, newest first; empty if it is gone."""
        return await self._store.versions(
            self._scope, check_namespace(namespace), check_id(key, "key"), limit=check_limit(limit)
        )

    async def reindex(self, *, fresh: bool = False) -> int:
        """Index every record of the tenant anew, in place; return how many this call indexed.

        Needed after records were copied into the store beside this object, and where a separate
        index was lost. Broken off, it goes on where it was when it is called again; called by
        several processes at once, it shares the work.

        Args:
            fresh: Begin anew although a run was broken off or is on its way.

        Raises:
            UnsupportedError: There is no search index.
            ConflictError: Another process began it anew meanwhile.
        """
        if (work := self._reindexing()) is None:
            raise UnsupportedError("records.reindex needs a search index: pass index=")
        return await work.run(work.records(), fresh=fresh)

    async def expire(self) -> int:
        """Remove from storage every record whose ttl has passed; return how many."""
        removed = await self._store.sweep(self._clock.now())
        if self._indexer is not None:
            for tenant, namespace, key in removed:
                await self._indexer.remove(tenant, [(namespace, key)])
        return len(removed)


def _check_write(write: RecordWrite, where: str, now: datetime) -> NewRecord:
    if not isinstance(write, RecordWrite):
        raise InvalidInputError(f"{where} must be a RecordWrite, got {type(write).__name__}")
    check_json_object(write.value, f"{where}.value")
    body = encode_json(write.value)
    if len(body) > _MAX_VALUE_BYTES:
        raise InvalidInputError(
            f"{where}.value takes {len(body)} bytes; at most {_MAX_VALUE_BYTES} are allowed"
        )
    if write.expected_version is not None:
        _check_offset(write.expected_version, f"{where}.expected_version")
    life = check_ttl(write.ttl)
    kept = {"ttl": life, "indexed": _check_searched(write.searched, f"{where}.searched")}
    return NewRecord(
        namespace=check_namespace(write.namespace),
        key=check_id(write.key, f"{where}.key"),
        value=body,
        expires_at=None if life is None else now + life,
        provenance=replace(write.provenance, **{k: v for k, v in kept.items() if v is not None}),
        expected_version=write.expected_version,
    )


def _check_searched(value: Any, what: str) -> tuple[str, ...] | None:
    """Return the paths that are searched; None for the whole value."""
    if isinstance(value, bool):
        return None if value else ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidInputError(f"{what} must be True, False or a list of paths")
    return tuple(check_id(path, what) for path in value)


def _check_places(places: Sequence[Place]) -> list[tuple[Namespace, str]]:
    return [(check_namespace(namespace), check_id(key, "key")) for namespace, key in places]


def _life_of(record: MemoryRecord) -> timedelta | None:
    if record.expires_at is None:
        return None
    return record.provenance.ttl or record.expires_at - record.updated_at


def _as_record(write: RecordWrite, new: NewRecord, now: datetime) -> MemoryRecord:
    """Return what a write is about to store, for its index document."""
    return MemoryRecord(
        namespace=write.namespace,
        key=write.key,
        value=write.value,
        version=1,
        created_at=now,
        updated_at=now,
        provenance=new.provenance,
    )


def _check_offset(value: Any, what: str = "offset") -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInputError(f"{what} must be an int of 0 or more")
    return value
