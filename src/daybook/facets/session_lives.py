"""The first half of `book.sessions`: conversations, their owners and their lives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from daybook.errors import InvalidInputError
from daybook.facets.checks import check_limit, check_ttl
from daybook.facets.new_session import (
    check_max_messages,
    check_metadata,
    check_title,
    new_session,
    session_id_of,
)
from daybook.facets.notes_area import NotesArea
from daybook.facets.session_access import SessionAccess, missing_session
from daybook.model.identifiers import check_id
from daybook.model.scope import Scope
from daybook.model.session import Grant, Page, Session, SessionChanges, SessionStats
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore
from daybook.protocols.token_counter import TokenCounter

__all__ = ["SessionLives"]

_Sessions = list[Session]
_Grants = list[Grant]


class SessionLives:
    """Creates, finds, changes, counts and removes conversations.

    Wherever a call names a `user_id`, it reaches what that user owns, and for reading also what is
    shared with them; anything else is answered as if it did not exist.
    """

    def __init__(  # noqa: PLR0913 - what it is wired from
        self,
        log: MessageLog,
        records: RecordStore,
        access: SessionAccess,
        notes: NotesArea,
        *,
        tenant: str,
        clock: Clock,
        id_factory: IdFactory,
        counter: TokenCounter,
        changed: Callable[[], None],
    ) -> None:
        self._log = log
        self._records = records
        self._access = access
        self._notes = notes
        self._tenant = tenant
        self._clock = clock
        self._id_factory = id_factory
        self._counter = counter
        self._changed = changed

    async def create(
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
        """Store a new, empty session and return it.

        Args:
            user_id: Its owner.
            session_id: Its id; None for a fresh one.
            conversation_id: In place of an id: the owner's own name for the conversation. The id
                is made from both; `get` and `id_of` find it again.
            title: A name for people.
            metadata: Any JSON object, returned as given.
            ttl: It expires this long after its last activity; None for never.
            max_messages: `history` shows so many of the newest messages; None for all. The older
                ones are hidden, never removed.

        Raises:
            InvalidInputError: An argument cannot be stored.
            ConflictError: The id is taken.
        """
        session = self._new(
            user_id=user_id,
            session_id=session_id,
            conversation_id=conversation_id,
            title=title,
            metadata=metadata,
            ttl=ttl,
            max_messages=max_messages,
        )
        return await self._log.create_session(Scope(self._tenant, user_id), session)

    async def id_of(self, *, user_id: str, conversation_id: str) -> str:
        """Return the session id of a user's conversation, whether it exists yet or not.

        Use it wherever a session id is asked for; `history.append` with `user_id` creates it.
        """
        return session_id_of(self._tenant, user_id, conversation_id)

    async def get(
        self,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        conversation_id: str | None = None,
    ) -> Session | None:
        """Return a session; None if it is absent, expired, or not for `user_id` to see.

        Args:
            session_id: Its id.
            user_id: Its owner, or someone it is shared with; None for the whole tenant.
            conversation_id: In place of the id, with `user_id`.
        """
        if conversation_id is not None:
            if session_id is not None or user_id is None:
                raise InvalidInputError("give session_id, or conversation_id with user_id")
            session_id = session_id_of(self._tenant, user_id, conversation_id)
        return await self._access.find(check_id(session_id, "session_id"), user_id)

    async def list(
        self, *, user_id: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Session]:
        """Return sessions, most recently active first, a page at a time.

        Args:
            user_id: Only those this user owns; None for all users. For what others share with
                them see `shared_with`.
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
        max_messages: Any = ...,
    ) -> Session:
        """Set what is given, leave the rest.

        Args:
            session_id: The session.
            user_id: Only if the session is this user's.
            title: A name for people, or None for none.
            metadata: A JSON object, in place of the one before.
            ttl: A timedelta that counts from now, or None for no end.
            max_messages: How many messages `history` shows, or None for all.

        Raises:
            NotFoundError: There is no such session (of this user).
            InvalidInputError: A value cannot be stored.
        """
        changes = SessionChanges(
            title=title if title is ... else check_title(title),
            metadata=metadata if metadata is ... else check_metadata(metadata),
            ttl=ttl if ttl is ... else check_ttl(ttl),
            max_messages=(
                max_messages if max_messages is ... else check_max_messages(max_messages)
            ),
        )
        session = await self._update(session_id, user_id, changes)
        if ttl is not ...:
            await self._notes.forget(session)  # what is made anew ends with the session's new end
        return session

    async def touch(self, session_id: str, *, user_id: str | None = None) -> Session:
        """Count this moment as activity: the ttl begins anew.

        Appends do so by themselves.

        Raises:
            NotFoundError: There is no such session (of this user).
        """
        changes = SessionChanges(last_active_at=self._clock.now())
        return await self._update(session_id, user_id, changes)

    async def delete(self, session_id: str, *, user_id: str | None = None) -> bool:
        """Remove a session and everything said in it; tell whether it was there. Repeatable.

        Forks of it keep what they share with it.
        """
        session = await self._log.get_session(
            self._scope(user_id), check_id(session_id, "session_id")
        )
        if session is not None:
            await self._notes.forget(session)
        removed = await self._log.delete_session(self._scope(user_id), session_id)
        if session is not None:
            # Again: a context that was being built may have written in between.
            await self._notes.forget(session)
        self._changed()
        return removed

    async def stats(
        self, session_id: str | None = None, *, user_id: str | None = None
    ) -> SessionStats:
        """Return counts over one session, over a user's sessions, or over all.

        Raises:
            NotFoundError: The named session does not exist (for this user).
        """
        if session_id is None:
            found = await self._log.stats(self._scope(user_id), None)
        else:
            session = await self._access.require(check_id(session_id, "session_id"), user_id)
            found = await self._log.stats(Scope(self._tenant, session.user_id), session_id)
        if found is None:
            raise missing_session(session_id or "")
        return found

    async def expire_idle(self) -> int:
        """Remove from storage every session whose ttl has passed; return how many.

        They are unreadable from the moment they expire; this gives their room back.
        """
        removed = await self._log.sweep(self._clock.now())
        self._changed()
        return removed

    async def _update(
        self, session_id: str, user_id: str | None, changes: SessionChanges
    ) -> Session:
        check_id(session_id, "session_id")
        session = await self._log.update_session(self._scope(user_id), session_id, changes)
        if session is None:
            raise missing_session(session_id)
        return session

    def _new(self, **described: Any) -> Session:
        return new_session(
            tenant=self._tenant,
            now=self._clock.now(),
            id_factory=self._id_factory,
            **described,
        )

    def _scope(self, user_id: str | None) -> Scope:
        return Scope.of(self._tenant, user_id)
