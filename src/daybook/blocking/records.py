"""`book.records` for code that is not async."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from daybook.facets.records import Place, Records, RecordWrite
from daybook.loop_thread import LoopThread
from daybook.model.memory_record import MemoryRecord, Namespace, Provenance, RecordHit

__all__ = ["BlockingRecords"]

# `list` is a method below, so the types that need the builtin are named here.
_MemoryRecords = list[MemoryRecord]
_MaybeRecords = list[MemoryRecord | None]
_RecordHits = list[RecordHit]
_Namespaces = list[Namespace]


class BlockingRecords:
    """Blocking twin of `Records`."""

    def __init__(self, facet: Records, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def put(
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
        """See `Records.put`."""
        return self._run(
            self._facet.put(
                namespace,
                key,
                value,
                ttl=ttl,
                provenance=provenance,
                expected_version=expected_version,
                searched=searched,
            )
        )

    def put_many(self, writes: Sequence[RecordWrite]) -> _MemoryRecords:
        """See `Records.put_many`."""
        return self._run(self._facet.put_many(writes))

    def get(self, namespace: Sequence[str], key: str) -> MemoryRecord | None:
        """See `Records.get`."""
        return self._run(self._facet.get(namespace, key))

    def get_many(self, places: Sequence[Place]) -> _MaybeRecords:
        """See `Records.get_many`."""
        return self._run(self._facet.get_many(places))

    def renew(self, records: Sequence[MemoryRecord]) -> int:
        """See `Records.renew`."""
        return self._run(self._facet.renew(records))

    def delete_many(self, places: Sequence[Place]) -> int:
        """See `Records.delete_many`."""
        return self._run(self._facet.delete_many(places))

    def delete(self, namespace: Sequence[str], key: str) -> bool:
        """See `Records.delete`."""
        return self._run(self._facet.delete(namespace, key))

    def list(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int = 100,
        offset: int = 0,
    ) -> _MemoryRecords:
        """See `Records.list`."""
        return self._run(
            self._facet.list(namespace_prefix, filter=filter, limit=limit, offset=offset)
        )

    def search(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        query: str | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int = 10,
        offset: int = 0,
    ) -> _RecordHits:
        """See `Records.search`."""
        return self._run(
            self._facet.search(
                namespace_prefix, query=query, filter=filter, limit=limit, offset=offset
            )
        )

    def namespaces(
        self,
        prefix: Sequence[str] = (),
        *,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> _Namespaces:
        """See `Records.namespaces`."""
        return self._run(
            self._facet.namespaces(prefix, max_depth=max_depth, limit=limit, offset=offset)
        )

    def versions(self, namespace: Sequence[str], key: str, *, limit: int = 100) -> _MemoryRecords:
        """See `Records.versions`."""
        return self._run(self._facet.versions(namespace, key, limit=limit))

    def reindex(self, *, fresh: bool = False) -> int:
        """See `Records.reindex`."""
        return self._run(self._facet.reindex(fresh=fresh))

    def expire(self) -> int:
        """See `Records.expire`."""
        return self._run(self._facet.expire())
