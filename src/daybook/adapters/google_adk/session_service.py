"""`DaybookSessionService`: ADK's sessions, their events and their states."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event
from google.adk.sessions.base_session_service import (
    BaseSessionService,
    GetSessionConfig,
    ListSessionsResponse,
)
from google.adk.sessions.session import Session
from msgspec.structs import replace

from daybook.adapters.google_adk.events import event_of, message_of
from daybook.adapters.google_adk.states import (
    AppAndUser,
    Deltas,
    SessionHead,
    changed,
    decoded,
    deltas_of,
    encoded,
    merged,
    state_of,
)
from daybook.adapters.opened import BookOrUrl, Place
from daybook.client import AsyncDaybook
from daybook.errors import ConflictError
from daybook.facets.records import RecordWrite
from daybook.model.identifiers import new_id
from daybook.model.message import Message

__all__ = ["DaybookSessionService"]

_PAGE = 500
_SLACK = 8  # events that others may add between two reads


class DaybookSessionService(BaseSessionService):  # type: ignore[misc] # untyped where it is checked
    """Sessions for ADK's runner, each a conversation of its user's in the book.

    An event and the state it changes are stored as one: the state with its revision first, with
    the event beside it, then the event in the log; who comes after a crash between them completes
    it. A session object that others have gone past is told so by the revision, never by a clock.
    """

    def __init__(self, book: BookOrUrl, **options: Any) -> None:
        """Name the place; no I/O.

        Args:
            book: A URL as for `Daybook.open`, or an opened book. A URL is opened once per process.
            options: Options of `Daybook.open`, with a URL only.
        """
        self._place = Place(book, options)
        self._locks: WeakValueDictionary[Any, asyncio.Lock] = WeakValueDictionary()

    async def create_session(
        self,
        *,
        app_name: str,
        user_id: str,
        state: dict[str, Any] | None = None,
        session_id: str | None = None,
    ) -> Session:
        """Make a session.

        Raises:
            AlreadyExistsError: The user has one of this id in this app.
        """
        book = await self._book()
        whose = AppAndUser(app_name, user_id)
        session_id = (session_id or "").strip() or new_id()
        parted = deltas_of(state)
        head = SessionHead.fresh(parted.session, book.clock.now().timestamp())
        while True:
            if await book.records.get(*whose.session(session_id)) is not None:
                raise AlreadyExistsError(f"Session with id {session_id} already exists.")
            try:
                await self._put(book, whose, head.write(whose, session_id), parted)
            except ConflictError:
                continue
            break
        with suppress(ConflictError):  # a delete of an earlier one did not get so far
            await book.sessions.create(
                user_id=user_id,
                conversation_id=_conversation(app_name, session_id),
                metadata={"google_adk": {"app_name": app_name, "session_id": session_id}},
            )
        return await self._session(book, whose, session_id, replace(head, version=1), [])

    async def get_session(
        self,
        *,
        app_name: str,
        user_id: str,
        session_id: str,
        config: GetSessionConfig | None = None,
    ) -> Session | None:
        """Return a session with its events, or the newest of them; None if there is none."""
        book = await self._book()
        whose = AppAndUser(app_name, user_id)
        session_id = session_id.strip()
        record = await book.records.get(*whose.session(session_id))
        if record is None:
            return None
        head = SessionHead.of(record)
        most = None if config is None else config.num_recent_events
        events = [] if most == 0 else await self._events(book, whose, session_id, head, most)
        if config is not None and config.after_timestamp is not None:
            events = [one for one in events if one.timestamp >= config.after_timestamp]
        return await self._session(book, whose, session_id, head, events)

    async def list_sessions(
        self, *, app_name: str, user_id: str | None = None
    ) -> ListSessionsResponse:
        """Return the sessions of an app, of one user if named, last changed last; no events."""
        book = await self._book()
        prefix = () if user_id is None else AppAndUser(app_name, user_id).session("-")[0]
        found: dict[tuple[str, str], SessionHead] = {}
        offset = 0
        while True:
            page = await book.records.list(
                prefix, filter={"app": app_name}, limit=_PAGE, offset=offset
            )
            for one in page:
                if one.namespace[1:] == ("google_adk", app_name, "sessions"):
                    found[one.namespace[0], one.key] = SessionHead.of(one)
            if len(page) < _PAGE:
                break
            offset += _PAGE
        order = sorted(found, key=lambda place: (found[place].updated_at, *place))
        sessions = [
            await self._session(book, AppAndUser(app_name, user), name, found[user, name], [])
            for user, name in order
        ]
        return ListSessionsResponse(sessions=sessions)

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Remove a session with its events and its state, for good. Repeatable."""
        book = await self._book()
        session_id = session_id.strip()
        await book.records.delete(*AppAndUser(app_name, user_id).session(session_id))
        log_id = await self._log_id(book, app_name, user_id, session_id)
        await book.sessions.delete(log_id, user_id=user_id)

    async def get_user_state(self, *, app_name: str, user_id: str) -> dict[str, Any]:
        """Return a user's state in an app, without prefixes."""
        book = await self._book()
        return state_of(await book.records.get(*AppAndUser(app_name, user_id).user_state))

    async def append_event(self, session: Session, event: Event) -> Event:
        """Store an event and the state it changes, and add both to the session object.

        A partial event is returned as it is. What begins with ``temp:`` is set on the object only.

        Raises:
            StaleSessionError: Others have added events since the object was read; nothing is
                stored: get the session again.
            SessionNotFoundError: The session is gone.
            StoreError: The engine failed; append the same event again, which is safe.
        """
        if event.partial:
            return event
        self._apply_temp_state(session, event)
        event = self._trim_temp_delta_state(event)
        async with self._lock(session):
            head = await self._advance(session, event)
            session._storage_update_marker = head.marker  # noqa: SLF001 - ADK's place for it
            session.last_update_time = head.updated_at
        committed: Event = self._commit_event_to_session(session, event)
        return committed

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable; the next use opens it again."""
        self._place.close()

    async def _book(self) -> AsyncDaybook:
        return (await self._place.aopen()).awaited

    def _lock(self, session: Session) -> asyncio.Lock:
        """Return what lets the tasks that hold one session object append one after another."""
        key = (id(asyncio.get_running_loop()), session.app_name, session.user_id, session.id)
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    async def _advance(self, session: Session, event: Event) -> SessionHead:
        """Store an event; return the head that knows it."""
        book = await self._book()
        whose = AppAndUser(session.app_name, session.user_id)
        parted = deltas_of(event.actions.state_delta if event.actions else None)
        marker = session._storage_update_marker  # noqa: SLF001 - ADK's place for it
        while True:
            record = await book.records.get(*whose.session(session.id))
            if record is None:
                raise SessionNotFoundError(f"Session {session.id} not found.")
            head = SessionHead.of(record)
            if head.last_id == event.id:  # stored by an attempt that was not told so
                await self._log(book, whose, session.id, [head.last])
                return head
            if marker is not None and marker != head.marker:
                raise StaleSessionError(
                    f"Session {session.id} has events that this object does not know: get it again"
                )
            message = message_of(event, f"{event.id}/{head.birth}:{head.version + 1}")
            ahead = replace(
                head,
                state={**head.state, **parted.session},
                updated_at=event.timestamp,
                last=encoded(message),
                last_id=event.id,
            )
            try:
                await self._put(book, whose, ahead.write(whose, session.id), parted)
            except ConflictError:
                continue  # another event, or another session's change of the shared state
            await self._log(book, whose, session.id, [head.last, ahead.last])
            return replace(ahead, version=head.version + 1)

    async def _put(
        self, book: AsyncDaybook, whose: AppAndUser, head: RecordWrite, parted: Deltas
    ) -> None:
        """Store a head with the states that change beside it, all or nothing where the engine can.

        Raises:
            ConflictError: One of them was changed meanwhile; nothing is stored.
        """
        app, user = await book.records.get_many([whose.app_state, whose.user_state])
        writes = [head]
        if parted.user:
            writes.append(changed(whose.user_state, user, parted.user))
        if parted.app and book.capabilities.atomic_across_owners:
            writes.append(changed(whose.app_state, app, parted.app))
        await book.records.put_many(writes)
        while parted.app and not book.capabilities.atomic_across_owners:
            app = await book.records.get(*whose.app_state)
            try:
                await book.records.put_many([changed(whose.app_state, app, parted.app)])
            except ConflictError:
                continue
            break

    async def _log(
        self,
        book: AsyncDaybook,
        whose: AppAndUser,
        session_id: str,
        events: Sequence[dict[str, Any] | None],
    ) -> None:
        """Put events into the log, those that are not there yet."""
        messages: list[Message] = [decoded(one) for one in events if one is not None]
        log_id = await self._log_id(book, whose.app_name, whose.user_id, session_id)
        if messages:
            await book.history.append(log_id, messages, user_id=whose.user_id)

    async def _events(
        self,
        book: AsyncDaybook,
        whose: AppAndUser,
        session_id: str,
        head: SessionHead,
        most: int | None,
    ) -> list[Event]:
        """Return the events up to the head's newest: what was added later, it does not know."""
        if head.last is None:
            return []
        log_id = await self._log_id(book, whose.app_name, whose.user_id, session_id)
        newest = decoded(head.last).id
        limit = None if most is None else most + _SLACK
        while True:
            messages = await book.history.list(log_id, limit=limit, user_id=whose.user_id)
            at = next((at for at, one in enumerate(messages) if one.id == newest), None)
            if at is not None and _enough(messages, at, most, limit):
                break
            if limit is None:
                await self._log(book, whose, session_id, [head.last])
            limit = None
        ours = [one for one in messages[: at + 1] if f"/{head.birth}:" in one.id]
        known = [event for one in ours if (event := event_of(one)) is not None]
        return known if most is None else known[-most:]

    async def _session(
        self,
        book: AsyncDaybook,
        whose: AppAndUser,
        session_id: str,
        head: SessionHead,
        events: list[Event],
    ) -> Session:
        session = Session(
            id=session_id,
            app_name=whose.app_name,
            user_id=whose.user_id,
            state=await merged(book, whose, head.state),
            events=events,
            last_update_time=head.updated_at,
        )
        session._storage_update_marker = head.marker  # noqa: SLF001 - ADK's place for it
        return session

    async def _log_id(
        self, book: AsyncDaybook, app_name: str, user_id: str, session_id: str
    ) -> str:
        return await book.sessions.id_of(
            user_id=user_id, conversation_id=_conversation(app_name, session_id)
        )


def _conversation(app_name: str, session_id: str) -> str:
    return json.dumps([app_name, session_id], ensure_ascii=False)


def _enough(messages: Sequence[Message], at: int, most: int | None, limit: int | None) -> bool:
    """Tell whether the newest `most` up to the place `at` are among what was read."""
    return most is None or limit is None or at + 1 >= most or len(messages) < limit
