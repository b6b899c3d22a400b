"""Creating, changing, clearing and removing sessions: one conditional change of one document each.

A change is conditional on the incarnation that was read, so it never meets a session that was made
anew meanwhile; one that misses is decided again from what is there now.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from daybook.enginekit.times import to_micros
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.header import (
    LIGHT,
    alive,
    clearing,
    going,
    header_fields,
    is_alive,
    is_gone,
    next_incarnation,
    reached,
    real_micros,
    to_session,
    ttl_micros,
)
from daybook.engines.mongodb.keys import session_key
from daybook.engines.mongodb.trim import trim
from daybook.errors import ConflictError
from daybook.model.scope import Scope
from daybook.model.session import Session, SessionChanges
from daybook.model.session_codec import encode_session
from daybook.model.session_rules import changed_session, fresh_session

__all__ = ["clear", "create", "delete", "find", "find_live", "place", "retire", "taken", "update"]


async def find(handles: Handles, key: bytes, *, light: bool = True) -> Document | None:
    """Return what stands under a session's key: alive, expired or gone; None for nothing."""
    found: Document | None = await handles.sessions.find_one({"_id": key}, LIGHT if light else None)
    return found


async def find_live(handles: Handles, scope: Scope, session_id: str, now: int) -> Document | None:
    """Return a session without its tail, None if it is missing."""
    header = await find(handles, session_key(scope.tenant, session_id))
    return reached(header, scope, session_id, now)


def taken(session_id: str) -> ConflictError:
    """Return the error of a session id that is in use."""
    return ConflictError(
        f"session {session_id!r} already exists: choose another id, or leave the id out to get a "
        "fresh one"
    )


async def create(handles: Handles, scope: Scope, session: Session, now: int) -> Session:
    """Store a new session; one that has expired makes room."""
    made = fresh_session(scope, session)
    key = session_key(scope.tenant, session.id)
    while True:
        before = await find(handles, key)
        if is_alive(before, scope.tenant, session.id, now):
            raise taken(session.id)
        before = await retire(handles, before, now)
        number = next_incarnation(before)
        fields = header_fields(scope.tenant, made, incarnation=number)
        if await place(handles, key, before, fields):
            return to_session(fields)


async def retire(handles: Handles, before: Document | None, now: int) -> Document | None:
    """Remove a session that has expired, with its messages; return what is left of it."""
    if before is None or is_gone(before):
        return before
    await handles.sessions.update_one(
        {"_id": before["_id"], "inc": before["inc"], "exp": {"$lte": now}}, going()
    )
    await trim(handles, before["_id"])
    return await find(handles, before["_id"])


async def place(
    handles: Handles,
    key: bytes,
    before: Document | None,
    fields: Document,
    *,
    session: AsyncClientSession | None = None,
) -> bool:
    """Put a new session where there is none; tell whether nobody else was faster.

    Args:
        handles: Where.
        key: The session's key.
        before: What stood there when it was read: nothing, or what a gone session left.
        fields: The new session; with `ch` above 0 it is marked as changed.
        session: The transaction this is part of.
    """
    marked = {"due": [fields["u"]], "since": real_micros()} if fields["ch"] else {}
    if before is None:
        try:
            await handles.sessions.insert_one({"_id": key, **fields, **marked}, session=session)
        except DuplicateKeyError:
            if session is not None:
                raise
            return False
        return True
    changes: Document = {"$set": fields, "$unset": {"drop": ""}}
    if marked:
        changes["$addToSet"] = {"due": fields["u"]}
        changes["$min"] = {"since": marked["since"]}
    condition = {"_id": key, "inc": before["inc"], "u": {"$exists": False}}
    done = await handles.sessions.update_one(condition, changes, session=session)
    return bool(done.matched_count)


async def update(
    handles: Handles, scope: Scope, session_id: str, changes: SessionChanges, now: datetime
) -> Session | None:
    """Set what `changes` names, from what is stored; again if that changed meanwhile."""
    micros = to_micros(now)
    while True:
        found = await find_live(handles, scope, session_id, micros)
        if found is None:
            return None
        session = changed_session(to_session(found), changes, now)
        done = await handles.sessions.find_one_and_update(
            {"_id": found["_id"], "inc": found["inc"], "rev": found["rev"], **alive(micros)},
            {"$set": _named(session, changes), "$inc": {"rev": 1}},
            projection=LIGHT,
            return_document=ReturnDocument.AFTER,
        )
        if done is not None:
            return to_session(done)


def _named(session: Session, changes: SessionChanges) -> Document:
    """Return only the fields that were named: an append may be changing the others."""
    fields: dict[str, Any] = {"b": encode_session(session)}
    if changes.ttl is not ...:
        fields["ttl"] = ttl_micros(session)
    if changes.last_active_at is not ...:
        fields["act"] = to_micros(session.last_active_at)
    if any(one is not ... for one in (changes.ttl, changes.last_active_at, changes.expires_at)):
        end = session.expires_at
        fields["exp"] = None if end is None else to_micros(end)
    return fields


async def delete(handles: Handles, scope: Scope, session_id: str, now: int) -> bool:
    """Remove a session; tell whether it was there and alive."""
    key = session_key(scope.tenant, session_id)
    while True:
        header = await find(handles, key)
        if header is None:
            return False
        if is_gone(header):
            await trim(handles, key)  # what a call before left undone
            return False
        if not scope.reaches(header["u"]):
            return False
        before = await handles.sessions.find_one_and_update(
            {"_id": key, "inc": header["inc"], "u": header["u"]}, going(), projection=LIGHT
        )
        if before is not None:
            await trim(handles, key)
            return is_alive(before, scope.tenant, session_id, now)


async def clear(handles: Handles, scope: Scope, session_id: str, now: int) -> int:
    """Take a session's messages away; return how many there were."""
    key = session_key(scope.tenant, session_id)
    while True:
        found = await find_live(handles, scope, session_id, now)
        if found is None or not found["cnt"]:
            return 0
        before = await handles.sessions.find_one_and_update(
            {"_id": key, "inc": found["inc"], "cnt": {"$gt": 0}, **alive(now)},
            clearing(),
            projection=LIGHT,
        )
        if before is not None:
            await trim(handles, key)
            return int(before["cnt"])
