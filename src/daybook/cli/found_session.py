"""The session a command names."""

from __future__ import annotations

from daybook.client import AsyncDaybook
from daybook.errors import NotFoundError
from daybook.model.session import Session

__all__ = ["found_session"]


async def found_session(book: AsyncDaybook, session_id: str, user_id: str | None) -> Session:
    """Return the session.

    Raises:
        NotFoundError: There is none of this id (for this user).
    """
    session = await book.sessions.get(session_id, user_id=user_id)
    if session is None:
        raise NotFoundError(f"no session {session_id}: `daybook sessions` lists those there are")
    return session
