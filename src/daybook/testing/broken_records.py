"""Record stores that break one promise each: negative controls for the kit.

Each wraps a sound store. `RECORD_DOUBLES` names the test that must convict it.
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from daybook.errors import ConflictError
from daybook.model.codec import encode_json
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.record_filter import compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import SystemClock
from daybook.protocols.record_store import RecordStore

__all__ = ["RECORD_DOUBLES", "RecordDouble"]

_MANY = 1_000_000
_NEVER = datetime.max.replace(tzinfo=UTC)
_Records = list[MemoryRecord]


class RecordDouble:
    """A store that does what another does, except where a subclass breaks it."""

    def __init__(self, inner: RecordStore) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        """Hand everything else on."""
        return getattr(self.inner, name)


class PrefixCollision(RecordDouble):
    """Namespaces are compared as joined text: ("a",) reaches ("ab",)."""

    async def list(
        self, scope: Scope, prefix: Namespace, *, limit: int, offset: int = 0, **rest: Any
    ) -> _Records:
        """Compare the joined labels."""
        found = await self.inner.list(scope, (), limit=_MANY, **rest)
        start = ":".join(prefix)
        below = [one for one in found if ":".join(one.namespace).startswith(start)]
        return below[offset : offset + limit]


class FilterAfterLimit(RecordDouble):
    """The page is cut first and filtered afterwards."""

    async def list(
        self,
        scope: Scope,
        prefix: Namespace,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the protocol's word
        limit: int,
        offset: int = 0,
    ) -> _Records:
        """Cut, then filter."""
        matches = compile_filter(filter)
        found = await self.inner.list(scope, prefix, limit=limit, offset=offset)
        return [one for one in found if matches(one.value)]


class VersionIgnored(RecordDouble):
    """A condition on the version is not looked at."""

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> builtins.list[MemoryRecord]:
        """Write whatever is stored."""
        bare = [replace(one, expected_version=None) for one in records]
        return await self.inner.put(scope, bare)


class VersionCheckedTooEarly(RecordDouble):
    """The condition is looked at in one step and the write is another."""

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> builtins.list[MemoryRecord]:
        """Check, wait, write."""
        places = [(one.namespace, one.key) for one in records]
        for one, stored in zip(records, await self.inner.get(scope, places), strict=True):
            if one.expected_version not in (None, stored.version if stored else 0):
                raise ConflictError("another version")
        await asyncio.sleep(0)
        return await self.inner.put(scope, [replace(one, expected_version=None) for one in records])


class PartialPut(RecordDouble):
    """Many records are many writes."""

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> builtins.list[MemoryRecord]:
        """Write one by one."""
        return [(await self.inner.put(scope, [one]))[0] for one in records]


class RecordAlias(RecordDouble):
    """A cache hands out one object to everybody."""

    def __init__(self, inner: RecordStore) -> None:
        super().__init__(inner)
        self.kept: dict[tuple[Scope, Namespace, str, int], MemoryRecord] = {}

    async def get(
        self, scope: Scope, places: Sequence[tuple[Namespace, str]]
    ) -> builtins.list[MemoryRecord | None]:
        """Return what was returned before."""
        found = await self.inner.get(scope, places)
        return [
            None
            if one is None
            else self.kept.setdefault((scope, one.namespace, one.key, one.version), one)
            for one in found
        ]

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> builtins.list[MemoryRecord]:
        """Remember what was written."""
        stored = await self.inner.put(scope, records)
        for one in stored:
            self.kept[scope, one.namespace, one.key, one.version] = one
        return stored


class LeakingRecords(RecordDouble):
    """Reading by key forgets the tenant."""

    def __init__(self, inner: RecordStore) -> None:
        super().__init__(inner)
        self.homes: dict[tuple[Namespace, str], Scope] = {}

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> builtins.list[MemoryRecord]:
        """Remember where each key was first."""
        for one in records:
            self.homes.setdefault((one.namespace, one.key), scope)
        return await self.inner.put(scope, records)

    async def get(
        self, scope: Scope, places: Sequence[tuple[Namespace, str]]
    ) -> builtins.list[MemoryRecord | None]:
        """Read it there, whoever asks."""
        return [
            (await self.inner.get(self.homes.get(place, scope), [place]))[0] for place in places
        ]


class VersionsSurvive(RecordDouble):
    """Deleting hides a record and keeps what it said before."""

    def __init__(self, inner: RecordStore) -> None:
        super().__init__(inner)
        self.kept: dict[tuple[Scope, Namespace, str], _Records] = {}

    async def delete(self, scope: Scope, places: Sequence[tuple[Namespace, str]]) -> int:
        """Keep a copy of the history."""
        for place in places:
            history = await self.inner.versions(scope, *place, limit=_MANY)
            self.kept[scope, *place] = history or self.kept.get((scope, *place), [])
        return await self.inner.delete(scope, places)

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> _Records:
        """Show the copy too."""
        found = await self.inner.versions(scope, namespace, key, limit=limit)
        return [*found, *self.kept.get((scope, namespace, key), [])][:limit]


class ExpiryIgnored(RecordDouble):
    """An end is stored and never looked at."""

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> builtins.list[MemoryRecord]:
        """Store without it."""
        stored = await self.inner.put(scope, [replace(one, expires_at=None) for one in records])
        return [
            replace(kept, expires_at=one.expires_at)
            for kept, one in zip(stored, records, strict=True)
        ]


class SweepKeepsSilent(RecordDouble):
    """What a sweep removed is not told, so nothing else can forget it."""

    async def sweep(self, *now: Any) -> builtins.list[tuple[str, Namespace, str]]:
        """Remove and say nothing."""
        await self.inner.sweep(*now)
        return []


class EndsAtTheServersTime(RecordDouble):
    """The moment of a record's end is handed to a server whose clock says something else."""

    async def get(
        self, scope: Scope, places: Sequence[tuple[Namespace, str]]
    ) -> builtins.list[MemoryRecord | None]:
        """Compare with the machine's clock."""
        now = SystemClock().now()
        found = await self.inner.get(scope, places)
        return [one if one and (one.expires_at or _NEVER) > now else None for one in found]


class RestoreRenumbers(RecordDouble):
    """Restored versions count from one."""

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Number them anew."""
        fresh = [
            [replace(one, version=number) for number, one in enumerate(history, 1)]
            for history in histories
        ]
        await self.inner.restore(scope, fresh)


class RestoreKeepsOld(RecordDouble):
    """What a key had before stands beside what is restored."""

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Put the old versions in front."""
        kept = []
        for history in histories:
            first = history[0]
            before = await self.inner.versions(scope, first.namespace, first.key, limit=_MANY)
            kept.append([*before[::-1], *history])
        await self.inner.restore(scope, kept)


class RestoreIsAWrite(RecordDouble):
    """A restored record was updated when it was restored."""

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Change the newest version's time."""
        now = SystemClock().now()
        fresh = [[*one[:-1], replace(one[-1], updated_at=now)] for one in histories]
        await self.inner.restore(scope, fresh)


class RestoreForEver(RecordDouble):
    """A restored record has no end."""

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Take it away, and show it all the same."""
        bare = [[replace(one, expires_at=None) for one in history] for history in histories]
        await self.inner.restore(scope, bare)


class RecordTenantsForgotten(RecordDouble):
    """Only the first tenant is told of."""

    async def tenants(self) -> builtins.list[str]:
        """Cut the list."""
        return (await self.inner.tenants())[:1]


class ExtendIsAWrite(RecordDouble):
    """A later end is a new version."""

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Write the records anew."""
        found = await self.inner.get(scope, [(end.namespace, end.key) for end in ends])
        new = [
            NewRecord(
                namespace=end.namespace,
                key=end.key,
                value=encode_json(one.value),
                expires_at=end.expires_at,
            )
            for end, one in zip(ends, found, strict=True)
            if one is not None and end.prolongs(one.version, one.expires_at, one.updated_at)
        ]
        return len(await self.inner.put(scope, new))


class ExtendIgnoresTheVersion(RecordDouble):
    """A later end is given to whatever stands there."""

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Name the version that is stored."""
        found = await self.inner.get(scope, [(end.namespace, end.key) for end in ends])
        meant = [
            replace(end, version=one.version) if one else end
            for end, one in zip(ends, found, strict=True)
        ]
        return await self.inner.extend(scope, meant)


class ExtendIsSlow(RecordDouble):
    """What is extended was read before, and is written back whole."""

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Read, wait, write."""
        changed = 0
        for end in ends:
            kept = await self.inner.versions(scope, end.namespace, end.key, limit=_MANY)
            await asyncio.sleep(0)
            now = kept[0].updated_at if kept else _NEVER
            if kept and end.prolongs(kept[0].version, kept[0].expires_at, now):
                later = replace(kept[0], expires_at=end.expires_at)
                await self.inner.restore(scope, [[*kept[:0:-1], later]])
                changed += 1
        return changed


RECORD_DOUBLES: dict[type[RecordDouble], str] = {
    PrefixCollision: "test_a_prefix_matches_whole_labels_only",
    FilterAfterLimit: "test_a_filter_applies_before_the_limit",
    VersionIgnored: "test_a_condition_on_the_version",
    VersionCheckedTooEarly: "test_concurrent_writers_with_conditions_lose_nothing",
    PartialPut: "test_a_refused_put_stores_none_of_its_records",
    RecordAlias: "test_values_are_nobodys_alias",
    LeakingRecords: "test_no_method_reaches_another_tenant",
    VersionsSurvive: "test_delete_takes_all_versions_and_is_repeatable",
    ExpiryIgnored: "test_expired_is_absent_for_every_method",
    SweepKeepsSilent: "test_sweep_names_what_it_removed",
    EndsAtTheServersTime: "test_no_other_clock_ends_a_record",
    RestoreRenumbers: "test_a_history_comes_back_as_it_was",
    RestoreKeepsOld: "test_a_restore_replaces_and_is_repeatable",
    RestoreIsAWrite: "test_a_history_comes_back_as_it_was",
    RestoreForEver: "test_a_restored_record_expires",
    ExtendIsAWrite: "test_an_extended_record_lives_longer_and_is_else_the_same",
    ExtendIgnoresTheVersion: "test_what_is_not_meant_is_left_alone",
    ExtendIsSlow: "test_a_write_and_an_extension_at_once_keep_what_was_written",
    RecordTenantsForgotten: "test_tenants_with_records_are_told",
}
