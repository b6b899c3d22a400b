"""Puts imported records into a daybook and keeps count. Knows no format."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from daybook.errors import ConflictError, InvalidInputError
from daybook.exporters.json_export import export_json
from daybook.facets.history import MAX_BATCH, History
from daybook.facets.sessions import Sessions
from daybook.importers.report import MAX_LISTED, ImportReport
from daybook.importers.source import BadRecord, ImportedMessage, ImportedSession, LeftOut, Record
from daybook.model.message import Message
from daybook.model.session import Session

__all__ = ["ImportTarget", "Storing"]

_AT_ONCE = 32  # sessions written side by side: their commits are grouped


class ImportTarget(Protocol):
    """What an import needs of an opened daybook; `AsyncDaybook` has it."""

    sessions: Sessions
    history: History


class Storing:
    """Stores batches of records; one object for one import.

    Attributes:
        stored_count: Messages added or found stored so far.
    """

    def __init__(self, book: ImportTarget, file_name: str) -> None:
        self._book = book
        self._file = file_name
        # True: it was created here; False: it was there; None: it cannot be written.
        self._sessions: dict[tuple[str, str], bool | None] = {}
        self._added = self._duplicates = self._left_out = self._bad_count = 0
        self._bad: list[BadRecord] = []
        self._exported: list[Session] = []
        self._gate = asyncio.Semaphore(_AT_ONCE)

    @property
    def stored_count(self) -> int:
        """Messages added or found stored so far."""
        return self._added + self._duplicates

    async def store(self, records: Sequence[Record]) -> None:
        """Store a batch; sessions side by side, each in its own order.

        Raises:
            StoreError: The engine failed.
        """
        sessions: dict[tuple[str, str], ImportedSession] = {}
        messages: dict[tuple[str, str], list[ImportedMessage]] = {}
        for record in records:
            if isinstance(record, BadRecord):
                self._note(record)
            elif isinstance(record, LeftOut):
                self._left_out += record.count
            else:
                session = record if isinstance(record, ImportedSession) else record.session
                key = (session.session_id, session.user_id)
                sessions.setdefault(key, session)
                into = messages.setdefault(key, [])
                if isinstance(record, ImportedMessage):
                    into.append(record)
        async with asyncio.TaskGroup() as group:
            for key, session in sessions.items():
                group.create_task(self._store_session(session, messages[key]))

    def report(self, *, format_name: str, elapsed_s: float) -> ImportReport:
        """Return what was done."""
        writable = {key: new for key, new in self._sessions.items() if new is not None}
        return ImportReport(
            file=self._file,
            format=format_name,
            users=tuple(sorted({user for _, user in writable})),
            sessions=len(writable),
            new_sessions=sum(writable.values()),
            messages=self._added,
            duplicates=self._duplicates,
            left_out=self._left_out,
            bad_count=self._bad_count,
            bad_records=tuple(self._bad),
            elapsed_s=elapsed_s,
        )

    async def _store_session(
        self, session: ImportedSession, messages: Sequence[ImportedMessage]
    ) -> None:
        key = (session.session_id, session.user_id)
        async with self._gate:
            if key not in self._sessions:
                self._sessions[key] = await self._open_session(session)
                if session.exported is not None:
                    self._exported.append(session.exported)
            if self._sessions[key] is None:
                self._note_lost(messages)
                return
            for at in range(0, len(messages), MAX_BATCH):
                await self._append(session, messages[at : at + MAX_BATCH])

    async def _open_session(self, session: ImportedSession) -> bool | None:
        """Create a session; tell whether it is new, None if it cannot be written."""
        try:
            await self._create(session)
        except ConflictError:
            found = await self._book.sessions.get(session.session_id, user_id=session.user_id)
            if found is not None:
                return False
            reason = f"session {session.session_id} is another user's: its messages are left out"
            self._note(BadRecord(self._file, session.position, reason))
            return None
        except InvalidInputError as exc:
            self._note(BadRecord(self._file, session.position, str(exc)))
            return None
        return True

    async def _create(self, session: ImportedSession) -> None:
        """Create a session; one that Daybook exported, as it was.

        Raises:
            ConflictError: It is there already.
        """
        if session.exported is None:
            await self._book.sessions.create(
                user_id=session.user_id,
                session_id=session.session_id,
                title=session.title,
                metadata=session.metadata,
                ttl=session.ttl,
            )
            return
        if await self._book.sessions.get(session.session_id) is not None:
            raise ConflictError(f"session {session.session_id} is there already")
        await self._book.sessions.import_(_header(session.exported))

    async def finish(self) -> None:
        """Set the times of exported sessions that hold all their messages now."""
        for exported in self._exported:
            if self._sessions.get((exported.id, exported.user_id)):
                await self._book.sessions.import_(_header(exported))

    async def _append(self, session: ImportedSession, messages: Sequence[ImportedMessage]) -> None:
        """Append messages; sort out those that are refused."""
        try:
            await self._append_all(session, messages)
        except ConflictError:
            fresh = await self._sift(session, messages)
            await self._append_parted(session, fresh)
        except InvalidInputError:
            await self._append_parted(session, messages)

    async def _append_all(
        self, session: ImportedSession, messages: Sequence[ImportedMessage]
    ) -> None:
        receipt = await self._book.history.append(
            session.session_id, [one.message for one in messages], user_id=session.user_id
        )
        self._duplicates += receipt.duplicates
        self._added += len(messages) - receipt.duplicates

    async def _append_parted(
        self, session: ImportedSession, messages: Sequence[ImportedMessage]
    ) -> None:
        """Append messages; where one of them is refused, part them until it stands alone."""
        if not messages:
            return
        try:
            await self._append_all(session, messages)
        except (ConflictError, InvalidInputError) as exc:
            if len(messages) == 1:
                reason = str(exc).replace("messages[0].", "")
                self._note(BadRecord(self._file, messages[0].position, reason))
                return
            middle = len(messages) // 2
            await self._append_parted(session, messages[:middle])
            await self._append_parted(session, messages[middle:])

    async def _sift(
        self, session: ImportedSession, messages: Sequence[ImportedMessage]
    ) -> list[ImportedMessage]:
        """Return the messages whose ids are not stored; count those that are.

        What was appended without a time is exported with the time it was given: its export is not
        what was appended, yet it says the same as what is stored, and so is a duplicate.
        """
        stored = {
            message.id: message
            for message in await self._book.history.list(
                session.session_id, user_id=session.user_id
            )
        }
        fresh: list[ImportedMessage] = []
        for one in messages:
            there = stored.get(one.message.id)
            if there is None:
                fresh.append(one)
            elif _says_the_same(there, one.message):
                self._duplicates += 1
            else:
                reason = f"message {one.message.id} is stored with another body; it was left alone"
                self._note(BadRecord(self._file, one.position, reason))
        return fresh

    def _note(self, bad: BadRecord) -> None:
        self._bad_count += 1
        if len(self._bad) < MAX_LISTED:
            self._bad.append(bad)

    def _note_lost(self, messages: Sequence[ImportedMessage]) -> None:
        """Count the messages of a session that cannot be written; it was reported itself."""
        self._left_out += len(messages)


def _header(exported: Session) -> str:
    """Return the export of a session without its messages, which are appended one by one."""
    return "".join(export_json(exported, []))


def _says_the_same(stored: Message, given: Message) -> bool:
    """Tell whether a message is the stored one; a time it does not name is no difference."""
    if given.created_at is None:
        given = replace(given, created_at=stored.created_at)
    return stored == given
