"""The first half of a chat: its sessions, who may use them, and how they come and go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from daybook.chat.chat_settings import ChatSettings
from daybook.chat.chat_values import SessionInfo
from daybook.client import AsyncDaybook
from daybook.model.export_format import ExportFormat
from daybook.model.message import Message
from daybook.model.session import Grant, GrantRole, Session

__all__ = ["ChatSessions", "id_of"]


class ChatSessions(ABC):
    """Sessions of a chat, with the life and the view that its settings give to new ones."""

    _settings: ChatSettings

    @abstractmethod
    async def _opened_book(self) -> AsyncDaybook:
        """Return the book, opened."""

    async def create_session(
        self,
        user_id: str,
        title: str | None = None,
        *,
        session_id: str | None = None,
        conversation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Session:
        """Store a new session and return it; see `Sessions.create`."""
        book = await self._opened_book()
        return await book.sessions.create(
            user_id=user_id,
            session_id=session_id,
            conversation_id=conversation_id,
            title=title,
            metadata=metadata,
            ttl=self._settings.session_ttl,
            max_messages=self._settings.max_messages,
        )

    async def info(
        self, session_id: str | Session, *, user_id: str | None = None
    ) -> SessionInfo | None:
        """Return a session at a glance; None if there is none (for this user)."""
        book = await self._opened_book()
        session = await book.sessions.get(id_of(session_id), user_id=user_id)
        return None if session is None else SessionInfo.of(session)

    async def get_session_info(
        self, session_id: str | Session, *, user_id: str | None = None
    ) -> SessionInfo | None:
        """Return what `info` does."""
        return await self.info(session_id, user_id=user_id)

    async def list_sessions(self, user_id: str, *, limit: int = 100) -> list[SessionInfo]:
        """Return a user's sessions, most recently active first."""
        page = await (await self._opened_book()).sessions.list(user_id=user_id, limit=limit)
        return [SessionInfo.of(session) for session in page.items]

    async def delete_session(
        self, session_id: str | Session, *, user_id: str | None = None
    ) -> bool:
        """Remove a session; tell whether it was there. A turn under way fails."""
        book = await self._opened_book()
        return await book.sessions.delete(id_of(session_id), user_id=user_id)

    async def history(
        self, session_id: str | Session, *, limit: int | None = None, user_id: str | None = None
    ) -> list[Message]:
        """Return what was said, in order; see `History.list`."""
        book = await self._opened_book()
        return await book.history.list(id_of(session_id), limit=limit, user_id=user_id)

    async def export(
        self,
        session_id: str | Session,
        *,
        format: ExportFormat = "json",  # noqa: A002 - the field's own word
        user_id: str | None = None,
    ) -> str:
        """Return a whole session as text; see `Sessions.export`."""
        book = await self._opened_book()
        return await book.sessions.export(id_of(session_id), format=format, user_id=user_id)

    async def import_(self, exported: str | bytes, *, user_id: str | None = None) -> Session:
        """Store a session from its JSON export; see `Sessions.import_`."""
        return await (await self._opened_book()).sessions.import_(exported, user_id=user_id)

    async def share(
        self,
        session_id: str | Session,
        with_user: str,
        *,
        role: GrantRole = "reader",
        expires_at: datetime | None = None,
        user_id: str | None = None,
    ) -> Grant:
        """Let another user read a session, or, as a ``writer``, take turns in it.

        Their turns are answered from this session alone: nothing of the owner's other ones is
        recalled for them. See `Sessions.share`.
        """
        book = await self._opened_book()
        return await book.sessions.share(
            id_of(session_id), with_user, role=role, expires_at=expires_at, user_id=user_id
        )

    async def revoke(
        self, session_id: str | Session, from_user: str, *, user_id: str | None = None
    ) -> bool:
        """Take a grant away; tell whether there was one. See `Sessions.revoke`."""
        book = await self._opened_book()
        return await book.sessions.revoke(id_of(session_id), from_user, user_id=user_id)

    async def fork(
        self,
        session_id: str | Session,
        *,
        at: int | None = None,
        title: str | None = None,
        user_id: str | None = None,
    ) -> Session:
        """Make a session that goes its own way from a message on; see `Sessions.fork`."""
        book = await self._opened_book()
        return await book.sessions.fork(
            id_of(session_id),
            at=at,
            user_id=user_id,
            title=title,
            ttl=self._settings.session_ttl,
            max_messages=self._settings.max_messages,
        )


def id_of(session: str | Session) -> str:
    """Return the id of a session, named by it or by itself."""
    return session.id if isinstance(session, Session) else session
