"""Reading sessions' messages, on any thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from daybook.engines.file.paths import session_key
from daybook.engines.file.session_store import SessionStore
from daybook.errors import CorruptRecordError
from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_rules import first_in_view, is_expired

__all__ = ["MessageReads"]


class Window(NamedTuple):
    """Which messages: arguments of `MessageLog.read`."""

    after: int
    before: int | None
    limit: int | None
    newest_first: bool
    view: bool


class MessageReads:
    """Windows of messages, and single sessions."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    def get(self, scope: Scope, session_id: str, now: datetime) -> Session | None:
        """Return a session, or None if missing."""
        return self._sessions.view(scope, session_key(scope.tenant, session_id), now)

    def read(
        self,
        scope: Scope,
        session_id: str,
        *,
        now: datetime,
        after: int,
        before: int | None,
        limit: int | None = None,
        newest_first: bool = False,
        view: bool = False,
    ) -> list[StoredEntry]:
        """Return a window of messages; see `MessageLog.read`."""
        window = Window(after, before, limit, newest_first, view)
        while True:
            found = self._read_once(scope, session_id, now, window)
            if found is not None:
                return found

    def _read_once(
        self, scope: Scope, session_id: str, now: datetime, window: Window
    ) -> list[StoredEntry] | None:
        after, before, limit, newest_first, view = window
        key = session_key(scope.tenant, session_id)
        with self._sessions.opened(key, index=True) as found:
            if found is None:
                return []
            descriptor, file = found
            with file.guard:
                session = file.live()
            if not scope.reaches(session.user_id) or is_expired(session, now):
                return []
            low = max(after, (first_in_view(session) if view else session.first_seq) - 1)
            high = session.last_seq + 1 if before is None else min(before, session.last_seq + 1)
            if limit is not None and newest_first:
                low = max(low, high - 1 - limit)
            elif limit is not None:
                high = min(high, low + 1 + limit)
            try:
                entries = self._sessions.read(key.tenant, file, descriptor, low, high)
            except CorruptRecordError:
                if os.fstat(descriptor).st_nlink:
                    raise
                # It was removed while we read it, and what it shared went with it: look again.
                return None
        if newest_first:
            entries.reverse()
        return entries

    def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]], now: datetime
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places."""
        return [
            self.read(scope, session_id, now=now, after=first - 1, before=last + 1)
            for session_id, first, last in places
        ]
