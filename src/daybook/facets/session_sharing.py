"""Sharing sessions: grants in the session itself, and a list of them for whom they are given to.

The grant is what counts. The list is a convenience: written before the grant, tidied after it is
taken away, and checked against the session whenever it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from daybook.errors import InvalidInputError
from daybook.facets.session_access import SessionAccess, missing_session
from daybook.model.codec import encode_json, to_utc
from daybook.model.identifiers import check_id
from daybook.model.memory_record import NewRecord, Provenance
from daybook.model.scope import Scope, internal_tenant
from daybook.model.session import Grant, GrantRole, Session, SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore

__all__ = ["new_grant", "revoke", "share", "shared_with"]

_PAGE = 100


def new_grant(user_id: str, role: Any, expires_at: datetime | None, now: datetime) -> Grant:
    """Return a checked grant.

    Raises:
        InvalidInputError: The role is unknown, or the end is past.
    """
    if role not in get_args(GrantRole):
        raise InvalidInputError("role must be 'reader' or 'writer'")
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError("expires_at is past: the grant would never hold")
    return Grant(
        user_id=check_id(user_id, "with_user"),
        role=role,
        granted_at=now,
        expires_at=None if expires_at is None else to_utc(expires_at),
    )


async def share(
    log: MessageLog, records: RecordStore, scope: Scope, session_id: str, grant: Grant
) -> Grant:
    """Give a grant.

    Raises:
        NotFoundError: The scope has no such session.
        InvalidInputError: The grantee owns it.
    """
    session = await log.get_session(scope, session_id)
    if session is None:
        raise missing_session(session_id)
    if session.user_id == grant.user_id:
        raise InvalidInputError(f"session {session_id} is this user's own: it needs no grant")
    listed = NewRecord(
        namespace=(grant.user_id, "shared"),
        key=session_id,
        value=encode_json({"role": grant.role}),
        expires_at=grant.expires_at,
        provenance=Provenance(source="sessions.share", session_id=session_id),
    )
    await records.put(Scope(internal_tenant(scope.tenant)), [listed])
    changes = SessionChanges(grants={grant.user_id: grant})
    if await log.update_session(scope, session_id, changes) is None:
        raise missing_session(session_id)
    return grant


async def revoke(
    log: MessageLog, records: RecordStore, scope: Scope, session_id: str, user_id: str
) -> bool:
    """Take a grant away; tell whether there was one.

    Raises:
        NotFoundError: The scope has no such session.
    """
    session = await log.get_session(scope, session_id)
    if session is None:
        raise missing_session(session_id)
    await log.update_session(scope, session_id, SessionChanges(grants={user_id: None}))
    await _unlist(records, scope, user_id, [session_id])
    return any(grant.user_id == user_id for grant in session.grants)


async def shared_with(
    access: SessionAccess, records: RecordStore, scope: Scope, limit: int
) -> list[Session]:
    """Return the sessions shared with the scope's user, last shared first."""
    user_id = scope.user_id or ""
    listed_under = Scope(internal_tenant(scope.tenant))
    found: list[Session] = []
    stale: list[str] = []
    offset = 0
    while len(found) < limit:
        listed = await records.list(listed_under, (user_id, "shared"), limit=_PAGE, offset=offset)
        for record in listed:
            held = await access.shared(record.key, user_id, "reader")
            if held is None:
                stale.append(record.key)
            elif len(found) < limit:
                found.append(held[1])
        if len(listed) < _PAGE:
            break
        offset += _PAGE
    await _unlist(records, scope, user_id, stale)
    return found


async def _unlist(
    records: RecordStore, scope: Scope, user_id: str, session_ids: Sequence[str]
) -> None:
    if session_ids:
        places = [((user_id, "shared"), session_id) for session_id in session_ids]
        await records.delete(Scope(internal_tenant(scope.tenant)), places)
