"""The record store on Redis. Method texts: `daybook.protocols.record_store`.

An owner, that is a tenant and a first label, has a bucket; what one call writes there is written
by one script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.redis.buckets import BUCKETS, bucket_of_user
from daybook.engines.redis.record_values import (
    body_of_new,
    expiry_micros,
    from_value,
    member_of,
    member_range,
    place_of_member,
    stored_record,
    to_value,
)
from daybook.engines.redis.script_calls import Reply, ScriptCalls
from daybook.engines.redis.session_marks import due_buckets
from daybook.errors import ConflictError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.namespace import decode_namespace, encode_namespace
from daybook.model.record_filter import compile_filter
from daybook.model.scope import Scope
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import Place, Records

__all__ = ["RedisRecordStore"]

# `list` is a method below, so the types that need the builtin are named here.
_MaybeRecords = list[MemoryRecord | None]
_Namespaces = list[Namespace]
_Names = list[str]
_Removed = list[tuple[str, Namespace, str]]
_Replies = list[Reply]
_ByBucket = dict[int, list[int]]

# So many keys in one script: it keeps others waiting for some milliseconds.
_BATCH = 500


class RedisRecordStore:
    """Records beside the sessions of the user who owns them."""

    def __init__(self, calls: ScriptCalls, clock: Clock, capabilities: EngineCapabilities) -> None:
        self._calls = calls
        self._clock = clock
        self._capabilities = capabilities

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(self, scope: Scope, records: Sequence[NewRecord]) -> Records:
        """Write records; those of one owner all or none.

        With several owners every condition is checked before anything is written; only a change
        in between can leave some owners written and others not.
        """
        async with self._calls.operation("put"):
            named = self._named(scope)
            grouped = _by_bucket(scope.tenant, (one.namespace for one in records))
            conditional = any(one.expected_version is not None for one in records)
            if len(grouped) > 1 and conditional:
                for bucket, positions in grouped.items():
                    some = [records[at] for at in positions]
                    await self._put(bucket, {**named, "dry": True}, some)
            stored: dict[int, MemoryRecord] = {}
            for bucket, positions in grouped.items():
                some = [records[at] for at in positions]
                reply = await self._put(bucket, named, some)
                for at, (version, created) in zip(positions, reply.values[0], strict=True):
                    stored[at] = stored_record(records[at], version, created, named["now"])
            return [stored[at] for at in range(len(records))]

    async def _put(self, bucket: int, named: dict[str, Any], records: Sequence[NewRecord]) -> Reply:
        bodies, places = [], []
        for one in records:
            body, size = body_of_new(one)
            bodies.append(body)
            places.append(
                (
                    one.namespace[0],
                    member_of(one.namespace, one.key),
                    expiry_micros(one.expires_at),
                    one.expected_version,
                    size,
                )
            )
        reply = await self._calls.call("record_put", bucket, {**named, "records": places}, *bodies)
        if reply.status == "conflict":
            index, version = reply.values
            wrong = records[index - 1]
            raise ConflictError(
                f"record {wrong.key!r} has version {version}, not {wrong.expected_version}: read "
                "it again and decide anew"
            )
        return reply

    async def get(self, scope: Scope, places: Sequence[Place]) -> _MaybeRecords:
        """Return the current record of each place."""
        async with self._calls.operation("get"):
            named = self._named(scope)
            answer: _MaybeRecords = [None for _ in places]
            grouped = _by_bucket(scope.tenant, (namespace for namespace, _ in places))
            for bucket, positions in grouped.items():
                some = [_named_place(places[at]) for at in positions]
                reply = await self._calls.call("record_get", bucket, {**named, "places": some})
                for at, value in zip(positions, reply.bodies, strict=True):
                    answer[at] = from_value(*places[at], value) if value else None
            return answer

    async def extend(self, scope: Scope, ends: Sequence[LaterEnd]) -> int:
        """Let records end later; those of one owner in one step."""
        async with self._calls.operation("extend"):
            named = self._named(scope)
            changed = 0
            grouped = _by_bucket(scope.tenant, (one.namespace for one in ends))
            for bucket, positions in grouped.items():
                some = [_named_end(ends[at]) for at in positions]
                reply = await self._calls.call("record_extend", bucket, {**named, "ends": some})
                changed += reply.values[0]
            return changed

    async def delete(self, scope: Scope, places: Sequence[Place]) -> int:
        """Remove keys with all their versions; those of one owner in one step."""
        async with self._calls.operation("delete"):
            named = self._named(scope)
            removed = 0
            grouped = _by_bucket(scope.tenant, (namespace for namespace, _ in places))
            for bucket, positions in grouped.items():
                some = [_named_place(places[at]) for at in positions]
                reply = await self._calls.call("record_delete", bucket, {**named, "places": some})
                removed += reply.values[0]
            return removed

    async def delete_namespace(self, scope: Scope, prefix: Namespace) -> int:
        """Remove every record below a prefix, some hundred keys in one step."""
        async with self._calls.operation("delete_namespace"):
            named = self._below(scope, prefix) | {"limit": _BATCH}
            buckets: Iterable[int] = range(BUCKETS)
            if prefix:
                buckets = [bucket_of_user(scope.tenant, prefix[0])]
            removed = 0
            for bucket in buckets:
                taken = _BATCH
                while taken == _BATCH:
                    reply = await self._calls.call("record_delete_below", bucket, named)
                    gone, taken = reply.values
                    removed += gone
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
        """Return records below a prefix; a filter is applied here, to all that is below it."""
        matches = compile_filter(filter)
        async with self._calls.operation("list"):
            named = self._below(scope, prefix)
            named["limit"] = None if filter else limit + offset
            found: Records = []
            for reply in await self._of_prefix("record_list", scope, prefix, named):
                for member, value in zip(reply.values[0], reply.bodies, strict=True):
                    found.append(from_value(*place_of_member(member), value))
        found.sort(key=_order)
        kept = (one for one in found if matches(one.value))
        return [*islice(kept, offset, offset + limit)]

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
        async with self._calls.operation("namespaces"):
            named = self._below(scope, prefix)
            replies = await self._of_prefix("record_namespaces", scope, prefix, named)
        texts = [text for reply in replies for text in reply.values[0]]
        found = {decode_namespace(text)[:max_depth] for text in texts}
        return sorted(found)[offset : offset + limit]

    async def versions(
        self, scope: Scope, namespace: Namespace, key: str, *, limit: int
    ) -> Records:
        """Return a key's versions, newest first."""
        async with self._calls.operation("versions"):
            named = self._named(
                scope, label=namespace[0], member=member_of(namespace, key), limit=limit
            )
            bucket = bucket_of_user(scope.tenant, namespace[0])
            reply = await self._calls.call("record_versions", bucket, named)
            return [from_value(namespace, key, value) for value in reply.bodies][:limit]

    async def restore(self, scope: Scope, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys as they were elsewhere."""
        async with self._calls.operation("restore"):
            named = self._named(scope)
            grouped = _by_bucket(scope.tenant, (history[-1].namespace for history in histories))
            for bucket, positions in grouped.items():
                for start in range(0, len(positions), _BATCH):
                    some = [histories[at] for at in positions[start : start + _BATCH]]
                    bodies = [to_value(one) for history in some for one in history]
                    places = [_named_history(history) for history in some]
                    await self._calls.call(
                        "record_restore", bucket, {**named, "histories": places}, *bodies
                    )

    async def tenants(self) -> _Names:
        """Return the tenants that have records."""
        async with self._calls.operation("tenants"):
            replies = await self._calls.call_all("tenants", {"kind": "rt"})
            return sorted({tenant for _, reply in replies for tenant in reply.values[0]})

    async def sweep(self, now: datetime) -> _Removed:
        """Remove expired records."""
        async with self._calls.operation("sweep"):
            named = {"now": to_micros(now), "limit": _BATCH}
            gone: _Removed = []
            for bucket in await due_buckets(self._calls, "rx", named["now"]):
                due = _BATCH
                while due == _BATCH:
                    reply = await self._calls.call("record_sweep", bucket, named)
                    found = reply.values[0]
                    gone += [(tenant, *place_of_member(member)) for tenant, member in found]
                    due = len(found)
            return gone

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _named(self, scope: Scope, **more: Any) -> dict[str, Any]:
        return {"tenant": scope.tenant, "now": to_micros(self._clock.now()), **more}

    def _below(self, scope: Scope, prefix: Namespace) -> dict[str, Any]:
        low, high = member_range(prefix)
        label = prefix[0] if prefix else None
        return self._named(scope, low=low, high=high, label=label)

    async def _of_prefix(
        self, script: str, scope: Scope, prefix: Namespace, named: dict[str, Any]
    ) -> _Replies:
        if prefix:
            bucket = bucket_of_user(scope.tenant, prefix[0])
            return [await self._calls.call(script, bucket, named)]
        return [reply for _, reply in await self._calls.call_all(script, named)]


def _by_bucket(tenant: str, namespaces: Iterable[Namespace]) -> _ByBucket:
    """Return the positions of what belongs in each bucket, in their order."""
    grouped: _ByBucket = {}
    for at, namespace in enumerate(namespaces):
        grouped.setdefault(bucket_of_user(tenant, namespace[0]), []).append(at)
    return grouped


def _named_place(place: Place) -> tuple[str, str]:
    namespace, key = place
    return namespace[0], member_of(namespace, key)


def _named_end(end: LaterEnd) -> tuple[str, str, int, int]:
    member = member_of(end.namespace, end.key)
    return end.namespace[0], member, end.version, to_micros(end.expires_at)


def _named_history(history: Sequence[MemoryRecord]) -> tuple[str, str, int, int | None, int]:
    last = history[-1]
    member = member_of(last.namespace, last.key)
    updated = to_micros(last.updated_at)
    return last.namespace[0], member, len(history), expiry_micros(last.expires_at), updated


def _order(record: MemoryRecord) -> tuple[int, str, str]:
    return -to_micros(record.updated_at), encode_namespace(record.namespace), record.key
