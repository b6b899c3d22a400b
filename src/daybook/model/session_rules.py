"""What a session becomes when it is created, changed, appended to or forked. Pure.

Every engine stores the results of these functions, so a session means the same on each.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from daybook.errors import AccessDeniedError, InvalidInputError
from daybook.model.codec import to_utc
from daybook.model.scope import Scope
from daybook.model.session import Ancestor, Grant, Session, SessionChanges

__all__ = [
    "active_session",
    "changed_session",
    "check_fork",
    "check_place",
    "cleared_session",
    "first_in_view",
    "forked_session",
    "fresh_session",
    "is_expired",
    "shared_seq",
]


def fresh_session(scope: Scope, session: Session) -> Session:
    """Return a session as it is stored when it is created: empty, its times in UTC.

    Its `first_seq` says which number its first message gets; other counts are not believed.

    Raises:
        AccessDeniedError: The session's user is not the scope's.
    """
    if not scope.reaches(session.user_id):
        raise AccessDeniedError(
            f"session {session.id!r} would belong to another user than the scope's"
        )
    return replace(
        session,
        created_at=to_utc(session.created_at),
        last_active_at=to_utc(session.last_active_at),
        expires_at=None if session.expires_at is None else to_utc(session.expires_at),
        message_count=0,
        token_count=0,
        last_seq=session.first_seq - 1,
        grants=_sorted_grants({grant.user_id: grant for grant in session.grants}),
        pins=tuple(sorted(set(session.pins))),
    )


def is_expired(session: Session, now: datetime) -> bool:
    """Tell whether a session must not be seen any more."""
    return session.expires_at is not None and session.expires_at <= now


def active_session(session: Session, messages: int, tokens: int, now: datetime) -> Session:
    """Return a session after so many new messages with so many tokens."""
    return replace(
        session,
        last_seq=session.last_seq + messages,
        message_count=session.message_count + messages,
        token_count=session.token_count + tokens,
        last_active_at=now,
        expires_at=None if session.ttl is None else now + session.ttl,
    )


def cleared_session(session: Session) -> Session:
    """Return a session without its messages; its numbers go on."""
    return replace(session, first_seq=session.last_seq + 1, message_count=0, token_count=0)


def changed_session(session: Session, changes: SessionChanges, now: datetime) -> Session:
    """Return a session with the fields set that `changes` names."""
    named: dict[str, Any] = {
        name: value
        for name in ("title", "metadata", "max_messages")
        if (value := getattr(changes, name)) is not ...
    }
    if changes.grants:
        grants: dict[str, Grant | None] = {grant.user_id: grant for grant in session.grants}
        grants.update(changes.grants)
        named["grants"] = _sorted_grants(grants)
    if changes.pins:
        pinned = {**dict.fromkeys(session.pins, True), **changes.pins}
        named["pins"] = tuple(sorted(seq for seq, kept in pinned.items() if kept))
    named.update(_changed_life(session, changes, now))
    return replace(session, **named)


def _changed_life(session: Session, changes: SessionChanges, now: datetime) -> dict[str, Any]:
    named: dict[str, Any] = {}
    starts = now
    ttl = session.ttl
    if changes.ttl is not ...:
        named["ttl"] = ttl = changes.ttl
    if changes.last_active_at is not ...:
        named["last_active_at"] = starts = to_utc(changes.last_active_at)
    if named:
        named["expires_at"] = None if ttl is None else starts + ttl
    if changes.expires_at is not ...:
        end = changes.expires_at
        named["expires_at"] = None if end is None else to_utc(end)
    return named


def check_fork(scope: Scope, parent: Session, child: Session, at: int | None) -> int:
    """Return the number up to which a fork shares its parent's messages.

    Raises:
        AccessDeniedError: The child would belong to another user than the parent.
        InvalidInputError: The parent has no such place.
    """
    if not scope.reaches(child.user_id) or child.user_id != parent.user_id:
        raise AccessDeniedError(f"a fork of session {parent.id!r} belongs to its owner")
    return check_place(parent, at)


def check_place(parent: Session, at: int | None) -> int:
    """Return `at`, or the newest number for None, if the session can be forked there.

    Raises:
        InvalidInputError: It has no such place.
    """
    place = parent.last_seq if at is None else at
    if not parent.first_seq - 1 <= place <= parent.last_seq:
        raise InvalidInputError(
            f"session {parent.id!r} can be forked at {parent.first_seq - 1} to {parent.last_seq}, "
            f"not at {place}"
        )
    return place


def forked_session(
    scope: Scope, parent: Session, child: Session, at: int, *, messages: int, tokens: int
) -> Session:
    """Return a new fork as it is stored.

    Args:
        scope: Whose.
        parent: What it is forked from.
        child: Its id, owner, title, metadata, times and life; the rest is not believed.
        at: What `check_fork` returned.
        messages: How many messages of the parent it shares.
        tokens: Their tokens.
    """
    inherited = tuple(Ancestor(one.session_id, min(one.seq, at)) for one in parent.ancestors)
    return replace(
        fresh_session(scope, child),
        first_seq=parent.first_seq,
        last_seq=at,
        message_count=messages,
        token_count=tokens,
        ancestors=(*inherited, Ancestor(parent.id, at)),
        pins=tuple(seq for seq in parent.pins if seq <= at),
    )


def first_in_view(session: Session) -> int:
    """Return the lowest sequence number that `max_messages` leaves in view."""
    if session.max_messages is None:
        return session.first_seq
    return max(session.first_seq, session.last_seq - session.max_messages + 1)


def shared_seq(one: Session, other: Session) -> int | None:
    """Return up to which number two sessions of one tree hold the same messages.

    None if they are not of one tree.
    """
    mine = {ancestor.session_id: ancestor.seq for ancestor in one.ancestors}
    theirs = {ancestor.session_id: ancestor.seq for ancestor in other.ancestors}
    mine[one.id], theirs[other.id] = one.last_seq, other.last_seq
    common = mine.keys() & theirs.keys()
    return max((min(mine[name], theirs[name]) for name in common), default=None)


def _sorted_grants(grants: dict[str, Any]) -> tuple[Grant, ...]:
    return tuple(grant for _, grant in sorted(grants.items()) if grant is not None)
