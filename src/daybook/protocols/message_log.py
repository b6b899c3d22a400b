"""The message log: sessions and their messages, the truth that everything else derives from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats

__all__ = ["MessageLog", "PendingSession", "SessionSpan"]


class PendingSession(Struct, frozen=True):
    """A session that changed since the index last settled it.

    Attributes:
        tenant: Its tenant.
        user_id: Its owner.
        session_id: Its id.
        mark: Grows with every change; `settle` compares it.
    """

    tenant: str
    user_id: str
    session_id: str
    mark: int


class SessionSpan(Struct, frozen=True):
    """How much of a session is there.

    Attributes:
        user_id: Its owner.
        first_seq: Lowest sequence number that may still be read (after a clear it moves up).
        last_seq: Highest assigned so far.
        incarnation: Greater than that of any session that had this id before, and below 2**31:
            tells a session from one that was deleted and made again.
    """

    user_id: str
    first_seq: int
    last_seq: int
    incarnation: int


class MessageLog(Protocol):
    """Append-only messages in sessions.

    For every method: a session of another user than the scope's, an expired one and an absent one
    are the same thing, *missing*. Driver errors arrive as `StoreError`s. Calls after `close` raise
    `StoreClosedError`. Every call is safe to repeat.
    """

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        ...

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new, empty session and return it.

        Atomicity: all or nothing.

        Its counts start at 0 and its times are returned in UTC, whatever `session` says; its first
        message gets the number `session.first_seq`. Ancestors and grants are kept as given. See
        `daybook.model.session_rules.fresh_session`.

        Raises:
            ConflictError: A live session of the tenant has this id.
            AccessDeniedError: The session's user is not the scope's.
        """
        ...

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session, or None if missing."""
        ...

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return live sessions, most recently active first, ties by id.

        Ordering: a cursor stays valid while sessions change; one that becomes active meanwhile may
        be missed by later pages, none is returned twice.

        Raises:
            InvalidInputError: The cursor was not made by this method.
        """
        ...

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Set the fields that `changes` names; return the session, or None if missing.

        Atomicity: read and written in one step: concurrent changes of different fields, and of
        different users' grants, all stay. See `daybook.model.session_rules.changed_session`.
        """
        ...

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session and all its messages at once; tell whether it was there.

        An expired one was not there, yet what is left of it is removed and marked as changed.
        """
        ...

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that shares another one's messages up to a place.

        The child shows them under the same numbers, knows their ids and goes on with ``at + 1``.
        What is appended to either is not seen in the other; deleting, clearing or expiring either
        leaves the other whole.

        Args:
            scope: Whose session.
            session_id: The parent.
            child: The new session's id, title, metadata, times and life.
            at: The last shared number; None for the parent's newest.

        Returns:
            The child; None if the parent is missing.

        Atomicity: all or nothing. Cost: no message is copied.

        Raises:
            ConflictError: A live session of the tenant has the child's id.
            AccessDeniedError: The child would have another owner than the parent.
            InvalidInputError: The parent has no such place.
        """
        ...

    async def append(
        self,
        scope: Scope,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        create: Session | None = None,
    ) -> AppendResult | None:
        """Add messages to the end of a session.

        Args:
            scope: Whose session.
            session_id: The session.
            entries: At least one message.
            create: If the session is missing, store this one first, in the same transaction.

        Returns:
            Where the batch stands; None if the session is missing and `create` is None.

        Atomicity: the batch is stored whole and contiguous, or not at all. Messages whose id is
        already stored with the same fingerprint are left where they are.
        Ordering: sequence numbers are assigned in the commit; a batch acknowledged before another
        was sent comes first.
        Durability: returns after the commit that `capabilities.durability` describes.

        Raises:
            ConflictError: An id is stored (or stands twice in the batch) with another fingerprint,
                or `create` names a session that another user owns. An id that stands twice with
                the same fingerprint counts as a duplicate.
            AccessDeniedError: The user of `create` is not the scope's.
        """
        ...

    async def read(
        self,
        scope: Scope,
        session_id: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        view: bool = False,
    ) -> list[StoredEntry]:
        """Return messages with ``after < seq < before``; empty if the session is missing.

        Args:
            scope: Whose session.
            session_id: The session.
            after: Lower bound, exclusive.
            before: Upper bound, exclusive; None for no bound.
            limit: At most so many, from the end that comes first; None for all.
            newest_first: Descending sequence numbers instead of ascending.
            view: Leave out what the session's `max_messages` hides: all numbers up to
                ``last_seq - max_messages``.
        """
        ...

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return for each ``(session_id, first_seq, last_seq)`` its messages, both ends included.

        One round trip for many places; a missing session gives an empty list.
        """
        ...

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove all messages of a session, keep the session; return how many were removed.

        Sequence numbers go on from where they were: no number is ever given twice.
        """
        ...

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts over one session (None if missing) or over all of the scope."""
        ...

    async def tenants(self) -> list[str]:
        """Return the tenants that have sessions, sorted; one without any may be among them."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Remove what expired up to `now` in every tenant; return how many sessions."""
        ...

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what of a session can be read, or None if missing."""
        ...

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return sessions with changes that no `settle` has covered, oldest change first.

        The mark of a change is written in the same transaction as the change itself, deletions
        included. Without a scope: of all tenants.
        """
        ...

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget these marks, each unless its session changed again since."""
        ...

    async def close(self) -> None:
        """Finish what is in flight, release everything. Repeatable."""
        ...
