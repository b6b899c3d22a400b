"""Appending: most batches go to the end of the session's document, in one change.

That change says all it rests on: the session is there and alive, its blocks are as they were when
the batch's ids were looked for in them, its tail has room and holds none of the ids. So nobody can
write between the look and the change, and a crash leaves nothing half done. A batch that does not
fit, or meets a full tail, goes through `locked_append`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure

from daybook.engines.mongodb.blocks import TAIL_BYTES, TAIL_MESSAGES, body_bytes, tail_of
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.driver_errors import is_too_large
from daybook.engines.mongodb.header import (
    alive,
    header_fields,
    is_alive,
    next_incarnation,
    reached,
    real_micros,
)
from daybook.engines.mongodb.keys import session_key
from daybook.engines.mongodb.known_messages import (
    check_batch,
    find_known,
    find_sealed,
    is_consistent,
    new_among,
    result_of,
)
from daybook.engines.mongodb.locked_append import Batch, append_locked, growth
from daybook.engines.mongodb.session_cache import SessionCache, SessionFacts, facts_of
from daybook.engines.mongodb.session_writes import find, place, retire
from daybook.engines.mongodb.transactions import transact
from daybook.errors import ConflictError
from daybook.model.entry import AppendResult, NewEntry
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_rules import fresh_session

__all__ = ["AppendRequest", "append"]


class AppendRequest(Struct, frozen=True):
    """The arguments of `MessageLog.append`, and the time."""

    scope: Scope
    session_id: str
    entries: Sequence[NewEntry]
    new_session: Session | None
    now: int


async def append(
    handles: Handles, request: AppendRequest, cache: SessionCache
) -> AppendResult | None:
    """Append a batch; see `MessageLog.append`."""
    made = request.new_session
    if made is not None:
        made = fresh_session(request.scope, made)
    key = session_key(request.scope.tenant, request.session_id)
    batch = Batch(
        key=key,
        session_id=request.session_id,
        entries=request.entries,
        by_id={entry.id: entry for entry in request.entries},
        now=request.now,
    )
    facts = cache.get(key)
    if facts is not None and _fits(facts, request, batch):
        pushed = await _push(handles, batch, facts, cache)
        if pushed is not None:
            return pushed
        cache.drop(key)
    return await _append_carefully(handles, request, batch, made, cache)


async def _append_carefully(
    handles: Handles,
    request: AppendRequest,
    batch: Batch,
    made: Session | None,
    cache: SessionCache,
) -> AppendResult | None:
    """Append after looking at the session; again if it changed meanwhile."""
    result: AppendResult | None = None
    while result is None:
        header = await find(handles, batch.key, light=False)
        found = reached(header, request.scope, request.session_id, request.now)
        if found is None and made is None:
            return None
        _check_owner(header, request, made)
        check_batch(request.session_id, batch.entries, batch.by_id)
        if found is not None:
            result = await _append_to(handles, batch, found, cache)
        elif made is not None:
            result = await _append_to_new(handles, request.scope.tenant, batch, header, made)
    return result


def _fits(facts: SessionFacts, request: AppendRequest, batch: Batch) -> bool:
    """Tell whether a request may go to the session that is remembered, as it stands."""
    made = request.new_session
    mine = made is None or made.user_id == facts.user_id
    reaches = request.scope.reaches(facts.user_id)
    return mine and reaches and is_consistent(batch.entries, batch.by_id)


def _check_owner(header: Document | None, request: AppendRequest, made: Session | None) -> None:
    if made is None or header is None:
        return
    lives = is_alive(header, request.scope.tenant, request.session_id, request.now)
    if lives and header["u"] != made.user_id:
        raise ConflictError(f"session {made.id!r} is not free: choose another id")


async def _append_to(
    handles: Handles, batch: Batch, header: Document, cache: SessionCache
) -> AppendResult | None:
    """Append to a session as it was read; None if it changed meanwhile."""
    known = await find_known(handles, header, list(batch.by_id))
    fresh = new_among(batch.session_id, batch.by_id, known)
    if not fresh:
        return result_of(batch.entries, known, 0, header["last"], header["u"])
    if not known and header["tn"] < TAIL_MESSAGES and header["tb"] < TAIL_BYTES:
        result = await _push(handles, batch, facts_of(header), cache, looked=True)
        if result is not None:
            return result
    return await transact(
        handles, lambda session: append_locked(handles, batch, header["inc"], session)
    )


async def _push(
    handles: Handles,
    batch: Batch,
    facts: SessionFacts,
    cache: SessionCache,
    *,
    looked: bool = False,
) -> AppendResult | None:
    """Add a batch of new messages to a tail; None if something is not as expected."""
    tail = tail_of(list(batch.by_id.values()))
    size = body_bytes(tail)
    if len(tail) > TAIL_MESSAGES or size > TAIL_BYTES:
        return None
    ids = list(batch.by_id)
    if not looked and await find_sealed(handles, facts, ids):
        return None
    condition = {
        "_id": batch.key,
        **facts.condition(),
        **alive(batch.now),
        "tn": {"$lt": TAIL_MESSAGES},
        "tb": {"$lt": TAIL_BYTES},
        "tail.i": {"$nin": ids},
    }
    condition["u"] = facts.user_id
    grown = growth(tail, batch.now, facts.ttl)
    grown["$inc"] |= {"tn": len(tail), "tb": size}
    grown["$push"] = {"tail": {"$each": tail}}
    grown["$min"] = {"since": real_micros()}
    grown["$addToSet"] = {"due": facts.user_id}
    try:
        last = await _grow(handles, condition, grown, facts)
    except OperationFailure as exc:
        if is_too_large(exc):
            return None
        raise
    if last is None:
        return None
    alone = last == facts.last + len(tail)
    cache.put(batch.key, replace(facts, last=last, alone=alone))
    return result_of(batch.entries, {}, len(tail), last, facts.user_id)


async def _grow(
    handles: Handles, condition: Document, grown: Document, facts: SessionFacts
) -> int | None:
    """Change a session and return its highest number; None if it is not as it should be.

    A change that returns what it made has the server keep a copy of the whole document, in case
    the answer is lost. Who expects a number needs none returned, and is wrong only if another
    process appends, too.
    """
    if facts.alone:
        done = await handles.sessions.update_one({**condition, "last": facts.last}, grown)
        if done.matched_count:
            return facts.last + int(grown["$inc"]["last"])
    found = await handles.sessions.find_one_and_update(
        condition, grown, projection={"last": 1}, return_document=ReturnDocument.AFTER
    )
    return None if found is None else int(found["last"])


async def _append_to_new(
    handles: Handles, tenant: str, batch: Batch, before: Document | None, made: Session
) -> AppendResult | None:
    """Create a session with its first messages; None if someone else was faster."""
    before = await retire(handles, before, batch.now)
    fields = header_fields(tenant, made, incarnation=next_incarnation(before))

    async def both(session: AsyncClientSession) -> AppendResult | None:
        # A transaction that meets a document of its own key runs again, and must then see it.
        if before is None and await handles.sessions.find_one({"_id": batch.key}, session=session):
            return None
        if not await place(handles, batch.key, before, fields, session=session):
            return None
        return await append_locked(handles, batch, fields["inc"], session)

    tail = tail_of(list(batch.by_id.values()))
    size = body_bytes(tail)
    if len(tail) > TAIL_MESSAGES or size > TAIL_BYTES:
        return await transact(handles, both)
    _fill(fields, tail, size, batch.now)
    if not await place(handles, batch.key, before, fields):
        return None
    return result_of(batch.entries, {}, len(tail), fields["last"], made.user_id)


def _fill(fields: Document, tail: list[Document], size: int, now: int) -> None:
    """Put first messages into the fields of a new session."""
    grown = growth(tail, now, fields["ttl"])
    fields.update(grown["$set"], tail=tail, tn=len(tail), tb=size)
    for name, more in grown["$inc"].items():
        outer, _, inner = name.partition(".")
        if inner:
            fields[outer][inner] += more
        else:
            fields[outer] += more
