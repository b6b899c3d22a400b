"""What a turn begins with: a checked message, from somebody who may take a turn there."""

from __future__ import annotations

from msgspec.structs import replace

from daybook.chat.turn import Asked
from daybook.chat.turn_marks import marked
from daybook.client import AsyncDaybook
from daybook.errors import AccessDeniedError, InvalidInputError
from daybook.facets.session_access import live_grants, missing_session
from daybook.model.codec import check_message
from daybook.model.message import Message

__all__ = ["asked_by"]


async def asked_by(
    book: AsyncDaybook, session_id: str, message: str | Message, user_id: str | None
) -> Asked:
    """Return a question, its session, and who asks.

    Raises:
        InvalidInputError: The message is none, is empty, or is not a user's.
        NotFoundError: There is no such session (for this user).
        AccessDeniedError: It is shared with the user for reading only.
    """
    question = _question(message)
    session = await book.sessions.get(session_id, user_id=user_id)
    if session is None:
        raise missing_session(session_id)
    now = book.clock.now()
    if user_id is not None and user_id != session.user_id:
        roles = {grant.user_id: grant.role for grant in live_grants(session, now)}
        if roles.get(user_id) != "writer":
            raise AccessDeniedError(
                f"session {session_id} is shared with this user for reading only"
            )
        question = marked(question, {"user_id": user_id})
    if question.created_at is None:
        question = replace(question, created_at=now)
    return Asked(session, question, user_id or session.user_id)


def _question(message: str | Message) -> Message:
    if isinstance(message, str):
        message = Message.user(message)
    check_message(message)
    if message.role != "user":
        raise InvalidInputError(f"message: a turn begins with a user's message, not {message.role}")
    if not message.content or (isinstance(message.content, str) and not message.content.strip()):
        raise InvalidInputError("message must not be empty")
    return message
