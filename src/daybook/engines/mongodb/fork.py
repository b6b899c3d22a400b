"""Forking: the parent's tail becomes a block, the child refers to the parent's streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from daybook.engines.mongodb.blocks import block_range, blocks_of, greatest_id
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.header import (
    LIGHT,
    alive,
    going,
    header_fields,
    is_alive,
    is_gone,
    next_incarnation,
    reached,
    segments_of,
    to_session,
)
from daybook.engines.mongodb.keys import session_key
from daybook.engines.mongodb.session_writes import place, taken
from daybook.engines.mongodb.transactions import transact
from daybook.engines.mongodb.trim import trim
from daybook.model.lineage import inherited_segments, windows
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_rules import check_fork, forked_session

__all__ = ["ForkRequest", "fork"]

_COUNTED = {"s": 1, "l": 1, "r": 1, "n": 1}


class ForkRequest(Struct, frozen=True):
    """The arguments of `MessageLog.fork_session`, and the time."""

    scope: Scope
    session_id: str
    child: Session
    at: int | None
    now: int


class _Share(Struct, frozen=True):
    """What a fork takes over: messages, their tokens, and how many of each role."""

    messages: int
    tokens: int
    roles: dict[str, int]


async def fork(handles: Handles, request: ForkRequest) -> Session | None:
    """Make a fork; see `MessageLog.fork_session`."""
    made = await transact(handles, lambda session: _fork(handles, request, session))
    if made is not None:
        await trim(handles, session_key(request.scope.tenant, request.child.id))
    return made


async def _fork(
    handles: Handles, request: ForkRequest, session: AsyncClientSession
) -> Session | None:
    parent = await _hold(handles, request, session)
    if parent is None:
        return None
    described = to_session(parent)
    at = check_fork(request.scope, described, request.child, request.at)
    parent = await _seal(handles, parent, session)
    share = await _share(handles, parent, at, session)
    made = forked_session(
        request.scope, described, request.child, at, messages=share.messages, tokens=share.tokens
    )
    key, before = await _make_room(handles, request, session)
    number = next_incarnation(before)
    fields = header_fields(request.scope.tenant, made, incarnation=number)
    inherited = inherited_segments(segments_of(parent), parent["k"], at, first_seq=parent["first"])
    fields["seg"] = [{"k": one.stream, "l": one.last_seq} for one in inherited]
    fields["ref"] += [one.stream for one in inherited]
    fields["top"] = parent["top"]
    fields["roles"] = share.roles
    fields["ch"] = 1
    await place(handles, key, before, fields, session=session)
    return made


async def _hold(
    handles: Handles, request: ForkRequest, session: AsyncClientSession
) -> Document | None:
    """Return the parent; until the transaction ends nobody can clear or remove it."""
    scope = request.scope
    condition = {"_id": session_key(scope.tenant, request.session_id), **alive(request.now)}
    if scope.user_id is not None:
        condition["u"] = scope.user_id
    parent = await handles.sessions.find_one_and_update(
        condition, {"$inc": {"rev": 1}}, return_document=ReturnDocument.AFTER, session=session
    )
    return reached(parent, scope, request.session_id, request.now)


async def _seal(handles: Handles, parent: Document, session: AsyncClientSession) -> Document:
    """Move the parent's tail to blocks, which a fork can refer to."""
    tail: Sequence[Document] = parent["tail"]
    if not tail:
        return parent
    blocks = blocks_of(parent["k"], parent["base"] + 1, tail)
    await handles.blocks.insert_many(blocks, session=session)
    top = greatest_id(parent["top"], tail)
    sealed = {"base": parent["last"], "top": top, "tail": [], "tn": 0, "tb": 0}
    await handles.sessions.update_one({"_id": parent["_id"]}, {"$set": sealed}, session=session)
    return {**parent, **sealed}


async def _share(
    handles: Handles, parent: Document, at: int, session: AsyncClientSession
) -> _Share:
    """Count what a fork takes over: the parent's counts less what comes after `at`."""
    tokens = parent["tok"]
    roles: Counter[str] = Counter(parent["roles"])
    after = windows(segments_of(parent), parent["k"], after=at, before=parent["last"] + 1)
    for window in after:
        found = handles.blocks.find(block_range(window), _COUNTED, session=session)
        async for block in found:
            start = max(window.after + 1, block["s"]) - block["s"]
            end = min(window.before - 1, block["l"]) - block["s"] + 1
            tokens -= sum(block["n"][start:end])
            roles.subtract(map(str, block["r"][start:end]))
    return _Share(max(0, at + 1 - parent["first"]), tokens, dict(roles))


async def _make_room(
    handles: Handles, request: ForkRequest, session: AsyncClientSession
) -> tuple[bytes, Document | None]:
    """Return the child's key and what a former session left there; an expired one goes.

    Raises:
        ConflictError: A live session has the id.
    """
    key = session_key(request.scope.tenant, request.child.id)
    before = await handles.sessions.find_one({"_id": key}, LIGHT, session=session)
    if is_alive(before, request.scope.tenant, request.child.id, request.now):
        raise taken(request.child.id)
    if before is not None and not is_gone(before):
        await handles.sessions.update_one({"_id": key}, going(), session=session)
    return key, before
