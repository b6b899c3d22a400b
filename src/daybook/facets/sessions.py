"""`book.sessions`: conversations, their owners, their lives, their forks and who shares them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from daybook.errors import InvalidInputError
from daybook.facets import session_forks, session_sharing
from daybook.facets.checks import check_limit, check_moment, check_ttl
from daybook.facets.new_session import (
    check_max_messages,
    check_metadata,
    check_title,
    new_session,
    session_id_of,
)
from daybook.facets.session_access import SessionAccess, live_grants, missing_session
from daybook.model.branch import Branch, BranchDiff
from daybook.model.codec import decode_entry, encode_message, fingerprint
from daybook.model.entry import NewEntry, Receipt
from daybook.model.export_format import ExportFormat
from daybook.model.identifiers import check_id
from daybook.model.scope import Scope
from daybook.model.session import Grant, GrantRole, Page, Session, SessionChanges, SessionStats
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore
from daybook.protocols.token_counter import TokenCounter

__all__ = ["Sessions"]

_Sessions = list[Session]
_Grants = list[Grant]
_MERGE_BATCH = 10_000


class Sessions:
    """Creates, finds, forks, shares, moves and removes conversations.

    Wherever a call names a `user_id`, it reaches what that user owns, and for reading also what is
    shared with them; anything else is answered as if it did not exist.
    """

    def __init__(
        self,
        log: MessageLog,
        records: RecordStore,
        access: SessionAccess,
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
        return await self._update(session_id, user_id, changes)

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
        if not apart.theirs:
            return None
        if len(apart.theirs) > _MERGE_BATCH:
            raise InvalidInputError(f"a merge adds at most {_MERGE_BATCH:,} messages at once")
        entries = []
        for entry in apart.theirs:
            body = encode_message(entry.message)
            mark = fingerprint(entry.message, body)
            entries.append(NewEntry(entry.message.id, body, mark, entry.message.role, entry.tokens))
        result = await self._log.append(self._scope(user_id), into, entries)
        if result is None:
            raise missing_session(into)
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
        from daybook.exporters.formats import export_session  # noqa: PLC0415 - loaded when used

        session = await self._access.require(check_id(session_id, "session_id"), user_id)
        scope = Scope(self._tenant, session.user_id)
        pages = session_forks.read_all(self._log, scope, session_id, before=session.last_seq + 1)
        entries = [decode_entry(stored) async for page in pages for stored in page]
        return "".join(export_session(session, entries, format))

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
