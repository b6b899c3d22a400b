"""`book.sessions` for code that is not async."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from daybook.facets.sessions import Sessions
from daybook.loop_thread import LoopThread
from daybook.model.branch import Branch, BranchDiff
from daybook.model.entry import Receipt
from daybook.model.export_format import ExportFormat
from daybook.model.session import Grant, GrantRole, Page, Session, SessionStats

__all__ = ["BlockingSessions"]

# `list` is a method below, so the types that need the builtin are named here.
_Sessions = list[Session]
_Grants = list[Grant]


class BlockingSessions:
    """Blocking twin of `Sessions`."""

    def __init__(self, facet: Sessions, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def create(
        self,
        *,
        user_id: str,
        session_id: str | None = None,
        conversation_id: str | None = None,
        title: str | None = None,
        metadata: dict[str, Any] | None = None,
        ttl: timedelta | None = None,
        max_messages: int | None = None,
    ) -> Session:
        """See `Sessions.create`."""
        return self._run(
            self._facet.create(
                user_id=user_id,
                session_id=session_id,
                conversation_id=conversation_id,
                title=title,
                metadata=metadata,
                ttl=ttl,
                max_messages=max_messages,
            )
        )

    def id_of(self, *, user_id: str, conversation_id: str) -> str:
        """See `Sessions.id_of`."""
        return self._run(self._facet.id_of(user_id=user_id, conversation_id=conversation_id))

    def get(
        self,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        conversation_id: str | None = None,
    ) -> Session | None:
        """See `Sessions.get`."""
        return self._run(
            self._facet.get(session_id, user_id=user_id, conversation_id=conversation_id)
        )

    def list(
        self, *, user_id: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Session]:
        """See `Sessions.list`."""
        return self._run(self._facet.list(user_id=user_id, limit=limit, cursor=cursor))

    def update(
        self,
        session_id: str,
        *,
        user_id: str | None = None,
        title: Any = ...,
        metadata: Any = ...,
        ttl: Any = ...,
        max_messages: Any = ...,
    ) -> Session:
        """See `Sessions.update`."""
        return self._run(
            self._facet.update(
                session_id,
                user_id=user_id,
                title=title,
                metadata=metadata,
                ttl=ttl,
                max_messages=max_messages,
            )
        )

    def touch(self, session_id: str, *, user_id: str | None = None) -> Session:
        """See `Sessions.touch`."""
        return self._run(self._facet.touch(session_id, user_id=user_id))

    def delete(self, session_id: str, *, user_id: str | None = None) -> bool:
        """See `Sessions.delete`."""
        return self._run(self._facet.delete(session_id, user_id=user_id))

    def stats(self, session_id: str | None = None, *, user_id: str | None = None) -> SessionStats:
        """See `Sessions.stats`."""
        return self._run(self._facet.stats(session_id, user_id=user_id))

    def expire_idle(self) -> int:
        """See `Sessions.expire_idle`."""
        return self._run(self._facet.expire_idle())

    def fork(
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
        """See `Sessions.fork`."""
        return self._run(
            self._facet.fork(
                session_id,
                at=at,
                user_id=user_id,
                new_session_id=new_session_id,
                title=title,
                metadata=metadata,
                ttl=ttl,
                max_messages=max_messages,
            )
        )

    def branches(self, session_id: str, *, user_id: str | None = None) -> Branch:
        """See `Sessions.branches`."""
        return self._run(self._facet.branches(session_id, user_id=user_id))

    def diff(self, session_id: str, other_id: str, *, user_id: str | None = None) -> BranchDiff:
        """See `Sessions.diff`."""
        return self._run(self._facet.diff(session_id, other_id, user_id=user_id))

    def merge(self, session_id: str, *, into: str, user_id: str | None = None) -> Receipt | None:
        """See `Sessions.merge`."""
        return self._run(self._facet.merge(session_id, into=into, user_id=user_id))

    def share(
        self,
        session_id: str,
        with_user: str,
        *,
        role: GrantRole = "reader",
        expires_at: datetime | None = None,
        user_id: str | None = None,
    ) -> Grant:
        """See `Sessions.share`."""
        return self._run(
            self._facet.share(
                session_id, with_user, role=role, expires_at=expires_at, user_id=user_id
            )
        )

    def revoke(self, session_id: str, from_user: str, *, user_id: str | None = None) -> bool:
        """See `Sessions.revoke`."""
        return self._run(self._facet.revoke(session_id, from_user, user_id=user_id))

    def grants(self, session_id: str, *, user_id: str | None = None) -> _Grants:
        """See `Sessions.grants`."""
        return self._run(self._facet.grants(session_id, user_id=user_id))

    def shared_with(self, user_id: str, *, limit: int = 100) -> _Sessions:
        """See `Sessions.shared_with`."""
        return self._run(self._facet.shared_with(user_id, limit=limit))

    def export(
        self,
        session_id: str,
        *,
        format: ExportFormat = "json",  # noqa: A002 - the field's own word
        user_id: str | None = None,
    ) -> str:
        """See `Sessions.export`."""
        return self._run(self._facet.export(session_id, format=format, user_id=user_id))

    def import_(self, exported: str | bytes, *, user_id: str | None = None) -> Session:
        """See `Sessions.import_`."""
        return self._run(self._facet.import_(exported, user_id=user_id))
