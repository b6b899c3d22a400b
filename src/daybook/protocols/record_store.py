"""The record store: values under a namespace and a key, with versions, a life and filters."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from daybook.model.capabilities import EngineCapabilities
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.scope import Scope

__all__ = ["Place", "RecordStore", "Records"]

# `list` is a method below, so the types that need the builtin are named here.
Records = list[MemoryRecord]
Place = tuple[Namespace, str]
_MaybeRecords = list[MemoryRecord | None]
_Namespaces = list[Namespace]
_Removed = list[tuple[str, Namespace, str]]


class RecordStore(Protocol):
    """Everything derived, and everything a caller wants to keep.

    For every method: an expired record is absent. A namespace prefix matches whole labels only:
    ``("a",)`` never reaches ``("ab",)``. The scope's user, if it names one, must be the first
    label of every namespace; the facade checks that, the store may rely on it. Every call but
    a conditional `put` is safe to repeat.
    """

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        ...

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records and return them as stored, in the order given.

        Atomicity: all of them or none, within `capabilities.atomic_across_owners` and
        `capabilities.max_atomic_records`. The version before is kept for `versions`.
        The same key twice in one call: written in order, the last one stays current.

        Raises:
            ConflictError: A record's `expected_version` is not the stored one.
            UnsupportedError: More records than the engine writes at once; nothing was written.
        """
        ...

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each ``(namespace, key)``, None where there is none."""
        ...

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later: no new version, the time of the last update stays.

        A record that is absent, has another version than the one named, has no end, or ends later
        anyway is left alone. Returns how many were changed.

        Atomicity: each record by itself.
        """
        ...

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions, in one transaction; return how many were there."""
        ...

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix with all versions; return how many keys."""
        ...

    async def list(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int,
        offset: int = 0,
    ) -> Records:
        """Return records below a prefix, last updated first, ties by namespace and key.

        Args:
            scope: Whose records.
            prefix: Leading labels; empty for the whole tenant.
            filter: See `daybook.model.record_filter`.
            limit: At most so many.
            offset: Skip so many first.

        Raises:
            InvalidInputError: The filter is not valid.
        """
        ...

    async def namespaces(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        max_depth: int | None = None,
        limit: int,
        offset: int = 0,
    ) -> builtins.list[Namespace]:
        """Return the distinct namespaces that hold records, cut to `max_depth` labels.

        Ordering: label by label, as tuples of text.
        """
        ...

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> builtins.list[MemoryRecord]:
        """Return the versions of a live key, newest first, the current one included.

        A version's own end of life is history: only the current one's decides what is live.
        """
        ...

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys with all their versions exactly as given, in place of what they had.

        Args:
            scope: Whose records.
            histories: For each key its versions, oldest first, as `versions` returned them on
                another store.

        Atomicity: each key is written whole or not at all. Repeatable.
        """
        ...

    async def tenants(self) -> builtins.list[str]:
        """Return the tenants that have records, sorted; one without any may be among them."""
        ...

    async def sweep(self, now: datetime) -> builtins.list[tuple[str, Namespace, str]]:
        """Remove what expired up to `now`; return ``(tenant, namespace, key)`` of each."""
        ...

    async def close(self) -> None:
        """Finish what is in flight, release everything. Repeatable."""
        ...
