"""Reading records: single ones, lists below a prefix, namespaces, versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, islice

from daybook.engines.dynamodb.blobs import read_blobs
from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.keys import Key
from daybook.engines.dynamodb.record_items import (
    Stored,
    current_key,
    decode_record,
    is_over,
    old_prefix,
    order,
    partitions,
    view,
    whole_prefix,
)
from daybook.engines.dynamodb.record_writes import load
from daybook.model.memory_record import MemoryRecord, Namespace
from daybook.model.record_filter import Predicate

__all__ = ["below", "get", "namespaces", "page", "versions"]

_FILTERED_AT_ONCE = 100


def get(
    calls: Calls, tenant: str, places: Sequence[tuple[Namespace, str]], now: datetime
) -> list[MemoryRecord | None]:
    """Return the current record of each place."""
    keys = [current_key(tenant, namespace, key) for namespace, key in places]
    there = {place: one for place, one in load(calls, keys).items() if not is_over(one, now)}
    values = _values(calls, list(there.values()))
    answers: list[MemoryRecord | None] = []
    for key in keys:
        one = there.get(key)
        value = None if one is None else values[one.nonce]
        answers.append(None if one is None or value is None else view(one, value))
    return answers


def below(calls: Calls, tenant: str, prefix: Namespace) -> list[Stored]:
    """Return the current records below a prefix, expired ones too."""
    items = calls.together(
        [
            partial(calls.below, partition, whole_prefix(prefix))
            for partition in partitions(tenant, prefix)
        ]
    )
    found = map(decode_record, chain.from_iterable(items))
    return [one for one in found if one.namespace[: len(prefix)] == prefix]


def page(
    calls: Calls,
    tenant: str,
    prefix: Namespace,
    *,
    matches: Predicate | None,
    limit: int,
    offset: int,
    now: datetime,
) -> list[MemoryRecord]:
    """Return records below a prefix, last updated first; a filter looks at all of them."""
    alive = [one for one in below(calls, tenant, prefix) if not is_over(one, now)]
    alive.sort(key=order)
    if matches is None:
        return _views(calls, alive[offset : offset + limit])
    found = (one for one in _each(calls, alive) if matches(one.value))
    return list(islice(found, offset, offset + limit))


def namespaces(
    calls: Calls, tenant: str, prefix: Namespace, max_depth: int | None, now: datetime
) -> list[Namespace]:
    """Return the distinct namespaces below a prefix, cut and sorted."""
    found = below(calls, tenant, prefix)
    return sorted({one.namespace[:max_depth] for one in found if not is_over(one, now)})


def versions(
    calls: Calls, tenant: str, namespace: Namespace, key: str, limit: int, now: datetime
) -> list[MemoryRecord]:
    """Return the versions of a live key, newest first."""
    place = current_key(tenant, namespace, key)
    current = load(calls, [place]).get(place)
    if current is None or is_over(current, now):
        return []
    older = (one for one in _older(calls, place, current.life) if one.version < current.version)
    return _views(calls, [current, *islice(older, limit - 1)][:limit])


def _older(calls: Calls, place: Key, life: str) -> Iterator[Stored]:
    prefix = old_prefix(place, life)
    items = calls.query(place[0], prefix, prefix + "\U0010ffff", newest_first=True)
    return map(decode_record, items)


def _each(calls: Calls, stored: Sequence[Stored]) -> Iterator[MemoryRecord]:
    for at in range(0, len(stored), _FILTERED_AT_ONCE):
        yield from _views(calls, stored[at : at + _FILTERED_AT_ONCE])


def _views(calls: Calls, stored: Sequence[Stored]) -> list[MemoryRecord]:
    """Return records as callers see them; one whose long value was just removed is left out."""
    values = _values(calls, stored)
    found = ((one, values[one.nonce]) for one in stored)
    return [view(one, value) for one, value in found if value is not None]


def _values(calls: Calls, stored: Sequence[Stored]) -> dict[str, bytes | None]:
    """Return encoded values by nonce; None for a long one that is gone."""
    long = [(one.nonce, one.blob) for one in stored if one.blob is not None]
    values: dict[str, bytes | None] = {one.nonce: one.value for one in stored}
    bodies = read_blobs(calls, [blob for _, blob in long])
    values.update((nonce, body) for (nonce, _), body in zip(long, bodies, strict=True))
    return values
