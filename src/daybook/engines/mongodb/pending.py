"""Which sessions changed since an index followed them."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ASCENDING, UpdateOne

from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.header import MARK_SPAN, mark_of
from daybook.engines.mongodb.keys import session_key
from daybook.model.scope import Scope
from daybook.protocols.message_log import PendingSession

__all__ = ["forget_gone", "pending", "settle"]

_FIELDS = {"t": 1, "n": 1, "u": 1, "inc": 1, "ch": 1, "due": 1, "left": 1}
_BATCH = 500

# Nothing is due: the mark goes. What a gone session left goes a day after its last duty was done.
_IDLE = {
    "$and": [
        {"$eq": [{"$type": "$u"}, "missing"]},
        {"$eq": [{"$ifNull": ["$trim", []]}, []]},
    ]
}
_TOMORROW = {"$dateAdd": {"startDate": "$$NOW", "unit": "day", "amount": 1}}
_DONE: list[Document] = [
    {"$set": {"drop": {"$cond": [_IDLE, {"$ifNull": ["$drop", _TOMORROW]}, "$$REMOVE"]}}},
    {"$unset": "since"},
]


async def pending(
    handles: Handles, *, limit: int, scope: Scope | None = None
) -> list[PendingSession]:
    """Return noted changes, oldest first."""
    wanted: Document = {"since": {"$exists": True}}
    if scope is not None:
        wanted["t"] = scope.tenant
    if scope is not None and scope.user_id is not None:
        wanted["due"] = scope.user_id
    cursor = handles.sessions.find(wanted, _FIELDS).sort("since", ASCENDING).limit(limit)
    found = [
        PendingSession(header["t"], user_id, header["n"], mark_of(header, user_id))
        for header in await cursor.to_list()
        for user_id in header["due"]
        if scope is None or scope.reaches(user_id)
    ]
    return found[:limit]


async def settle(handles: Handles, settled: Sequence[PendingSession]) -> None:
    """Forget changes that nothing newer has replaced."""
    for start in range(0, len(settled), _BATCH):
        part = settled[start : start + _BATCH]
        steps = [step for one in part for step in _steps(one)]
        await handles.sessions.bulk_write(steps, ordered=True)


def _steps(one: PendingSession) -> list[UpdateOne]:
    key = session_key(one.tenant, one.session_id)
    inc, changes = divmod(one.mark, MARK_SPAN)
    forget: Document = {"$pull": {"due": one.user_id, "left": {"u": one.user_id}}}
    mine = {"_id": key, "t": one.tenant, "u": one.user_id, "inc": inc, "ch": changes}
    former: Document = {
        "_id": key,
        "t": one.tenant,
        "u": {"$ne": one.user_id},
        "$and": [
            {"left": {"$elemMatch": {"u": one.user_id, "m": one.mark}}},
            {"left": {"$not": {"$elemMatch": {"u": one.user_id, "m": {"$gt": one.mark}}}}},
        ],
    }
    return [UpdateOne(mine, forget), UpdateOne(former, forget), _finish(key)]


def _finish(key: bytes) -> UpdateOne:
    return UpdateOne({"_id": key, "due": {"$size": 0}}, _DONE)


async def forget_gone(handles: Handles, keys: Sequence[bytes]) -> None:
    """Let go of documents that have no duty left."""
    await handles.sessions.bulk_write([_finish(key) for key in keys], ordered=False)
