"""`book.sessions`: conversations, their owners, their lives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from daybook.errors import InvalidInputError, NotFoundError
from daybook.facets.checks import check_limit, check_ttl
from daybook.model.identifiers import check_id
from daybook.model.json_value import check_json_object
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.message_log import MessageLog

__all__ = ["Sessions", "new_session"]

_MAX_TITLE = 1000


def new_session(
    *,
    tenant: str,
    user_id: str,
    session_id: str | None,
    title: str | None,
    metadata: dict[str, Any] | None,
    ttl: timedelta | None,
    now: datetime,
    id_factory: IdFactory,
) -> Session:
    """Return a checked, empty session that is not stored yet.

    A generated id begins with a short tag made from tenant and user, so that an engine that shards
    by user finds the shard from the id alone; the tag tells nothing about either.
    """
    check_id(user_id, "user_id")
    life = check_ttl(ttl)
    if session_id is None:
        tag = blake2b(user_id.encode(), key=tenant.encode()[:64], digest_size=3).hexdigest()
        session_id = f"{tag}-{id_factory()}"
    return Session(
        id=check_id(session_id, "session_id"),
        user_id=user_id,
        title=_check_title(title),
        metadata=_check_metadata(metadata),
        created_at=now,
        last_active_at=now,
        ttl=life,
        expires_at=None if life is None else now + life,
    )


class Sessions:
    """Creates, finds and removes conversations."""

    def __init__(
        self,
        log: MessageLog,
        *,
        tenant: str,
        clock: Clock,
        id_factory: IdFactory,
        changed: Callable[[], None],
    ) -> None:
        self._log = log
        self._tenant = tenant
        self._clock = clock
        self._id_factory = id_factory
        self._changed = changed

    async def create(
        self,
        *,
        user_id: str,
        session_id: str | None = None,
        title: str | None = None,
        metadata: dict[str, Any] | None = None,
        ttl: timedelta | None = None,
    ) -> Session:
        """Store a new, empty session and return it.

        Args:
            user_id: Its owner.
            session_id: Its id; None for a fresh one.
            title: A name for people.
            metadata: Any JSON object, returned as given.
            ttl: It expires this long after its last activity; None for never.

        Raises:
            InvalidInputError: An argument cannot be stored.
            ConflictError: The id is taken.
        """
        session = new_session(
            tenant=self._tenant,
            user_id=user_id,
            session_id=session_id,
            title=title,
            metadata=metadata,
            ttl=ttl,
            now=self._clock.now(),
            id_factory=self._id_factory,
        )
        return await self._log.create_session(Scope(self._tenant, user_id), session)

    async def get(self, session_id: str, *, user_id: str | None = None) -> Session | None:
        """Return a session; None if it is absent, expired, or not of `user_id`."""
        return await self._log.get_session(self._scope(user_id), check_id(session_id, "session_id"))

    async def list(
        self, *, user_id: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Session]:
        """Return sessions, most recently active first, a page at a time.

        Args:
            user_id: Only this user's; None for all users.
            limit: Sessions in a page.
            cursor: `Page.cursor` of the page before.
        """
        return await self._log.list_sessions(
            self._scope(user_id), limit=check_limit(limit), cursor=cursor
        )

    async def update(
        self,
        session_id: str,
        *,
        user_id: str | None = None,
        title: Any = ...,
        metadata: Any = ...,
        ttl: Any = ...,
    ) -> Session:
        """Set what is given, leave the rest.

        Args:
            session_id: The session.
            user_id: Only if the session is this user's.
            title: A name for people, or None for none.
            metadata: A JSON object, in place of the one before.
            ttl: A timedelta that counts from now, or None for no end.

        Raises:
            NotFoundError: There is no such session (of this user).
            InvalidInputError: A value cannot be stored.
        """
        changes = SessionChanges(
            title=title if title is ... else _check_title(title),
            metadata=metadata if metadata is ... else _check_metadata(metadata),
            ttl=ttl if ttl is ... else check_ttl(ttl),
        )
        check_id(session_id, "session_id")
        session = await self._log.update_session(self._scope(user_id), session_id, changes)
        if session is None:
            raise _missing(session_id)
        return session

    async def delete(self, session_id: str, *, user_id: str | None = None) -> bool:
        """Remove a session and everything said in it; tell whether it was there. Repeatable."""
        check_id(session_id, "session_id")
        removed = await self._log.delete_session(self._scope(user_id), session_id)
        self._changed()
        return removed

    async def stats(
        self, session_id: str | None = None, *, user_id: str | None = None
    ) -> SessionStats:
        """Return counts over one session, over a user's sessions, or over all.

        Raises:
            NotFoundError: The named session does not exist (for this user).
        """
        if session_id is not None:
            check_id(session_id, "session_id")
        found = await self._log.stats(self._scope(user_id), session_id)
        if found is None:
            raise _missing(session_id or "")
        return found

    async def expire_idle(self) -> int:
        """Remove from storage every session whose ttl has passed; return how many.

        They are unreadable from the moment they expire; this gives their room back.
        """
        removed = await self._log.sweep(self._clock.now())
        self._changed()
        return removed

    def _scope(self, user_id: str | None) -> Scope:
        return Scope.of(self._tenant, user_id)


def _missing(session_id: str) -> NotFoundError:
    return NotFoundError(f"no session {session_id}: it was deleted, has expired, or never was")


def _check_title(title: Any) -> str | None:
    if title is None:
        return None
    if not isinstance(title, str) or len(title) > _MAX_TITLE:
        raise InvalidInputError(f"title must be None or a str of at most {_MAX_TITLE} characters")
    check_json_object({"title": title}, "session")
    return title


def _check_metadata(metadata: Any) -> dict[str, Any]:
    if metadata is None:
        return {}
    check_json_object(metadata, "metadata")
    return dict(metadata)
