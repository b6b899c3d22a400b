"""Transactions and queries over records: plain functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.errors import ConflictError
from daybook.model.codec import decode_json, encode_json
from daybook.model.memory_record import (
    LaterEnd,
    MemoryRecord,
    Namespace,
    NewRecord,
    Provenance,
)
from daybook.model.namespace import decode_namespace, encode_namespace, prefix_range
from daybook.model.record_filter import Predicate

__all__ = [
    "delete",
    "delete_namespace",
    "extend",
    "get",
    "namespaces",
    "page",
    "put",
    "restore",
    "sweep",
    "tenants",
    "versions",
]

_COLUMNS = "namespace, key, version, created_at, updated_at, expires_at, provenance, value"
_ALL = f"tenant, {_COLUMNS}"
_AT = "tenant = ? AND namespace = ? AND key = ?"
_ALIVE = "(expires_at IS NULL OR expires_at > ?)"
_BELOW = "tenant = ? AND namespace >= ? AND namespace < ?"
_FIND = f"SELECT version, created_at, expires_at FROM records WHERE {_AT}"
_KEEP = f"INSERT INTO record_versions ({_ALL}) SELECT {_ALL} FROM records WHERE {_AT}"
_EXTEND = (
    f"UPDATE records SET expires_at = ? WHERE {_AT} AND version = ? "
    "AND expires_at > ? AND expires_at < ?"
)
_WRITE = f"INSERT OR REPLACE INTO records ({_ALL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

_provenance_decoder = msgspec.json.Decoder(Provenance)
_NO_PROVENANCE = Provenance()


def put(
    connection: sqlite3.Connection, *, tenant: str, records: Sequence[NewRecord], now: int
) -> list[MemoryRecord]:
    """Write records; the version that was current moves to the versions kept."""
    return [_put_one(connection, tenant, record, now) for record in records]


def _put_one(
    connection: sqlite3.Connection, tenant: str, record: NewRecord, now: int
) -> MemoryRecord:
    at = (tenant, encode_namespace(record.namespace), record.key)
    found = connection.execute(_FIND, at).fetchone()
    version, created_at = 0, now
    if found is not None:
        if found[2] is not None and found[2] <= now:
            _remove(connection, at)
        else:
            version, created_at = found[0], found[1]
    if record.expected_version is not None and record.expected_version != version:
        raise ConflictError(
            f"record {record.key} has version {version}, not {record.expected_version}: read it "
            "again and decide anew; nothing of this call was stored"
        )
    if version:
        connection.execute(_KEEP, at)
    expires_at = None if record.expires_at is None else to_micros(record.expires_at)
    provenance = _provenance_column(record.provenance)
    columns = (version + 1, created_at, now, expires_at, provenance, record.value)
    connection.execute(_WRITE, (*at, *columns))
    return _to_record((at[1], record.key, *columns))


def get(
    connection: sqlite3.Connection,
    *,
    tenant: str,
    places: Sequence[tuple[Namespace, str]],
    now: int,
) -> list[MemoryRecord | None]:
    """Return the current record of each place, None where there is none."""
    query = f"SELECT {_COLUMNS} FROM records WHERE {_AT} AND {_ALIVE}"
    answer: list[MemoryRecord | None] = []
    for namespace, key in places:
        names = (tenant, encode_namespace(namespace), key, now)
        found = connection.execute(query, names).fetchone()
        answer.append(_to_record(found) if found else None)
    return answer


def extend(
    connection: sqlite3.Connection, *, tenant: str, ends: Sequence[LaterEnd], now: int
) -> int:
    """Let records end later; return how many were changed."""
    changed = 0
    for end in ends:
        at = (tenant, encode_namespace(end.namespace), end.key)
        later = to_micros(end.expires_at)
        changed += connection.execute(_EXTEND, (later, *at, end.version, now, later)).rowcount
    return changed


def delete(
    connection: sqlite3.Connection,
    *,
    tenant: str,
    places: Sequence[tuple[Namespace, str]],
    now: int,
) -> int:
    """Remove keys with their versions; return how many were alive."""
    alive = 0
    for namespace, key in places:
        at = (tenant, encode_namespace(namespace), key)
        found = connection.execute(_FIND, at).fetchone()
        if found is not None:
            alive += found[2] is None or found[2] > now
            _remove(connection, at)
    return alive


def delete_namespace(
    connection: sqlite3.Connection, *, tenant: str, prefix: Namespace, now: int
) -> int:
    """Remove everything below a prefix; return how many keys were alive."""
    names = (tenant, *prefix_range(prefix))
    (alive,) = connection.execute(
        f"SELECT count(*) FROM records WHERE {_BELOW} AND {_ALIVE}",
        (*names, now),
    ).fetchone()
    connection.execute(f"DELETE FROM records WHERE {_BELOW}", names)
    connection.execute(
        f"DELETE FROM record_versions WHERE {_BELOW}",
        names,
    )
    return int(alive)


def page(
    connection: sqlite3.Connection,
    *,
    tenant: str,
    prefix: Namespace,
    matches: Predicate | None,
    limit: int,
    offset: int,
    now: int,
) -> list[MemoryRecord]:
    """Return records below a prefix, last updated first; a filter is applied while reading."""
    query = (
        f"SELECT {_COLUMNS} FROM records WHERE {_BELOW} AND {_ALIVE} "
        "ORDER BY updated_at DESC, namespace, key LIMIT ? OFFSET ?"
    )
    names = (tenant, *prefix_range(prefix), now)
    if matches is None:
        return [_to_record(found) for found in connection.execute(query, (*names, limit, offset))]
    answer: list[MemoryRecord] = []
    for record in _stream(connection, query, (*names, -1, 0)):
        if len(answer) >= limit:
            break
        if matches(record.value):
            if offset:
                offset -= 1
            else:
                answer.append(record)
    return answer


def _stream(
    connection: sqlite3.Connection, query: str, names: tuple[Any, ...]
) -> Iterator[MemoryRecord]:
    found = connection.execute(query, names)
    try:
        yield from map(_to_record, found)
    finally:
        found.close()


def namespaces(
    connection: sqlite3.Connection, tenant: str, prefix: Namespace, now: int
) -> list[Namespace]:
    """Return the distinct namespaces below a prefix that hold a live record."""
    found = connection.execute(
        f"SELECT DISTINCT namespace FROM records WHERE {_BELOW} AND {_ALIVE}",
        (tenant, *prefix_range(prefix), now),
    )
    return [decode_namespace(text) for (text,) in found]


def versions(
    connection: sqlite3.Connection,
    *,
    tenant: str,
    namespace: Namespace,
    key: str,
    limit: int,
    now: int,
) -> list[MemoryRecord]:
    """Return the versions of a live key, newest first."""
    at = (tenant, encode_namespace(namespace), key)
    current = get(connection, tenant=tenant, places=[(namespace, key)], now=now)[0]
    if current is None:
        return []
    older = connection.execute(
        f"SELECT {_COLUMNS} FROM record_versions WHERE {_AT} ORDER BY version DESC LIMIT ?",
        (*at, limit - 1),
    )
    return [current, *map(_to_record, older)][:limit]


def restore(
    connection: sqlite3.Connection, *, tenant: str, histories: Sequence[Sequence[MemoryRecord]]
) -> None:
    """Write keys with all their versions as they were elsewhere."""
    for history in histories:
        for record in history:
            at = (tenant, encode_namespace(record.namespace), record.key)
            if record is history[0]:
                _remove(connection, at)
            else:
                connection.execute(_KEEP, at)
            columns = (
                record.version,
                to_micros(record.created_at),
                to_micros(record.updated_at),
                None if record.expires_at is None else to_micros(record.expires_at),
                _provenance_column(record.provenance),
                encode_json(record.value),
            )
            connection.execute(_WRITE, (*at, *columns))


def tenants(connection: sqlite3.Connection) -> list[str]:
    """Return the tenants that have records, sorted."""
    found = connection.execute("SELECT DISTINCT tenant FROM records ORDER BY tenant")
    return [tenant for (tenant,) in found]


def sweep(connection: sqlite3.Connection, *, now: int) -> list[tuple[str, Namespace, str]]:
    """Remove every expired record; return what was removed."""
    expired = connection.execute(
        "SELECT tenant, namespace, key FROM records WHERE expires_at <= ?", (now,)
    ).fetchall()
    for at in expired:
        _remove(connection, at)
    return [(tenant, decode_namespace(text), key) for tenant, text, key in expired]


def _provenance_column(provenance: Provenance) -> bytes | None:
    return None if provenance == _NO_PROVENANCE else msgspec.json.encode(provenance)


def _remove(connection: sqlite3.Connection, at: tuple[str, str, str]) -> None:
    connection.execute(f"DELETE FROM records WHERE {_AT}", at)
    connection.execute(f"DELETE FROM record_versions WHERE {_AT}", at)


def _to_record(columns: tuple[Any, ...]) -> MemoryRecord:
    namespace, key, version, created, updated, expires, provenance, value = columns
    return MemoryRecord(
        namespace=decode_namespace(namespace),
        key=key,
        value=decode_json(value),
        version=version,
        created_at=moment(created),
        updated_at=moment(updated),
        expires_at=moment_or_none(expires),
        provenance=_provenance_decoder.decode(provenance) if provenance else _NO_PROVENANCE,
    )
