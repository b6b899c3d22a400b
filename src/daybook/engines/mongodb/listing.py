"""Finding sessions: pages, counts, tenants, and what has expired."""

from __future__ import annotations

from typing import Any

from pymongo import UpdateOne

from daybook.enginekit.times import moment
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.header import LIGHT, going, to_session
from daybook.engines.mongodb.keys import session_key
from daybook.engines.mongodb.schema import EARLIEST
from daybook.engines.mongodb.trim import trim
from daybook.model.message import ROLES
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionStats
from daybook.model.session_codec import encode_cursor

__all__ = ["page", "stats", "sweep_some", "tenants"]

_SWEPT_AT_ONCE = 200
_LARGEST = (1 << 63) - 1

Start = tuple[int, str] | None


def _in_scope(scope: Scope, now: int) -> Document:
    return {
        "t": scope.tenant,
        "u": {"$exists": True} if scope.user_id is None else scope.user_id,
        "$or": [{"exp": None}, {"exp": {"$gt": now}}],
    }


async def page(
    handles: Handles, scope: Scope, *, limit: int, start: Start, now: int
) -> Page[Session]:
    """Return one page of live sessions, most recently active first."""
    wanted = _in_scope(scope, now)
    if start is not None:
        active, name = max(-_LARGEST, min(start[0], _LARGEST)), start[1]
        after = [{"act": {"$lt": active}}, {"act": active, "n": {"$gt": name}}]
        wanted = {"$and": [wanted, {"$or": after}]}
    light: Document = {"$project": LIGHT}
    first: list[Document] = [{"$sort": {"act": -1, "n": 1}}, {"$limit": limit + 1}]
    # A user's sessions are sorted by an index, which serves only what nothing stands before. All
    # of a tenant's have to be sorted, and without their messages they take less memory.
    steps = [light, *first] if scope.user_id is None else [*first, light]
    cursor = await handles.sessions.aggregate([{"$match": wanted}, *steps])
    items = [to_session(header) for header in await cursor.to_list()]
    more = encode_cursor(items[limit - 1]) if len(items) > limit else None
    return Page(items[:limit], more)


async def stats(
    handles: Handles, scope: Scope, session_id: str | None, now: int
) -> SessionStats | None:
    """Return counts over one session, None if it is missing, or over all of a scope."""
    wanted = _in_scope(scope, now)
    if session_id is not None:
        wanted["_id"] = session_key(scope.tenant, session_id)
    sums: dict[str, Any] = {
        f"r{number}": {"$sum": f"$roles.{number}"} for number in range(len(ROLES))
    }
    group = {
        "_id": None,
        "sessions": {"$sum": 1},
        "messages": {"$sum": "$cnt"},
        "tokens": {"$sum": "$tok"},
        "first": {"$min": "$cre"},
        "last": {"$max": "$act"},
        **sums,
    }
    cursor = await handles.sessions.aggregate([{"$match": wanted}, {"$group": group}])
    found = await cursor.to_list()
    if found:
        return _to_stats(found[0])
    return _to_stats(None) if session_id is None else None


def _to_stats(sums: Document | None) -> SessionStats:
    if sums is None:
        return SessionStats(
            session_count=0, message_count=0, turn_count=0, token_count=0, messages_by_role={}
        )
    by_role = {role: sums[f"r{number}"] for number, role in enumerate(ROLES)}
    return SessionStats(
        session_count=sums["sessions"],
        message_count=sums["messages"],
        turn_count=by_role["user"],
        token_count=sums["tokens"],
        messages_by_role={str(role): count for role, count in by_role.items() if count},
        first_at=moment(sums["first"]),
        last_at=moment(sums["last"]),
    )


async def tenants(handles: Handles) -> list[str]:
    """Return the tenants that have sessions, sorted."""
    steps: list[Document] = [{"$match": {"u": {"$exists": True}}}, {"$group": {"_id": "$t"}}]
    cursor = await handles.sessions.aggregate(steps)
    return sorted([one["_id"] for one in await cursor.to_list()])


async def sweep_some(handles: Handles, now: int) -> int | None:
    """Remove some sessions that have expired; return how many, None if there was none."""
    expired = {"exp": {"$gt": EARLIEST, "$lte": now}}
    cursor = handles.sessions.find(expired, {"_id": 1}).limit(_SWEPT_AT_ONCE)
    keys = [header["_id"] for header in await cursor.to_list()]
    if not keys:
        await _trim_leftovers(handles)
        return None
    steps = [UpdateOne({"_id": key, **expired}, going()) for key in keys]
    done = await handles.sessions.bulk_write(steps, ordered=False)
    for key in keys:
        await trim(handles, key)
    return done.modified_count


async def _trim_leftovers(handles: Handles) -> None:
    """Finish what calls that were cut off left undone."""
    left = {"trim": {"$gt": b""}}
    cursor = handles.sessions.find(left, {"_id": 1}).limit(_SWEPT_AT_ONCE)
    for header in await cursor.to_list():
        await trim(handles, header["_id"])
