"""Marks for the indexer, and the sweep of what has expired."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from daybook.engines.redis.buckets import bucket_of_user
from daybook.engines.redis.script_calls import ScriptCalls
from daybook.engines.redis.session_claims import SessionClaims
from daybook.model.scope import Scope
from daybook.protocols.message_log import PendingSession

__all__ = ["due_buckets", "pending", "settle", "sweep"]

# So many in one script: it keeps others waiting for some milliseconds.
_BATCH = 100


async def pending(calls: ScriptCalls, limit: int, scope: Scope | None) -> list[PendingSession]:
    """Return unsettled changes, oldest first."""
    named: dict[str, Any] = {"limit": limit}
    if scope is not None:
        named |= {"tenant": scope.tenant, "user": scope.user_id}
    if scope is not None and scope.user_id is not None:
        home = bucket_of_user(scope.tenant, scope.user_id)
        replies = [await calls.call("pending", home, named)]
    else:
        replies = [reply for _, reply in await calls.call_all("pending", named)]
    found = [one for reply in replies for one in reply.values[0]]
    found.sort(key=lambda one: float(one[0]))
    return [
        PendingSession(*_unframed(owner), session_id, mark)
        for _, owner, session_id, mark in found[:limit]
    ]


async def settle(calls: ScriptCalls, settled: Sequence[PendingSession]) -> None:
    """Forget marks, one call for each bucket they are in."""
    by_bucket: dict[int, list[tuple[str, str, int]]] = {}
    for one in settled:
        owner = f"{len(one.tenant.encode())}:{one.tenant}{one.user_id}"
        bucket = bucket_of_user(one.tenant, one.user_id)
        by_bucket.setdefault(bucket, []).append((owner, one.session_id, one.mark))
    await asyncio.gather(
        *(calls.call("settle", bucket, {"settled": some}) for bucket, some in by_bucket.items())
    )


async def sweep(calls: ScriptCalls, claims: SessionClaims, named: dict[str, Any]) -> int:
    """Remove expired sessions bucket by bucket; return how many."""
    removed = 0
    for bucket in await due_buckets(calls, "x", named["now"]):
        due = _BATCH
        while due == _BATCH:
            reply = await calls.call("sweep", bucket, {**named, "limit": _BATCH})
            gone, due = reply.values
            removed += len(gone)
            for tenant, session_id, token in gone:
                await claims.forget(tenant, session_id, bucket, token or None)
    return removed


async def due_buckets(calls: ScriptCalls, kind: str, now: int) -> list[int]:
    """Return the buckets in which something has expired."""
    replies = await calls.call_all("due", {"kind": kind, "now": now})
    return [buckets[place - 1] for buckets, reply in replies for place in reply.values[0]]


def _unframed(owner: str) -> tuple[str, str]:
    """Return the tenant and the user of ``<bytes of the tenant>:<tenant><user>``."""
    size, _, rest = owner.partition(":")
    both = rest.encode()
    return both[: int(size)].decode(), both[int(size) :].decode()
