"""Writing records: transactions over current and former versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from daybook.enginekit.times import to_micros
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.keys import version_ids
from daybook.engines.mongodb.record_documents import (
    as_former,
    is_live,
    key_of,
    next_document,
    restored_document,
)
from daybook.engines.mongodb.schema import EARLIEST
from daybook.engines.mongodb.transactions import transact
from daybook.model.memory_record import LaterEnd, MemoryRecord, NewRecord

__all__ = ["delete", "delete_some", "extend", "put", "restore", "sweep_some"]

T = TypeVar("T")

_AT_ONCE = 500  # keys removed in one transaction
_PLACE = {"exp": 1, "t": 1, "ns": 1, "key": 1}


async def put(
    handles: Handles, tenant: str, records: Sequence[NewRecord], now: int
) -> list[Document]:
    """Write records, all or none, and return their documents."""
    if not records:
        return []
    if len(records) == 1 and records[0].expected_version in (None, 0):
        made = next_document(tenant, records[0], None, now)
        try:
            await handles.records.insert_one(made)
        except DuplicateKeyError:
            pass  # the key is there: it takes a transaction
        else:
            return [made]
    return await transact(handles, lambda session: _put(handles, tenant, records, now, session))


async def _put(
    handles: Handles,
    tenant: str,
    records: Sequence[NewRecord],
    now: int,
    session: AsyncClientSession,
) -> list[Document]:
    stored = await _current(handles, {key_of(tenant, r.namespace, r.key) for r in records}, session)
    dead = [key for key, document in stored.items() if not is_live(document, now)]
    latest = {key: document for key, document in stored.items() if key not in dead}
    written: list[Document] = []
    former: list[Document] = []
    for record in records:
        key = key_of(tenant, record.namespace, record.key)
        before = latest.get(key)
        before = before if is_live(before, now) else None
        made = next_document(tenant, record, before, now)
        if before is not None:
            former.append(as_former(before))
        latest[key] = made
        written.append(made)
    if dead:
        await _forget_former(handles, dead, session)
    if former:
        await handles.versions.insert_many(former, session=session)
    changes = [
        ReplaceOne({"_id": key}, made) if key in stored else InsertOne(made)
        for key, made in latest.items()
    ]
    await handles.records.bulk_write(changes, session=session)
    return written


async def _current(
    handles: Handles, keys: set[bytes], session: AsyncClientSession
) -> dict[bytes, Document]:
    found = handles.records.find({"_id": {"$in": list(keys)}}, session=session)
    return {document["_id"]: document for document in await found.to_list()}


async def _forget_former(
    handles: Handles, keys: Sequence[bytes], session: AsyncClientSession
) -> None:
    ranges = [version_ids(key) for key in keys]
    wanted = [{"_id": {"$gte": low, "$lte": high}} for low, high in ranges]
    await handles.versions.delete_many({"$or": wanted}, session=session)


async def extend(handles: Handles, tenant: str, ends: Sequence[LaterEnd], now: int) -> int:
    """Let records end later, each by one conditional write; return how many were changed."""
    if not ends:
        return 0
    changes = []
    for end in ends:
        later = to_micros(end.expires_at)
        named = {"_id": key_of(tenant, end.namespace, end.key), "ver": end.version}
        ending = {"exp": {"$gt": now, "$lt": later}}
        changes.append(UpdateOne({**named, **ending}, {"$set": {"exp": later}}))
    return (await handles.records.bulk_write(changes, ordered=False)).modified_count


async def delete(handles: Handles, keys: Sequence[bytes], now: int) -> int:
    """Remove keys with all versions in one transaction; return how many were alive."""
    if not keys:
        return 0
    return len(await _delete_where(handles, {"_id": {"$in": list(keys)}}, now))


async def delete_some(handles: Handles, condition: Document, now: int) -> int | None:
    """Remove some keys; return how many were alive, None if there was none of any kind."""
    cursor = handles.records.find(condition, {"_id": 1}).limit(_AT_ONCE)
    keys = [document["_id"] for document in await cursor.to_list()]
    if not keys:
        return None
    return len(await _delete_where(handles, {"_id": {"$in": keys}}, now))


async def sweep_some(handles: Handles, now: int) -> list[Document]:
    """Remove some keys that have expired; return what they were."""
    expired = {"exp": {"$gt": EARLIEST, "$lte": now}}
    cursor = handles.records.find(expired, {"_id": 1}).limit(_AT_ONCE)
    keys = [document["_id"] for document in await cursor.to_list()]
    if not keys:
        return []
    return await _delete_where(handles, {"_id": {"$in": keys}, **expired}, EARLIEST)


async def _delete_where(handles: Handles, condition: Document, now: int) -> list[Document]:
    """Remove records with their versions; return those that were alive at `now`."""

    async def body(session: AsyncClientSession) -> list[Document]:
        cursor = handles.records.find(condition, _PLACE, session=session)
        found = await cursor.to_list()
        keys = [document["_id"] for document in found]
        if keys:
            await handles.records.delete_many({"_id": {"$in": keys}}, session=session)
            await _forget_former(handles, keys, session)
        return [document for document in found if is_live(document, now)]

    return await transact(handles, body)


async def restore(handles: Handles, tenant: str, history: Sequence[MemoryRecord]) -> None:
    """Write one key with all its versions, in place of what it had, in one transaction."""
    *former, current = [restored_document(tenant, record) for record in history]
    key = current["_id"]

    async def body(session: AsyncClientSession) -> None:
        await handles.records.replace_one({"_id": key}, current, upsert=True, session=session)
        await _forget_former(handles, [key], session)
        if former:
            kept = [as_former(document) for document in former]
            await handles.versions.insert_many(kept, session=session)

    await transact(handles, body)
