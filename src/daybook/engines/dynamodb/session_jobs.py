"""Sessions: made, found, listed, changed, cleared, forked, ended. Each change is one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from heapq import nsmallest

from msgspec.structs import replace

from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.drops import drop, leave_streams, prepare_to_leave
from daybook.engines.dynamodb.heads import (
    Head,
    Loaded,
    commit,
    load,
    load_many,
    new_head,
    next_mark,
    reached,
)
from daybook.engines.dynamodb.hints import (
    expiring_names,
    forget_void_ends,
    list_session,
    listed_names,
    register_tenant,
)
from daybook.engines.dynamodb.keys import new_nonce, new_stream, session_name
from daybook.engines.dynamodb.marks import announce
from daybook.errors import ConflictError
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.model.session_codec import activity_micros, decode_cursor, encode_cursor
from daybook.model.session_rules import changed_session, cleared_session, fresh_session
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = [
    "announce_change",
    "clear",
    "create",
    "delete",
    "find",
    "page",
    "span",
    "stats",
    "store_new",
    "sweep",
    "update",
]


def find(calls: Calls, scope: Scope, session_id: str, now: datetime) -> Session | None:
    """Return a live session that the scope reaches."""
    found = reached(load(calls, session_name(scope.tenant, session_id)), scope, now)
    return None if found is None else found[1]


def span(calls: Calls, scope: Scope, session_id: str, now: datetime) -> SessionSpan | None:
    """Return what of a session can be read."""
    found = reached(load(calls, session_name(scope.tenant, session_id)), scope, now)
    if found is None:
        return None
    head, session = found
    return SessionSpan(session.user_id, session.first_seq, session.last_seq, head.incarnation)


def create(
    calls: Calls, scope: Scope, session: Session, now: datetime, tenants: set[str]
) -> Session:
    """Store a new session."""
    fresh = fresh_session(scope, session)
    name = session_name(scope.tenant, session.id)

    def make(before: Loaded) -> Head:
        return new_head(before, fresh, new_stream(name))

    store_new(calls, scope.tenant, fresh, now, tenants, make)
    return fresh


def store_new(
    calls: Calls,
    tenant: str,
    session: Session,
    now: datetime,
    tenants: set[str],
    make: Callable[[Loaded], Head],
) -> None:
    """Store a new session's head, made from what stands in its place.

    Raises:
        ConflictError: A live session has this id.
    """
    name = session_name(tenant, session.id)
    mine: set[str] = set()
    for _ in calls.rounds():
        before = load(calls, name)
        if before.head is not None and before.head.nonce in mine:
            return
        if before.live(now):
            raise ConflictError(f"session {session.id!r} is there already: choose another id")
        if before.session is not None:
            ended = drop(calls, before, tenant)
            if ended is None:
                continue
            before = ended
        head = make(before)
        mine.add(head.nonce)
        register_tenant(calls, tenant, tenants)
        list_session(calls, tenant, head, session)
        if commit(calls, before, head) is not None:
            return


def update(
    calls: Calls, scope: Scope, session_id: str, changes: SessionChanges, now: datetime
) -> Session | None:
    """Change a session."""
    name = session_name(scope.tenant, session_id)
    for _ in calls.rounds():
        before = load(calls, name)
        found = reached(before, scope, now)
        if found is None:
            return None
        head, session = found
        changed = changed_session(session, changes, now)
        if changed.expires_at is not None and session.expires_at is None:
            list_session(calls, scope.tenant, head, changed)
        after = commit(calls, before, replace(head, nonce=new_nonce(), session=changed))
        if after is not None:
            return after.session
    return None


def delete(calls: Calls, scope: Scope, session_id: str, now: datetime) -> bool:
    """End a session; what is left of an expired one goes too."""
    name = session_name(scope.tenant, session_id)
    for _ in calls.rounds():
        before = load(calls, name)
        session = before.session
        if session is None or not scope.reaches(session.user_id):
            return False
        if drop(calls, before, scope.tenant) is not None:
            return before.live(now)
    return False


def clear(calls: Calls, scope: Scope, session_id: str, now: datetime) -> int:
    """Remove a session's messages: it goes on in a fresh stream."""
    name = session_name(scope.tenant, session_id)
    for _ in calls.rounds():
        before = load(calls, name)
        found = reached(before, scope, now)
        if found is None or not found[1].message_count:
            return 0
        head, session = found
        announce_change(calls, scope.tenant, before, session)
        if not prepare_to_leave(calls, head, session):
            continue
        after = replace(
            head,
            nonce=new_nonce(),
            mark=next_mark(before),
            session=cleared_session(session),
            stream=new_stream(name),
            segments=(),
            roles={},
            tail=(),
            staged=None,
            staged_count=0,
        )
        if commit(calls, before, after) is not None:
            leave_streams(calls, head)
            return session.message_count
    return 0


def announce_change(calls: Calls, tenant: str, before: Loaded, session: Session) -> None:
    """Write that the session's next mark is about to come true."""
    mark = PendingSession(tenant, session.user_id, session.id, next_mark(before))
    announce(calls, mark, 0 if before.head is None else before.head.mark)


def page(
    calls: Calls, scope: Scope, now: datetime, limit: int, cursor: str | None
) -> Page[Session]:
    """Return a page of sessions, most recently active first."""
    place = decode_cursor(cursor)
    start = None if place is None else (-place[0], place[1])
    sessions = (session for _, session in _reached(calls, scope, now))
    rest = (one for one in sessions if start is None or _rank(one) > start)
    found = nsmallest(limit + 1, rest, key=_rank)
    shown = found[:limit]
    more = encode_cursor(shown[-1]) if shown and len(found) > limit else None
    return Page(shown, more)


def _rank(session: Session) -> tuple[int, str]:
    return -activity_micros(session), session.id


def stats(calls: Calls, scope: Scope, session_id: str | None, now: datetime) -> SessionStats | None:
    """Return counts over one session or all of a scope."""
    if session_id is None:
        return _sum(_reached(calls, scope, now))
    found = reached(load(calls, session_name(scope.tenant, session_id)), scope, now)
    return None if found is None else _sum([found])


def _reached(calls: Calls, scope: Scope, now: datetime) -> Sequence[tuple[Head, Session]]:
    heads = load_many(calls, listed_names(calls, scope))
    found = (reached(loaded, scope, now) for loaded in heads.values())
    return [one for one in found if one is not None]


def _sum(found: Iterable[tuple[Head, Session]]) -> SessionStats:
    whole = list(found)
    roles: Counter[str] = Counter()
    for head, _ in whole:
        roles.update(head.roles)
    sessions = [session for _, session in whole]
    return SessionStats(
        session_count=len(sessions),
        message_count=sum(one.message_count for one in sessions),
        turn_count=roles["user"],
        token_count=sum(one.token_count for one in sessions),
        messages_by_role={role: count for role, count in roles.items() if count},
        first_at=min((one.created_at for one in sessions), default=None),
        last_at=max((one.last_active_at for one in sessions), default=None),
    )


def sweep(calls: Calls, now: datetime) -> int:
    """End what expired in every tenant; return how many sessions."""
    ended = 0
    found = expiring_names(calls)
    heads = load_many(calls, list(found))
    for name, tenant in found.items():
        before = heads[name]
        for _ in calls.rounds():
            if before.session is None or before.live(now):
                break
            if drop(calls, before, tenant) is not None:
                ended += 1
                break
            before = load(calls, name)
    forget_void_ends(calls, {name for name, loaded in heads.items() if loaded.session is None})
    return ended
