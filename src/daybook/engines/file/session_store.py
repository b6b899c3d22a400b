"""Sessions' files: opened, checked, known from before, locked for a change."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from daybook.engines.file.driver_errors import damaged
from daybook.engines.file.file_cache import FileCache
from daybook.engines.file.file_lock import release
from daybook.engines.file.folders import Folders
from daybook.engines.file.locked_file import Locked, lock_place
from daybook.engines.file.paths import Place, Session, session_key, session_place, shared_place
from daybook.engines.file.session_file import SessionFile, read_rows
from daybook.engines.file.session_frames import NO_ROLES, Roles
from daybook.errors import CorruptRecordError
from daybook.model.entry import StoredEntry
from daybook.model.lineage import Segment, Window, windows
from daybook.model.scope import Scope
from daybook.model.session import Session as SessionView
from daybook.model.session_rules import is_expired

_log = logging.getLogger(__name__)

__all__ = ["SessionStore", "stream_name"]

_MOST_KNOWN = 500_000  # messages whose places are remembered: some 200 bytes each


def stream_name(stream: str, key: str) -> str:
    """Return how a fork names a stream: with the session it was first the stream of."""
    return f"{stream}.{key}"


class SessionStore:
    """Every session's file. Reading is safe on any thread; locks are for the writer's thread."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.cache: FileCache[SessionFile] = FileCache(SessionFile, _MOST_KNOWN)

    @contextmanager
    def opened(self, key: Session, *, index: bool) -> Iterator[tuple[int, SessionFile] | None]:
        """Give a session's open file and what is known of it; None if there is none."""
        place = session_place(key)
        try:
            descriptor = self.folders.open(place, os.O_RDONLY)
        except FileNotFoundError:
            yield None
            return
        try:
            file, size = self.known(place, descriptor)
            with file.guard:
                file.refresh(descriptor, size, index=index)
                _check_whose(file, key)
            yield descriptor, file
        finally:
            os.close(descriptor)

    def view(self, scope: Scope, key: Session, now: datetime) -> SessionView | None:
        """Return a session as callers see it; None if it is missing."""
        with self.opened(key, index=False) as found:
            if found is None:
                return None
            with found[1].guard:
                session = found[1].session()
        return session if _seen(scope, session, now) else None

    def every_view(
        self, scope: Scope, keys: Sequence[Session], now: datetime
    ) -> list[tuple[SessionView, Roles]]:
        """Return the live sessions of a scope among these, with their messages by role."""
        found = []
        for key in keys:
            try:
                with self.opened(key, index=False) as opened:
                    if opened is None:
                        continue
                    with opened[1].guard:
                        session, roles = opened[1].session(), opened[1].current()[1].roles
            except CorruptRecordError:
                _log.warning("the facts of session file %s are damaged: it is left out", key.key)
                continue
            if _seen(scope, session, now):
                found.append((session, roles))
        return found

    def lock(self, key: Session) -> Locked[SessionFile] | None:
        """Lock a session's file and learn all of it; None if there is none.

        Raises:
            BusyError: Another process has it.
        """
        place = session_place(key)
        opened = lock_place(self.folders, place)
        if opened is None:
            return None
        descriptor, size = opened
        try:
            file, _ = self.known(place, descriptor)
            with file.guard:
                file.refresh(descriptor, size, index=True)
                _check_whose(file, key)
        except BaseException:
            release(descriptor)
            raise
        return Locked(place, descriptor, size, file)

    def read(
        self, tenant: str, file: SessionFile, descriptor: int, after: int, before: int
    ) -> list[StoredEntry]:
        """Return a session's messages with ``after < seq < before``, shared ones included."""
        own = stream_name(file.stream, "")
        found: list[StoredEntry] = []
        segments = file.facts.segments if file.facts is not None else ()
        for window in windows(segments, own, after=after, before=before):
            if window.stream == own:
                with file.guard:
                    rows = file.rows(window.after, window.before)
                found += read_rows(descriptor, rows, file.seed)
            else:
                found += self._read_shared(tenant, window)
        return found

    def counted(self, tenant: str, file: SessionFile, after: int, before: int) -> tuple[int, Roles]:
        """Return the tokens, and the messages by role, of a part of a session."""
        own = stream_name(file.stream, "")
        tokens, roles = 0, list(NO_ROLES)
        segments = file.facts.segments if file.facts is not None else ()
        for window in windows(segments, own, after=after, before=before):
            if window.stream == own:
                more, by_role = file.counted(window.after, window.before)
            else:
                with self.shared(tenant, window.stream) as (_, older), older.guard:
                    more, by_role = older.counted(window.after, window.before)
            tokens += more
            roles = [one + other for one, other in zip(roles, by_role, strict=True)]
        system, user, assistant, tool = roles
        return tokens, (system, user, assistant, tool)

    def ancestors(self, tenant: str, segments: Sequence[Segment[str]]) -> list[SessionFile]:
        """Return what is known of the streams that a fork shows parts of."""
        found = []
        for segment in segments:
            with self.shared(tenant, segment.stream) as (_, file):
                found.append(file)
        return found

    @contextmanager
    def shared(self, tenant: str, stream: str) -> Iterator[tuple[int, SessionFile]]:
        """Give the open file of a stream that a fork shows a part of.

        It is the file of the session whose stream it is or, once that is gone, a part of it. The
        part is there before the session goes, so looking in this order always finds one of them.

        Raises:
            CorruptRecordError: Neither is there.
        """
        name, _, key = stream.partition(".")
        for place in (session_place(Session(tenant, key)), shared_place(tenant, name)):
            try:
                descriptor = self.folders.open(place, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                file, size = self.known(place, descriptor)
                if file.stream == name:
                    with file.guard:
                        file.refresh(descriptor, size, index=True)
                    yield descriptor, file
                    return
            finally:
                os.close(descriptor)
        raise damaged("messages that a fork shares are missing", "read")

    def _read_shared(self, tenant: str, window: Window[str]) -> list[StoredEntry]:
        with self.shared(tenant, window.stream) as (descriptor, file):
            with file.guard:
                rows = file.rows(window.after, window.before)
            return read_rows(descriptor, rows, file.seed)

    def known(self, place: Place, descriptor: int) -> tuple[SessionFile, int]:
        """Return what is known of an open file, maybe nothing yet, and up to where it is shown."""
        return self.cache.known(place, descriptor)


def _check_whose(file: SessionFile, key: Session) -> None:
    """Refuse a file that stands where another session's should.

    Raises:
        CorruptRecordError: It is another's.
    """
    if file.header is None or file.facts is None:
        return
    if session_key(file.facts.tenant, file.header.id) != key:
        raise damaged("a file stands in the place of another session's", "read")


def _seen(scope: Scope, session: SessionView, now: datetime) -> bool:
    return scope.reaches(session.user_id) and not is_expired(session, now)
