"""Who may use whose session: its owner, and those it is shared with."""

from __future__ import annotations

from datetime import datetime

from daybook.errors import AccessDeniedError, NotFoundError
from daybook.model.scope import Scope
from daybook.model.session import Grant, GrantRole, Session
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog

__all__ = ["SessionAccess", "live_grants", "missing_session"]


def missing_session(session_id: str) -> NotFoundError:
    """Return the error for a session that is not there, or not for this user."""
    return NotFoundError(f"no session {session_id}: it was deleted, has expired, or never was")


def live_grants(session: Session, now: datetime) -> list[Grant]:
    """Return the grants of a session that have not ended."""
    return [one for one in session.grants if one.expires_at is None or one.expires_at > now]


class SessionAccess:
    """Finds the scope under which a user may use a session.

    A session's grants stand in the session, so taking one away holds from the commit on, for
    every call that begins after it. Whoever is neither owner nor grantee learns nothing, not even
    that the session exists.
    """

    def __init__(self, log: MessageLog, *, tenant: str, clock: Clock) -> None:
        self._log = log
        self._tenant = tenant
        self._clock = clock

    async def shared(
        self, session_id: str, user_id: str | None, role: GrantRole
    ) -> tuple[Scope, Session] | None:
        """Return the owner's scope and the session if it is shared with a user; None if not.

        Raises:
            AccessDeniedError: The user may read it, and asked for more.
        """
        if user_id is None:
            return None
        session = await self._log.get_session(Scope(self._tenant), session_id)
        if session is None or session.user_id == user_id:
            return None
        for grant in live_grants(session, self._clock.now()):
            if grant.user_id == user_id:
                if role == "writer" and grant.role != "writer":
                    raise AccessDeniedError(
                        f"session {session_id} is shared with this user for reading only"
                    )
                return Scope(self._tenant, session.user_id), session
        return None

    async def find(self, session_id: str, user_id: str | None) -> Session | None:
        """Return a session that a user owns or may read; None if there is none."""
        session = await self._log.get_session(Scope(self._tenant, user_id), session_id)
        if session is not None:
            return session
        found = await self.shared(session_id, user_id, "reader")
        return found[1] if found else None

    async def require(self, session_id: str, user_id: str | None) -> Session:
        """Return a session that a user owns or may read.

        Raises:
            NotFoundError: There is none.
        """
        session = await self.find(session_id, user_id)
        if session is None:
            raise missing_session(session_id)
        return session
