"""Reading records: plain functions of an open database."""

from __future__ import annotations

from collections.abc import Sequence

from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.keys import version_ids
from daybook.engines.mongodb.record_documents import index_for, live, to_record
from daybook.model.memory_record import MemoryRecord, Namespace
from daybook.model.namespace import decode_namespace
from daybook.model.record_filter import Predicate

__all__ = ["get", "matching", "namespaces", "page", "tenants", "versions"]

_ORDER = {"upd": -1, "ns": 1, "key": 1}


async def get(
    handles: Handles, tenant: str, keys: Sequence[bytes], now: int
) -> list[MemoryRecord | None]:
    """Return the live record of each key, None where there is none."""
    if not keys:
        return []
    wanted = {"_id": {"$in": list(set(keys))}, "t": tenant, **live(now)}
    documents = await handles.records.find(wanted).to_list()
    found = {document["_id"]: document for document in documents}
    return [to_record(found[key]) if key in found else None for key in keys]


async def page(handles: Handles, wanted: Document, limit: int, offset: int) -> list[MemoryRecord]:
    """Return records, last updated first."""
    if not limit:
        return []
    found = handles.records.find(wanted, hint=index_for(wanted))
    found = found.sort(_ORDER).skip(offset).limit(limit)
    return [to_record(document) for document in await found.to_list()]


async def matching(
    handles: Handles, wanted: Document, matches: Predicate, limit: int, offset: int
) -> list[MemoryRecord]:
    """Return records that a filter accepts; all are of one moment, however long reading takes."""
    answer: list[MemoryRecord] = []
    async with handles.moment() as moment:
        found = handles.records.find(wanted, session=moment, hint=index_for(wanted))
        async for document in found.sort(_ORDER):
            if len(answer) >= limit:
                break
            record = to_record(document)
            if not matches(record.value):
                continue
            if offset:
                offset -= 1
            else:
                answer.append(record)
    return answer


async def namespaces(handles: Handles, wanted: Document) -> list[Namespace]:
    """Return the distinct namespaces of records."""
    steps = [{"$match": wanted}, {"$group": {"_id": "$ns"}}]
    cursor = await handles.records.aggregate(steps)
    return [decode_namespace(one["_id"]) for one in await cursor.to_list()]


async def versions(
    handles: Handles, tenant: str, record: bytes, limit: int, now: int
) -> list[MemoryRecord]:
    """Return the versions of a live record, newest first, all of one moment."""
    low, high = version_ids(record)
    async with handles.moment() as moment:
        wanted = {"_id": record, "t": tenant, **live(now)}
        current = await handles.records.find_one(wanted, session=moment)
        if current is None:
            return []
        former = handles.versions.find({"_id": {"$gte": low, "$lte": high}}, session=moment)
        kept = await former.sort("_id", -1).limit(limit).to_list()
    return [to_record(document) for document in (current, *kept)][:limit]


async def tenants(handles: Handles) -> list[str]:
    """Return the tenants that have records, sorted."""
    cursor = await handles.records.aggregate([{"$group": {"_id": "$t"}}])
    return sorted([one["_id"] for one in await cursor.to_list()])
