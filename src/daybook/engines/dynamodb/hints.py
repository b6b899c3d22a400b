"""Items that help to find things: each is written before the commit it speaks of.

So nothing committed is ever without its hint, while a hint may speak of something that never came;
whoever follows one looks at the head or record itself. A hint is taken away by whoever ends what
it speaks of, under the condition that nothing newer renewed it.
"""

from __future__ import annotations

import time
from functools import partial
from itertools import chain

from daybook.engines.dynamodb.calls import Calls, Item, Write
from daybook.engines.dynamodb.heads import Head
from daybook.engines.dynamodb.keys import (
    SHARDS,
    TENANTS,
    Key,
    digest,
    session_name,
    shard,
    user_name,
)
from daybook.model.scope import Scope
from daybook.model.session import Session

__all__ = [
    "all_shards",
    "expiring_names",
    "forget_void_ends",
    "is_old",
    "list_session",
    "listed_names",
    "register_tenant",
    "tenants",
    "unlist_session",
]

# A call that wrote a hint has committed or failed long before: no deadline is that long.
_GRACE_NS = 3600 * 10**9


def is_old(item: Item) -> bool:
    """Tell whether the call that wrote a hint must have ended, whatever became of it."""
    return int(item["at"]) < time.time_ns() - _GRACE_NS


def all_shards(calls: Calls, partition: str, prefix: str = "") -> list[Item]:
    """Return the items of all sixteen shards of a partition."""
    found = calls.together(
        [partial(calls.below, f"{partition}/{number:02}", prefix) for number in range(SHARDS)]
    )
    return list(chain.from_iterable(found))


def list_session(calls: Calls, tenant: str, head: Head, session: Session) -> None:
    """Write what makes a new session found: by its owner, by its tenant, by its end."""
    keys = [_list_key(tenant, session.user_id, session.id)]
    if session.ttl is not None or session.expires_at is not None:
        keys.append(_end_key(session_name(tenant, session.id)))
    calls.together([partial(_renew, calls, key, head.incarnation, tenant) for key in keys])


def unlist_session(calls: Calls, tenant: str, head: Head, session: Session) -> None:
    """Take these away after a session's end, unless a newer one renewed them."""
    keys = [
        _list_key(tenant, session.user_id, session.id),
        _end_key(session_name(tenant, session.id)),
    ]
    values = {":inc": head.incarnation}
    calls.together([partial(calls.write, Write(key, None, "#inc <= :inc", values)) for key in keys])


def _renew(calls: Calls, key: Key, incarnation: int, tenant: str) -> bool:
    return calls.set(
        key,
        "SET #inc = :inc, #at = :at, #d = :d",
        {":inc": incarnation, ":at": time.time_ns(), ":d": tenant.encode()},
        "attribute_not_exists(#inc) OR #inc <= :inc",
    )


def listed_names(calls: Calls, scope: Scope) -> list[str]:
    """Return the names of the sessions that a scope may reach, and some that are gone."""
    partition = f"l/{digest(scope.tenant)}"
    if scope.user_id is None:
        return [_second(item) for item in all_shards(calls, partition)]
    owner = user_name(scope.tenant, scope.user_id)
    return [_second(item) for item in calls.below(f"{partition}/{shard(owner)}", f"{owner}/")]


def expiring_names(calls: Calls) -> dict[str, str]:
    """Return the names of the sessions that may have an end, and their tenants."""
    return {_second(item): item["d"].decode() for item in all_shards(calls, "x", "s/")}


def forget_void_ends(calls: Calls, gone: set[str]) -> None:
    """Take away such hints of sessions that are not there, if nobody can be making them now."""
    for item in all_shards(calls, "x", "s/"):
        if _second(item) in gone and is_old(item):
            unchanged = {":at": item["at"]}
            calls.write(Write((item["pk"], item["sk"]), None, "#at = :at", unchanged))


def register_tenant(calls: Calls, tenant: str, known: set[str]) -> None:
    """Note that a tenant has data, once in a process."""
    if tenant not in known:
        item: Item = {"d": tenant.encode()}
        calls.write(Write((TENANTS, digest(tenant)), item))
        known.add(tenant)


def tenants(calls: Calls) -> list[str]:
    """Return every tenant that ever had data, sorted."""
    return sorted(item["d"].decode() for item in calls.below(TENANTS, ""))


def _list_key(tenant: str, user_id: str, session_id: str) -> Key:
    owner = user_name(tenant, user_id)
    name = session_name(tenant, session_id)
    return f"l/{digest(tenant)}/{shard(owner)}", f"{owner}/{name}"


def _end_key(name: str) -> Key:
    return f"x/{shard(name)}", f"s/{name}"


def _second(item: Item) -> str:
    return str(item["sk"].partition("/")[2])
