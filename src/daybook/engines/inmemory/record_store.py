"""The record store in memory: one dictionary under one lock, the model for other engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from daybook.engines.inmemory.capabilities import INMEMORY, check_open
from daybook.errors import ConflictError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import decode_json, encode_json
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.namespace import encode_namespace
from daybook.model.record_filter import compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock

__all__ = ["InMemoryRecordStore"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Version(Struct, frozen=True):
    """One written version; its value stays encoded, so that nobody shares it."""

    record: NewRecord
    version: int
    created_at: datetime
    updated_at: datetime

    def view(self) -> MemoryRecord:
        return MemoryRecord(
            namespace=self.record.namespace,
            key=self.record.key,
            value=decode_json(self.record.value),
            version=self.version,
            created_at=self.created_at,
            updated_at=self.updated_at,
            expires_at=self.record.expires_at,
            provenance=self.record.provenance,
        )

    def expired(self, now: datetime) -> bool:
        return self.record.expires_at is not None and self.record.expires_at <= now

    def order(self) -> tuple[int, str, str]:
        age = (_EPOCH - self.updated_at) // timedelta(microseconds=1)
        return age, encode_namespace(self.record.namespace), self.record.key


_Place = tuple[str, Namespace, str]
_Versions = tuple[_Version, ...]  # oldest first
_Records = list[MemoryRecord]
_Namespaces = list[Namespace]
_Names = list[str]
_Gone = list[tuple[str, Namespace, str]]


class InMemoryRecordStore:
    """`RecordStore` in memory."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._closed = False
        self._keys: dict[_Place, _Versions] = {}

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this engine promises."""
        return INMEMORY

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> _Records:
        """Write records; the new versions are worked out first and stored together at the end."""
        with self._lock:
            check_open(self._closed, "put")
            now = self._clock.now()
            written: dict[_Place, _Versions] = {}
            stored: list[_Version] = []
            for record in records:
                place = (scope.tenant, record.namespace, record.key)
                before = _unexpired(written.get(place, self._keys.get(place, ())), now)
                stored.append(_next_version(before, record, now))
                written[place] = (*before, stored[-1])
            self._keys.update(written)
            return [version.view() for version in stored]

    async def get(
        self, scope: Scope, places: Sequence[tuple[Namespace, str]]
    ) -> list[MemoryRecord | None]:
        """Return current records."""
        with self._lock:
            check_open(self._closed, "get")
            now = self._clock.now()
            found = [self._versions((scope.tenant, *place), now) for place in places]
            return [versions[-1].view() if versions else None for versions in found]

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later."""
        with self._lock:
            check_open(self._closed, "extend")
            now = self._clock.now()
            changed = 0
            for end in ends:
                place = (scope.tenant, end.namespace, end.key)
                *older, last = self._keys.get(place) or (None,)
                if last and end.prolongs(last.version, last.record.expires_at, now):
                    renewed = replace(last.record, expires_at=end.expires_at)
                    self._keys[place] = (*filter(None, older), replace(last, record=renewed))
                    changed += 1
            return changed

    async def delete(self, scope: Scope, places: Sequence[tuple[Namespace, str]]) -> int:
        """Remove keys."""
        with self._lock:
            check_open(self._closed, "delete")
            return self._remove((scope.tenant, *place) for place in places)

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove what stands below a prefix."""
        with self._lock:
            check_open(self._closed, "delete_namespace")
            below = [place for place in self._keys if _is_below(place, scope, prefix)]
            return self._remove(iter(below))

    async def list(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the protocol's word
        limit: int,
        offset: int = 0,
    ) -> _Records:
        """Return records below a prefix."""
        matches = compile_filter(filter)
        with self._lock:
            check_open(self._closed, "list")
            current = sorted(self._current(scope, prefix), key=_Version.order)
        views = (version.view() for version in current)
        return [*islice((one for one in views if matches(one.value)), offset, offset + limit)]

    async def namespaces(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        max_depth: int | None = None,
        limit: int,
        offset: int = 0,
    ) -> _Namespaces:
        """Return namespaces."""
        with self._lock:
            check_open(self._closed, "namespaces")
            found = {one.record.namespace[:max_depth] for one in self._current(scope, prefix)}
        return sorted(found)[offset : offset + limit]

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> _Records:
        """Return a key's versions."""
        with self._lock:
            check_open(self._closed, "versions")
            kept = self._versions((scope.tenant, namespace, key), self._clock.now())
            return [version.view() for version in islice(reversed(kept), limit)]

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys as they were elsewhere."""
        with self._lock:
            check_open(self._closed, "restore")
            for history in histories:
                versions = tuple(map(_restored, history))
                first = versions[0].record
                self._keys[scope.tenant, first.namespace, first.key] = versions

    async def tenants(self) -> _Names:
        """Return the tenants that have records."""
        with self._lock:
            check_open(self._closed, "tenants")
            return sorted({tenant for tenant, _, _ in self._keys})

    async def sweep(self, now: datetime) -> _Gone:
        """Remove expired records."""
        with self._lock:
            check_open(self._closed, "sweep")
            gone = [place for place, versions in self._keys.items() if versions[-1].expired(now)]
            for place in gone:
                del self._keys[place]
            return gone

    async def close(self) -> None:
        """Drop everything."""
        with self._lock:
            self._closed = True
            self._keys.clear()

    def _versions(self, place: _Place, now: datetime) -> _Versions:
        return _unexpired(self._keys.get(place, ()), now)

    def _current(self, scope: Scope, prefix: Namespace) -> Iterator[_Version]:
        now = self._clock.now()
        for place, versions in self._keys.items():
            if _is_below(place, scope, prefix) and not versions[-1].expired(now):
                yield versions[-1]

    def _remove(self, places: Iterator[_Place]) -> int:
        now = self._clock.now()
        removed = 0
        for place in places:
            removed += bool(self._versions(place, now))
            self._keys.pop(place, None)
        return removed


def _unexpired(versions: _Versions, now: datetime) -> _Versions:
    return () if versions and versions[-1].expired(now) else versions


def _is_below(place: _Place, scope: Scope, prefix: Namespace) -> bool:
    return place[0] == scope.tenant and place[1][: len(prefix)] == prefix


def _next_version(before: _Versions, record: NewRecord, now: datetime) -> _Version:
    stored = before[-1].version if before else 0
    if record.expected_version is not None and record.expected_version != stored:
        raise ConflictError(
            f"record {record.key!r} has version {stored}, not {record.expected_version}: "
            "read it again and repeat the change"
        )
    return _Version(record, stored + 1, before[0].created_at if before else now, now)


def _restored(record: MemoryRecord) -> _Version:
    new = NewRecord(
        namespace=record.namespace,
        key=record.key,
        value=encode_json(record.value),
        expires_at=record.expires_at,
        provenance=record.provenance,
    )
    return _Version(new, record.version, record.created_at, record.updated_at)
