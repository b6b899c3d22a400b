"""Where a conversation of ``daybook chat`` stands: whose, in which session."""

from __future__ import annotations

from daybook.chat import ChatApplication

__all__ = ["ChatPlace"]


class ChatPlace:
    """One conversation at a time, of one user.

    Attributes:
        chat: What answers.
        user_id: Who talks.
        session_id: The session; None before the first message of a new one.
    """

    def __init__(self, chat: ChatApplication, user_id: str, session_id: str | None) -> None:
        self.chat = chat
        self.user_id = user_id
        self.session_id = session_id

    def begin(self, title: str | None = None) -> str:
        """Begin a new session and return its id."""
        self.session_id = self.chat.create_session(self.user_id, title).id
        return self.session_id
