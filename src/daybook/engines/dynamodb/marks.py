"""Marks for the index: which sessions changed since the index last settled them.

A mark's item is written before the commit of its change and says which mark that will have; the
head says which marks have come true. So a mark is never forgotten, one whose commit failed is
simply not shown, and no partition is written by everyone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import msgspec

from daybook.engines.dynamodb.calls import Calls, Item, Write
from daybook.engines.dynamodb.heads import load_many
from daybook.engines.dynamodb.hints import all_shards, is_old
from daybook.engines.dynamodb.keys import Key, digest, session_name, shard, user_name
from daybook.model.scope import Scope
from daybook.protocols.message_log import PendingSession

__all__ = ["announce", "forget_void_marks", "pending_sessions", "settle"]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[str, str, str])


def announce(calls: Calls, pending: PendingSession, done: int) -> None:
    """Write that a change with this mark is about to be committed.

    Args:
        calls: This call's requests.
        pending: The session, and the mark its head will have.
        done: The mark its head has. Where there is no item yet, all up to there is settled.
    """
    calls.set(
        _key(pending.tenant, pending.user_id, pending.session_id),
        "SET #v = :v, #at = :at, #d = :d, #since = if_not_exists(#since, :since), "
        "#done = if_not_exists(#done, :done)",
        {
            ":v": pending.mark,
            ":done": done,
            ":at": time.time_ns(),
            ":d": _encoder.encode((pending.tenant, pending.user_id, pending.session_id)),
            ":since": time.time_ns(),
        },
        "attribute_not_exists(#v) OR #v < :v",
    )


def pending_sessions(calls: Calls, limit: int, scope: Scope | None) -> list[PendingSession]:
    """Return changes that came true and are not settled, the oldest first."""
    items = sorted(_items(calls, scope), key=lambda item: int(item["since"]))
    found: list[PendingSession] = []
    for at in range(0, len(items), max(limit, 1)):
        part = items[at : at + limit]
        for item, mark in zip(part, _marks(calls, part), strict=True):
            if mark > int(item["done"]):
                found.append(PendingSession(*_decoder.decode(item["d"]), mark))
        if len(found) >= limit:
            break
    return found[:limit]


def settle(calls: Calls, settled: Sequence[PendingSession]) -> None:
    """Forget marks, each unless something newer was announced; then it is noted as done."""
    calls.together([partial(_settle_one, calls, one) for one in settled])


def _settle_one(calls: Calls, one: PendingSession) -> None:
    key, values = _key(one.tenant, one.user_id, one.session_id), {":m": one.mark}
    if not calls.write(Write(key, None, "attribute_not_exists(#pk) OR #v <= :m", values)):
        newer = "attribute_exists(#pk) AND #done < :m"
        calls.set(key, "SET #done = :m", values, newer)


def forget_void_marks(calls: Calls) -> None:
    """Remove marks whose commit failed long ago and that hold nothing unsettled."""
    items = [item for item in _items(calls, None) if is_old(item)]
    for item, mark in zip(items, _marks(calls, items), strict=True):
        if mark <= int(item["done"]):
            unchanged = {":v": item["v"], ":at": item["at"]}
            calls.write(Write((item["pk"], item["sk"]), None, "#v = :v AND #at = :at", unchanged))


def _marks(calls: Calls, items: Sequence[Item]) -> list[int]:
    """Return which mark of each item has come true: at most what its session's head says."""
    names = [str(item["sk"]).rpartition("/")[2] for item in items]
    heads = load_many(calls, names)
    reached = [0 if (head := heads[name].head) is None else head.mark for name in names]
    return [min(int(item["v"]), mark) for item, mark in zip(items, reached, strict=True)]


def _items(calls: Calls, scope: Scope | None) -> list[Item]:
    if scope is None:
        return all_shards(calls, "p")
    prefix = f"{digest(scope.tenant)}/"
    if scope.user_id is None:
        return all_shards(calls, "p", prefix)
    owner = user_name(scope.tenant, scope.user_id)
    return calls.below(f"p/{shard(owner)}", f"{prefix}{owner}/")


def _key(tenant: str, user_id: str, session_id: str) -> Key:
    owner = user_name(tenant, user_id)
    name = session_name(tenant, session_id)
    return f"p/{shard(owner)}", f"{digest(tenant)}/{owner}/{name}"
