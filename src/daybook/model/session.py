"""One conversation's facts, without its messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

__all__ = [
    "Ancestor",
    "Grant",
    "GrantRole",
    "Page",
    "Session",
    "SessionChanges",
    "SessionStats",
]

T = TypeVar("T")
GrantRole = Literal["reader", "writer"]


class Ancestor(Struct, frozen=True):
    """An older session that a fork shares its first messages with.

    Attributes:
        session_id: The older session.
        seq: Messages up to this number are the same in both.
    """

    session_id: str
    seq: int


class Grant(Struct, frozen=True, kw_only=True):
    """What a session's owner allows another user.

    Attributes:
        user_id: Who may use the session.
        role: ``reader`` may read it, ``writer`` may append to it as well.
        granted_at: Since when, UTC.
        expires_at: Until when (exclusive); None for as long as the session lives.
    """

    user_id: str
    role: GrantRole
    granted_at: datetime
    expires_at: datetime | None = None


class Session(Struct, frozen=True, kw_only=True):
    """One conversation.

    Attributes:
        id: Unique in its tenant.
        user_id: Its owner.
        conversation_id: The owner's own name for it, if it was made with one.
        title: A name for people, if it has one.
        metadata: The caller's JSON object.
        created_at: When it was created, UTC.
        last_active_at: When it was created or last appended to, UTC.
        ttl: How long it lives after its last activity; None for ever.
        expires_at: When it becomes unreadable if nothing happens; None for never.
        max_messages: The view shows so many of the newest messages; None for all. The older ones
            are hidden, not removed.
        message_count: Messages it holds now, hidden ones included.
        token_count: Their tokens, as counted at append.
        first_seq: Lowest sequence number that may be read; `last_seq` + 1 while it is empty.
        last_seq: Sequence number of its newest message; `first_seq` - 1 before the first.
        ancestors: What it was forked from, oldest first; the last one is its parent.
        grants: Whom it is shared with, by user id.
        pins: Sequence numbers of messages that every context keeps, ascending; those below
            `first_seq` are of messages that are gone.
    """

    id: str
    user_id: str
    conversation_id: str | None = None
    title: str | None = None
    metadata: dict[str, Any] = {}
    created_at: datetime
    last_active_at: datetime
    ttl: timedelta | None = None
    expires_at: datetime | None = None
    max_messages: int | None = None
    message_count: int = 0
    token_count: int = 0
    first_seq: int = 1
    last_seq: int = 0
    ancestors: tuple[Ancestor, ...] = ()
    grants: tuple[Grant, ...] = ()
    pins: tuple[int, ...] = ()


class SessionChanges(Struct, frozen=True, kw_only=True):
    """What `update_session` sets; a field left at ``...`` stays as it is.

    Attributes:
        title: A name for people, or None.
        metadata: A JSON object in place of the one before.
        ttl: A timedelta that counts from now, or None for no end.
        max_messages: How many messages the view shows, or None for all.
        grants: For each user id the grant in place of the one before, or None to take it away;
            other users' grants stay.
        pins: For each sequence number whether it is pinned; others stay as they are.
        last_active_at: A moment of activity: the ttl counts from it.
        expires_at: The exact end of its life, whatever the ttl says (a session that is moved from
            one store to another keeps its end).
    """

    title: Any = ...
    metadata: Any = ...
    ttl: Any = ...
    max_messages: Any = ...
    grants: Mapping[str, Grant | None] = {}
    pins: Mapping[int, bool] = {}
    last_active_at: Any = ...
    expires_at: Any = ...


class SessionStats(Struct, frozen=True, kw_only=True):
    """Counts over one session or over all sessions of a user."""

    session_count: int
    message_count: int
    turn_count: int
    token_count: int
    messages_by_role: dict[str, int]
    first_at: datetime | None = None
    last_at: datetime | None = None


class Page(Struct, Generic[T], frozen=True):
    """Some items of a longer list; pass `cursor` to the same call for the next ones.

    Attributes:
        items: This page.
        cursor: Where the next page starts; None on the last page.
    """

    items: list[T]
    cursor: str | None = None
