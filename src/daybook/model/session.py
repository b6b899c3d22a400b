"""One conversation's facts, without its messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from msgspec import Struct

__all__ = ["Page", "Session", "SessionChanges", "SessionStats"]

T = TypeVar("T")


class Session(Struct, frozen=True, kw_only=True):
    """One conversation.

    Attributes:
        id: Unique in its tenant.
        user_id: Its owner.
        title: A name for people, if it has one.
        metadata: The caller's JSON object.
        created_at: When it was created, UTC.
        last_active_at: When it was created or last appended to, UTC.
        ttl: How long it lives after its last activity; None for ever.
        expires_at: When it becomes unreadable if nothing happens; None for never.
        message_count: Messages it holds now.
        token_count: Their tokens, as counted at append.
        last_seq: Sequence number of its newest message; 0 before the first.
    """

    id: str
    user_id: str
    title: str | None = None
    metadata: dict[str, Any] = {}
    created_at: datetime
    last_active_at: datetime
    ttl: timedelta | None = None
    expires_at: datetime | None = None
    message_count: int = 0
    token_count: int = 0
    last_seq: int = 0


class SessionChanges(Struct, frozen=True, kw_only=True):
    """What `update_session` sets; a field left at ``...`` stays as it is."""

    title: Any = ...
    metadata: Any = ...
    ttl: Any = ...


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
