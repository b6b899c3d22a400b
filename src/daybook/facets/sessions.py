"""`book.sessions`: conversations, their owners, their lives, their forks and who shares them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from daybook.facets import session_forks, session_sharing
from daybook.facets.checks import check_limit, check_moment
from daybook.facets.session_access import live_grants, missing_session
from daybook.facets.session_lives import SessionLives
from daybook.model.branch import Branch, BranchDiff
from daybook.model.entry import Receipt
from daybook.model.export_format import ExportFormat
from daybook.model.identifiers import check_id
from daybook.model.scope import Scope
from daybook.model.session import Grant, GrantRole, Session

__all__ = ["Sessions"]

_Sessions = list[Session]
_Grants = list[Grant]


class Sessions(SessionLives):
    """Creates, finds, forks, shares, moves and removes conversations."""

    async def fork(
        self,
        session_id: str,
        *,
        at: int | None = None,
        user_id: str | None = None,
        new_session_id: str | None = None,
        title: str | None = None,
        metadata: dict[str, Any] | None = None,
        ttl: timedelta | None = None,
        max_messages: int | None = None,
    ) -> Session:
        """Make a session that begins as another one up to a message and goes its own way.

        For the session's owner no message is copied; for someone it is shared with, the fork is
        their own copy. Sequence numbers and message ids of what is shared stay the same.

        Args:
            session_id: The session to fork.
            at: Sequence number of the last message to share; None for the newest.
            user_id: Who forks it: its owner, or someone it is shared with; None for the owner.
            new_session_id: The fork's id; None for a fresh one.
            title: A name for people.
            metadata: Any JSON object.
            ttl: The fork's own life; None for ever.
            max_messages: The fork's own view; None for all.

        Raises:
            NotFoundError: There is no such session (for this user).
            InvalidInputError: `at` is no place in the session.
            ConflictError: The new id is taken.
        """
        check_id(session_id, "session_id")
        parent = await self._access.require(session_id, user_id)
        child = self._new(
            user_id=user_id or parent.user_id,
            session_id=new_session_id,
            title=title,
            metadata=metadata,
            ttl=ttl,
            max_messages=max_messages,
        )
        place = None if at is None else check_limit(at + 1, "at") - 1
        made = await session_forks.fork(self._log, self._tenant, parent, child, place)
        self._changed()
        return made

    async def branches(self, session_id: str, *, user_id: str | None = None) -> Branch:
        """Return the tree of forks that a session belongs to, from its root.

        Raises:
            NotFoundError: There is no such session (for this user).

        Cost: looks through all sessions of the owner.
        """
        session = await self._access.require(check_id(session_id, "session_id"), user_id)
        return await session_forks.branches(
            self._log, Scope(self._tenant, session.user_id), session
        )

    async def diff(
        self, session_id: str, other_id: str, *, user_id: str | None = None
    ) -> BranchDiff:
        """Return what two branches of one tree do not share.

        Raises:
            NotFoundError: One of them does not exist (for this user).
            InvalidInputError: They have no common past.
        """
        one = await self._access.require(check_id(session_id, "session_id"), user_id)
        other = await self._access.require(check_id(other_id, "other_id"), user_id)
        return await session_forks.diff(self._log, self._tenant, one, other)

    async def merge(
        self, session_id: str, *, into: str, user_id: str | None = None
    ) -> Receipt | None:
        """Append to a branch what another branch holds beyond their common past.

        Messages keep their ids, so merging again adds nothing. The merged branch stays.

        Args:
            session_id: The branch to take from.
            into: The branch to append to.
            user_id: Who merges: owner of `into`, and allowed to read the other.

        Returns:
            Where the messages stand now; None if there was nothing to add.

        Raises:
            NotFoundError: One of them does not exist (for this user).
            InvalidInputError: They have no common past, or more than 10,000 messages are missing.
            ConflictError: A message id stands in both with different bodies.

        Atomicity: all of them, contiguous, or none.
        """
        apart = await self.diff(into, session_id, user_id=user_id)
        result = await session_forks.merge(self._log, self._scope(user_id), into, apart.theirs)
        if result is None:
            return None
        self._changed()
        return Receipt(
            session_id=into,
            first_seq=result.first_seq,
            last_seq=result.last_seq,
            ack=self._log.capabilities.ack,
            duplicates=result.duplicates,
            acknowledged_at=self._clock.now(),
        )

    async def share(
        self,
        session_id: str,
        with_user: str,
        *,
        role: GrantRole = "reader",
        expires_at: datetime | None = None,
        user_id: str | None = None,
    ) -> Grant:
        """Let another user of the tenant read a session, or append to it as well.

        Args:
            session_id: The session.
            with_user: Who may use it. An earlier grant to them is replaced.
            role: ``reader`` or ``writer``.
            expires_at: When the grant ends by itself; None for as long as the session lives.
            user_id: Only if the session is this user's.

        Raises:
            NotFoundError: There is no such session (of this user).
            InvalidInputError: The role is unknown, the end is past, or the user owns the session.
        """
        return await session_sharing.share(
            self._log,
            self._records,
            self._scope(user_id),
            check_id(session_id, "session_id"),
            session_sharing.new_grant(
                with_user, role, check_moment(expires_at, "expires_at"), self._clock.now()
            ),
        )

    async def revoke(self, session_id: str, from_user: str, *, user_id: str | None = None) -> bool:
        """Take a grant away; tell whether there was one. Holds for every call that begins after.

        Raises:
            NotFoundError: There is no such session (of this user).
        """
        return await session_sharing.revoke(
            self._log,
            self._records,
            self._scope(user_id),
            check_id(session_id, "session_id"),
            check_id(from_user, "from_user"),
        )

    async def grants(self, session_id: str, *, user_id: str | None = None) -> _Grants:
        """Return whom a session is shared with now, by user id.

        Raises:
            NotFoundError: There is no such session (of this user).
        """
        scope = self._scope(user_id)
        session = await self._log.get_session(scope, check_id(session_id, "session_id"))
        if session is None:
            raise missing_session(session_id)
        return live_grants(session, self._clock.now())

    async def shared_with(self, user_id: str, *, limit: int = 100) -> _Sessions:
        """Return the sessions of others that a user may use, last shared first."""
        return await session_sharing.shared_with(
            self._access,
            self._records,
            Scope.of(self._tenant, check_id(user_id, "user_id")),
            check_limit(limit),
        )

    async def export(
        self,
        session_id: str,
        *,
        format: ExportFormat = "json",  # noqa: A002 - the field's own word
        user_id: str | None = None,
    ) -> str:
        """Return a whole session as text, hidden messages included.

        Args:
            session_id: The session.
            format: ``json`` loses nothing and can be imported, ``markdown`` and ``html`` are for
                people; the HTML page needs nothing else and runs no script.
            user_id: Only if the session is this user's, or shared with them.

        Raises:
            NotFoundError: There is no such session (for this user).
            InvalidInputError: The format is unknown.
        """
        from daybook.facets import session_transfer  # noqa: PLC0415 - loaded when used

        session = await self._access.require(check_id(session_id, "session_id"), user_id)
        return await session_transfer.export_text(self._log, self._tenant, session, format)

    async def import_(self, exported: str | bytes, *, user_id: str | None = None) -> Session:
        """Store a session from its JSON export as it was: ids, numbers, times, grants.

        Importing again is harmless; it completes an import that was broken off.

        Args:
            exported: What `export` returned.
            user_id: Its owner here; None for the user it names.

        Returns:
            The session. If its life was over, its ttl counts anew from now.

        Raises:
            InvalidInputError: Not an export that this version reads.
            ConflictError: Another session has the id, or a message another body.

        Atomicity: the session and each batch of 500 messages.
        """
        from daybook.facets import session_transfer  # noqa: PLC0415 - loaded when used

        session, messages = session_transfer.parse_export(exported, user_id)
        stored = await session_transfer.restore(
            self._log, self._tenant, session, messages, counter=self._counter, clock=self._clock
        )
        self._changed()
        return stored
