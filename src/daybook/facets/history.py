"""`book.history`: what was said, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from daybook.errors import InvalidInputError, NotFoundError
from daybook.facets.checks import check_limit
from daybook.facets.new_session import new_session
from daybook.facets.notes_area import NotesArea
from daybook.facets.session_access import SessionAccess
from daybook.model.codec import (
    check_message,
    decode_entry,
    encode_message,
    fingerprint,
    to_utc,
)
from daybook.model.entry import AppendResult, HistoryEntry, NewEntry, Receipt, StoredEntry
from daybook.model.identifiers import check_id
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.model.session_rules import first_in_view
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.message_log import MessageLog
from daybook.protocols.token_counter import TokenCounter

__all__ = ["MAX_BATCH", "History"]

MAX_BATCH = 10_000

# `list` is a method below, so the types that need the builtin are named here.
_Messages = list[Message]
_Entries = list[HistoryEntry]
_Stored = list[StoredEntry]


class History:
    """Appends to and reads from conversations."""

    def __init__(
        self,
        log: MessageLog,
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
        self._access = access
        self._notes = notes
        self._tenant = tenant
        self._clock = clock
        self._id_factory = id_factory
        self._counter = counter
        self._changed = changed

    async def append(
        self,
        session_id: str,
        messages: Message | Sequence[Message],
        *,
        user_id: str | None = None,
    ) -> Receipt:
        """Add one message or a batch to the end of a session.

        Args:
            session_id: The session.
            messages: At least one, at most 10,000.
            user_id: Its owner, or someone it is shared with as a writer. If the session does not
                exist yet, it is created for this user.

        Returns:
            A receipt: where the messages stand and how safe they are.

        Raises:
            InvalidInputError: A message cannot be stored; names it and the field.
            NotFoundError: There is no such session and no `user_id` to create it for.
            ConflictError: A message id is stored with another body, or the session is another
                user's.
            AccessDeniedError: The session is shared with `user_id` for reading only.
            StoreFullError: No room is left; nothing of the batch is stored.
            StoreError: The engine failed, and where its commit failed nobody can know whether the
                batch is stored: append the same messages again, which is safe.

        Atomicity: all of the batch, contiguous, or none of it.
        Ordering: a batch acknowledged before another was sent comes first.
        Retry-safe: yes, by message id; what is stored already is left alone.
        """
        scope = Scope.of(self._tenant, user_id)
        check_id(session_id, "session_id")
        now = self._clock.now()
        entries = self._encode(messages, now)
        result = await self._log.append(scope, session_id, entries)
        if result is None and user_id is not None:
            result = await self._append_elsewhere(session_id, user_id, entries, now)
        if result is None:
            raise NotFoundError(
                f"no session {session_id}: create it first, or pass user_id= to have it created"
            )
        self._changed()
        return Receipt(
            session_id=session_id,
            first_seq=result.first_seq,
            last_seq=result.last_seq,
            ack=self._log.capabilities.ack,
            duplicates=result.duplicates,
            acknowledged_at=self._clock.now(),
        )

    async def _append_elsewhere(
        self, session_id: str, user_id: str, entries: Sequence[NewEntry], now: datetime
    ) -> AppendResult | None:
        """Append to a session that is shared with the user, or to a new one."""
        found = await self._access.shared(session_id, user_id, "writer")
        if found is not None:
            return await self._log.append(found[0], session_id, entries)
        create = new_session(
            tenant=self._tenant,
            user_id=user_id,
            session_id=session_id,
            now=now,
            id_factory=self._id_factory,
        )
        scope = Scope(self._tenant, user_id)
        return await self._log.append(scope, session_id, entries, create=create)

    async def list(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        after: int = 0,
        before: int | None = None,
        user_id: str | None = None,
        hidden: bool = False,
    ) -> _Messages:
        """Return messages in the order they were said; the newest `limit` of them.

        Args:
            session_id: The session; a missing one has no messages.
            limit: The newest so many; None for all.
            after: Only those with a greater sequence number.
            before: Only those with a smaller sequence number.
            user_id: Only if the session is this user's, or shared with them.
            hidden: Also those that the session's `max_messages` hides.
        """
        entries = await self.entries(
            session_id, limit=limit, after=after, before=before, user_id=user_id, hidden=hidden
        )
        return [entry.message for entry in entries]

    async def entries(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        after: int = 0,
        before: int | None = None,
        user_id: str | None = None,
        hidden: bool = False,
    ) -> _Entries:
        """Return what `list` returns, each message with its sequence number and tokens.

        To page: pass the last entry's `seq` as `after` (or the first one's as `before`); places
        stay valid while others append.

        Where `max_messages` hides a tool call, its results are hidden with it.
        """
        check_id(session_id, "session_id")
        low, high = _check_seq(after, "after"), None
        if before is not None:
            high = _check_seq(before, "before")
        most = None if limit is None else check_limit(limit)

        async def read(scope: Scope) -> _Stored:
            return await self._log.read(
                scope,
                session_id,
                after=low,
                before=high,
                limit=most,
                newest_first=most is not None,
                view=not hidden,
            )

        scope = Scope.of(self._tenant, user_id)
        stored = await read(scope)
        if not stored and user_id is not None:
            found = await self._access.shared(session_id, user_id, "reader")
            if found is None:
                return []
            scope = found[0]
            stored = await read(scope)
        if limit is not None:
            stored.reverse()
        entries = [decode_entry(entry) for entry in stored]
        orphans = set() if hidden else _orphaned_results(entries)
        if orphans and await self._hides_before(scope, session_id, entries[0].seq):
            return [entry for entry in entries if entry.seq not in orphans]
        return entries

    async def _hides_before(self, scope: Scope, session_id: str, seq: int) -> bool:
        """Tell whether a window that begins at `seq` begins where the session's view does."""
        session = await self._log.get_session(scope, session_id)
        return session is not None and session.first_seq < seq <= first_in_view(session)

    async def clear(self, session_id: str, *, user_id: str | None = None) -> int:
        """Remove all messages of a session, keep the session; return how many. Repeatable.

        Sequence numbers go on: no number is given twice.
        """
        scope = Scope.of(self._tenant, user_id)
        session = await self._log.get_session(scope, check_id(session_id, "session_id"))
        if session is not None:
            await self._notes.forget(session)
        removed = await self._log.clear(scope, session_id)
        if session is not None:
            # Again: a context that was being built may have written in between.
            await self._notes.forget(session)
        self._changed()
        return removed

    def _encode(self, messages: Any, now: datetime) -> Sequence[NewEntry]:
        if isinstance(messages, Message):
            return [self._encode_one(messages, "message", now)]
        if isinstance(messages, str | bytes | dict) or not isinstance(messages, Iterable):
            raise InvalidInputError(
                f"messages must be a Message or a sequence of them, got {type(messages).__name__}"
            )
        batch = messages if isinstance(messages, Sequence) else tuple(messages)
        if not 1 <= len(batch) <= MAX_BATCH:
            raise InvalidInputError(
                f"messages: a batch has 1 to {MAX_BATCH:,} messages, got {len(batch)}"
            )
        return [
            self._encode_one(message, f"messages[{index}]", now)
            for index, message in enumerate(batch)
        ]

    def _encode_one(self, message: Message, where: str, now: datetime) -> NewEntry:
        check_message(message, where)
        body = encode_message(message)
        mark = fingerprint(message, body)
        said_at = message.created_at
        if said_at is None:
            body = encode_message(msgspec.structs.replace(message, created_at=now))
        elif said_at.tzinfo is not UTC:
            body = encode_message(msgspec.structs.replace(message, created_at=to_utc(said_at)))
        return NewEntry(message.id, body, mark, message.role, self._counter.count(message))


def _orphaned_results(entries: _Entries) -> set[int]:
    """Return the numbers of tool results whose call is not among the entries before them."""
    calls: set[str] = set()
    orphans: set[int] = set()
    for entry in entries:
        message = entry.message
        if message.tool_calls:
            calls.update(call.id for call in message.tool_calls)
        elif message.role == "tool" and message.tool_call_id not in calls:
            orphans.add(entry.seq)
    return orphans


def _check_seq(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInputError(f"{what} must be a sequence number: an int of 0 or more")
    return value
