"""Writing records: versions worked out in memory, then one conditional write or transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from daybook.engines.dynamodb.blobs import Blob, new_blob, write_blob
from daybook.engines.dynamodb.calls import Calls, Item, Write
from daybook.engines.dynamodb.capabilities import MAX_ATOMIC_RECORDS
from daybook.engines.dynamodb.hints import register_tenant
from daybook.engines.dynamodb.keys import Key, new_nonce
from daybook.engines.dynamodb.record_ends import note_ends
from daybook.engines.dynamodb.record_items import (
    Stored,
    current_key,
    decode_record,
    encode_record,
    is_over,
    old_key,
    view,
)
from daybook.engines.dynamodb.trash import (
    Holder,
    discard_blobs,
    forget_blobs,
    note_blobs,
    note_versions,
    trim_versions,
)
from daybook.errors import ConflictError, DaybookError, UnsupportedError
from daybook.model.codec import encode_json
from daybook.model.memory_record import LaterEnd, MemoryRecord, NewRecord

__all__ = ["delete", "extend", "load", "put", "remove", "restore"]

_LONG_VALUE = 30_000  # a hundred of these fit a transaction of 4 MB
_Blobs = list[Blob | None]


class _Written(Struct, frozen=True):
    """What a put makes of what is stored: each version written, and those that stay current."""

    versions: list[Stored]
    current: dict[Key, Stored]

    @property
    def between(self) -> list[Stored]:
        """The versions that are written and replaced within the same call."""
        last = {one.nonce for one in self.current.values()}
        return [one for one in self.versions if one.nonce not in last]


def load(calls: Calls, places: Sequence[Key]) -> dict[Key, Stored]:
    """Return what stands at these places now, expired or not."""
    return {place: decode_record(item) for place, item in calls.get_many(places).items()}


def put(
    calls: Calls, tenant: str, records: Sequence[NewRecord], now: datetime, tenants: set[str]
) -> list[MemoryRecord]:
    """Write records, all or none."""
    if len(records) > MAX_ATOMIC_RECORDS:
        raise UnsupportedError(
            f"dynamodb writes at most {MAX_ATOMIC_RECORDS} records at once, got {len(records)}: "
            "put them in several calls"
        )
    if not records:
        return []
    places = [current_key(tenant, record.namespace, record.key) for record in records]
    register_tenant(calls, tenant, tenants)
    note_ends(calls, [place for place, one in zip(places, records, strict=True) if one.expires_at])
    blobs = _write_values(calls, places, [record.value for record in records])
    fresh = [_fresh(tenant, record, blob, now) for record, blob in zip(records, blobs, strict=True)]
    try:
        versions = _put_versions(calls, fresh, records, now)
    except ConflictError:
        discard_blobs(calls, [blob for blob in blobs if blob is not None])
        raise
    forget_blobs(calls, [blob for blob in blobs if blob is not None])
    return [view(one, record.value) for one, record in zip(versions, records, strict=True)]


def _fresh(tenant: str, record: NewRecord, blob: Blob | None, now: datetime) -> Stored:
    """Return a record as if it were the first version of its key."""
    return Stored(
        nonce=new_nonce(),
        life=new_nonce(),
        tenant=tenant,
        namespace=record.namespace,
        key=record.key,
        version=1,
        created_at=now,
        updated_at=now,
        expires_at=record.expires_at,
        provenance=record.provenance,
        value=record.value if blob is None else b"",
        blob=blob,
    )


def _put_versions(
    calls: Calls, fresh: Sequence[Stored], records: Sequence[NewRecord], now: datetime
) -> list[Stored]:
    """Commit; a commit whose answer was lost is recognised by its nonces."""
    places = [one.place for one in fresh]
    written: _Written | None = None
    for _ in calls.rounds():
        before = load(calls, places)
        if written is not None and _is_there(written, before):
            return written.versions
        written = _plan(fresh, records, before, now)
        if _commit(calls, written, before):
            return written.versions
    raise AssertionError  # the rounds end with an answer or an error


def _is_there(written: _Written, before: dict[Key, Stored]) -> bool:
    return any(
        place in before and before[place].nonce == one.nonce
        for place, one in written.current.items()
    )


def _plan(
    fresh: Sequence[Stored],
    records: Sequence[NewRecord],
    before: dict[Key, Stored],
    now: datetime,
) -> _Written:
    """Number the versions.

    Raises:
        ConflictError: A record's `expected_version` is not the stored one.
    """
    current: dict[Key, Stored] = {}
    versions: list[Stored] = []
    for one, record in zip(fresh, records, strict=True):
        former = current.get(one.place, before.get(one.place))
        if former is not None and is_over(former, now):
            former = None
        number = 0 if former is None else former.version
        if record.expected_version is not None and record.expected_version != number:
            raise ConflictError(
                f"record {record.key!r} has version {number}, not {record.expected_version}: read "
                "it again and decide anew; nothing of this call was stored"
            )
        if former is not None:
            one = replace(  # noqa: PLW2901 - the same version, numbered
                one, version=number + 1, life=former.life, created_at=former.created_at
            )
        current[one.place] = one
        versions.append(one)
    return _Written(versions, current)


def _commit(calls: Calls, written: _Written, before: dict[Key, Stored]) -> bool:
    """Keep what is replaced as old versions, then replace it all at once; False if too late."""
    _keep_old(calls, before.values())
    ended = [one for place, one in before.items() if written.current[place].life != one.life]
    note_versions(calls, ended)
    writes = [_replacement(place, one, before) for place, one in written.current.items()]
    writes += [
        Write(old_key(one.place, one.life, one.version), encode_record(one))
        for one in written.between
    ]
    done = calls.write(writes[0]) if len(writes) == 1 else calls.write_together(writes)
    if done:
        _trim(calls, ended)
    return done


def _replacement(place: Key, after: Stored | None, before: dict[Key, Stored]) -> Write:
    item = None if after is None else encode_record(after)
    if place in before:
        return Write(place, item, "#n = :n", {":n": before[place].nonce})
    return Write(place, item, "attribute_not_exists(#pk)")


def _keep_old(calls: Calls, stored: Iterable[Stored]) -> None:
    """Write current versions as old ones too, before they are replaced. Repeatable."""
    items: list[Item] = []
    for one in stored:
        partition, sort = old_key(one.place, one.life, one.version)
        items.append({"pk": partition, "sk": sort, **encode_record(one)})
    calls.write_many(items)


def _trim(calls: Calls, ended: Sequence[Stored]) -> None:
    """Remove the versions of lives that ended; what fails now is left to the next sweep."""
    try:
        early = calls.early()
        calls.together([partial(trim_versions, early, one.place, one.life) for one in ended])
    except DaybookError as exc:
        calls.postpone(exc)


def extend(calls: Calls, tenant: str, ends: Sequence[LaterEnd], now: datetime) -> int:
    """Let records end later, each by one conditional write; return how many were changed."""
    left = {current_key(tenant, end.namespace, end.key): end for end in ends}
    changed = 0
    for _ in calls.rounds():
        before = load(calls, [*left])
        for place, one in before.items():
            end = left[place]
            if end.prolongs(one.version, one.expires_at, now):
                later = replace(one, nonce=new_nonce(), expires_at=end.expires_at)
                if not calls.write(_replacement(place, later, before)):
                    continue  # it was changed meanwhile: look again
                changed += 1
            del left[place]
        left = {place: end for place, end in left.items() if place in before}
        if not left:
            break
    return changed


def delete(calls: Calls, places: Sequence[Key], now: datetime) -> list[Stored]:
    """Remove keys with all their versions, a hundred at a time; return those that were alive."""
    distinct = list(dict.fromkeys(places))
    alive: list[Stored] = []
    for at in range(0, len(distinct), MAX_ATOMIC_RECORDS):
        removed = _delete_some(calls, distinct[at : at + MAX_ATOMIC_RECORDS])
        alive += [one for one in removed if not is_over(one, now)]
    return alive


def _delete_some(calls: Calls, places: Sequence[Key]) -> list[Stored]:
    for _ in calls.rounds():
        before = load(calls, places)
        there = list(before.values())
        if not there or remove(calls, there):
            return there
    return []


def remove(calls: Calls, stored: Sequence[Stored]) -> bool:
    """Remove current versions, at most a hundred, and all before them; False if one changed."""
    note_versions(calls, stored)
    _keep_old(calls, [one for one in stored if one.blob is not None])
    before = {one.place: one for one in stored}
    writes = [_replacement(place, None, before) for place in before]
    done = calls.write(writes[0]) if len(writes) == 1 else calls.write_together(writes)
    if done:
        _trim(calls, stored)
    return done


def restore(calls: Calls, tenant: str, history: Sequence[MemoryRecord], tenants: set[str]) -> None:
    """Write one key with all its versions, in place of what it had."""
    last = history[-1]
    place = current_key(tenant, last.namespace, last.key)
    register_tenant(calls, tenant, tenants)
    if last.expires_at is not None:
        note_ends(calls, [place])
    values = [encode_json(one.value) for one in history]
    blobs = _write_values(calls, [place] * len(history), values)
    life = new_nonce()
    versions = [
        Stored(
            nonce=new_nonce(),
            life=life,
            tenant=tenant,
            namespace=one.namespace,
            key=one.key,
            version=one.version,
            created_at=one.created_at,
            updated_at=one.updated_at,
            expires_at=one.expires_at,
            provenance=one.provenance,
            value=value if blob is None else b"",
            blob=blob,
        )
        for one, value, blob in zip(history, values, blobs, strict=True)
    ]
    note_versions(calls, versions[-1:])
    _keep_old(calls, versions[:-1])
    written = _Written(versions[-1:], {place: versions[-1]})
    for _ in calls.rounds():
        before = load(calls, [place])
        if _is_there(written, before) or _commit(calls, written, before):
            break
    forget_blobs(calls, [blob for blob in blobs if blob is not None])


def _write_values(calls: Calls, places: Sequence[Key], values: Sequence[bytes]) -> _Blobs:
    """Write long values beside the records; return where each is."""
    blobs: _Blobs = [new_blob(value) if len(value) > _LONG_VALUE else None for value in values]
    long = [
        (blob, place, value)
        for blob, place, value in zip(blobs, places, values, strict=True)
        if blob is not None
    ]
    note_blobs(calls, [(blob, Holder("record", *place)) for blob, place, _ in long])
    for blob, _, value in long:
        write_blob(calls, blob, value)
    return blobs
