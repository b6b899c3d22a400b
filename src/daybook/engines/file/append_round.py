"""A round of appends: each session's file gets one frame, and all files are synced side by side.

Whatever arrives for one session in a round becomes one frame: it is there whole or not at all,
also after a power loss, and the next frame is not begun before it is on the disk.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from daybook.engines.file.driver_errors import uncertain
from daybook.engines.file.file_lock import BusyError
from daybook.engines.file.frames import new_stream
from daybook.engines.file.locked_file import Locked
from daybook.engines.file.marks import Marks
from daybook.engines.file.paths import Session, session_key
from daybook.engines.file.session_birth import Births, NewSession
from daybook.engines.file.session_end import SessionEnd
from daybook.engines.file.session_file import SessionFile
from daybook.engines.file.session_frames import count_roles, encode_messages, state_of
from daybook.engines.file.session_store import SessionStore
from daybook.engines.file.sync_pool import SyncPool
from daybook.engines.file.writer import Outcome
from daybook.errors import ConflictError
from daybook.model.entry import AppendResult, NewEntry
from daybook.model.scope import Scope
from daybook.model.session import Session as SessionView
from daybook.model.session_rules import active_session, fresh_session, is_expired

__all__ = ["AppendRequest", "AppendRound"]

_MOST_FILES = 64  # open at once
_PART_OF_LIMIT = 8  # and no more than this part of what the process may open

Answer = AppendResult | None
_Known = tuple[bytes, int]


class AppendRequest(Struct, frozen=True, gc=False):
    """The arguments of `MessageLog.append`, and the time."""

    scope: Scope
    session_id: str
    entries: Sequence[NewEntry]
    create: SessionView | None
    now: datetime


class _Draft:
    """One session in a round: what is stored, and what the round adds.

    Attributes:
        tenant: Its tenant.
        session: Its facts and counts, as the round has left them so far.
        locked: Its file; None if the round makes it.
        fresh: Messages the round adds.
    """

    def __init__(
        self,
        tenant: str,
        session: SessionView,
        locked: Locked[SessionFile] | None,
        ancestors: Sequence[tuple[SessionFile, int]],
    ) -> None:
        self.tenant = tenant
        self.session = session
        self.locked = locked
        self.born = session
        self.fresh: list[NewEntry] = []
        self._ancestors = ancestors
        self._added: dict[str, _Known] = {}

    def add(self, entries: Sequence[NewEntry], now: datetime) -> AppendResult:
        """Add what is new of a batch; tell where all of it stands.

        Raises:
            ConflictError: An id is there with another body; nothing was added.
        """
        seq = self.session.last_seq
        fresh: dict[str, _Known] = {}
        new: list[NewEntry] = []
        places = []
        for entry in entries:
            known = fresh.get(entry.id) or self._known(entry.id)
            if known is None:
                seq += 1
                known = fresh[entry.id] = (entry.fingerprint, seq)
                new.append(entry)
            elif known[0] != entry.fingerprint:
                raise ConflictError(
                    f"message {entry.id!r} of session {self.session.id!r} is already there with "
                    "another body: a message never changes, give the new one its own id"
                )
            places.append(known[1])
        if new:
            self._added.update(fresh)
            self.fresh += new
            tokens = sum(entry.tokens for entry in new)
            self.session = active_session(self.session, len(new), tokens, now)
        duplicates = len(entries) - len(new)
        return AppendResult(min(places), max(places), duplicates, self.session.user_id)

    def _known(self, message_id: str) -> _Known | None:
        found = self._added.get(message_id)
        if found is None and self.locked is not None:
            found = self.locked.file.known(message_id)
        if found is not None:
            return found
        for older, last in self._ancestors:
            found = older.known(message_id)
            if found is not None and self.session.first_seq <= found[1] <= last:
                return found
        return None


class AppendRound:
    """Does many appends at once; for the writer's thread."""

    def __init__(
        self, sessions: SessionStore, births: Births, end: SessionEnd, marks: Marks, syncs: SyncPool
    ) -> None:
        self._sessions = sessions
        self._births = births
        self._end = end
        self._marks = marks
        self._syncs = syncs

    def together(self, requests: Sequence[AppendRequest]) -> list[Outcome[Answer]]:
        """Do requests in order; each succeeds or fails alone, a session's as one."""
        outcomes: list[Outcome[Answer]] = []
        drafts: dict[Session, _Draft | BaseException] = {}
        start = 0
        most = _most_files()
        for at, request in enumerate(requests):
            key = session_key(request.scope.tenant, request.session_id)
            if len(drafts) >= most and key not in drafts:
                self._finish(requests[start:at], drafts, outcomes, start)
                drafts, start = {}, at
            outcomes.append(self._add(request, key, drafts))
        self._finish(requests[start:], drafts, outcomes, start)
        return outcomes

    def _add(
        self, request: AppendRequest, key: Session, drafts: dict[Session, _Draft | BaseException]
    ) -> Outcome[Answer]:
        try:
            draft = self._draft(request, key, drafts)
            return (None if draft is None else draft.add(request.entries, request.now)), None
        except BaseException as exc:  # noqa: BLE001 - handed to the caller who asked
            return None, exc

    def _draft(
        self, request: AppendRequest, key: Session, drafts: dict[Session, _Draft | BaseException]
    ) -> _Draft | None:
        """Return the session of a request as the round has left it; None if it is missing."""
        scope, create = request.scope, request.create
        fresh = None if create is None else fresh_session(scope, create)
        found = drafts.get(key)
        if isinstance(found, BaseException):
            raise found
        if found is None:
            found = self._open(key, drafts)
        if found is None or is_expired(found.session, request.now):
            return None if fresh is None else self._begin(request, key, fresh, drafts, found)
        if fresh is not None and found.session.user_id != fresh.user_id:
            raise ConflictError(f"session {fresh.id!r} is not free: choose another id")
        return found if scope.reaches(found.session.user_id) else None

    def _open(self, key: Session, drafts: dict[Session, _Draft | BaseException]) -> _Draft | None:
        """Lock a session; what fails here fails for the whole round."""
        try:
            locked = self._sessions.lock(key)
        except (BusyError, OSError) as exc:
            drafts[key] = exc
            raise
        if locked is None:
            return None
        try:
            facts, session = locked.file.facts, locked.file.live()
            segments = () if facts is None else facts.segments
            files = self._sessions.ancestors(key.tenant, segments)
            ends = [segment.last_seq for segment in segments]
            tenant = "" if facts is None else facts.tenant
            draft = _Draft(tenant, session, locked, list(zip(files, ends, strict=True)))
        except BaseException:
            locked.unlock()
            raise
        drafts[key] = draft
        return draft

    def _begin(
        self,
        request: AppendRequest,
        key: Session,
        fresh: SessionView,
        drafts: dict[Session, _Draft | BaseException],
        expired: _Draft | None,
    ) -> _Draft:
        """Begin a session that the round makes; one with its id that has expired goes first."""
        draft = _Draft(request.scope.tenant, fresh, None, ())
        draft.add(request.entries, request.now)  # a batch that is refused makes no session
        if expired is not None and expired.locked is not None:
            self._end.remove(expired.locked)
            expired.locked.unlock()
        draft = drafts[key] = _Draft(request.scope.tenant, fresh, None, ())
        return draft

    def _finish(
        self,
        requests: Sequence[AppendRequest],
        drafts: dict[Session, _Draft | BaseException],
        outcomes: list[Outcome[Answer]],
        start: int,
    ) -> None:
        """Write and sync what was added; a session that fails takes its own requests along."""
        open_drafts = {key: one for key, one in drafts.items() if isinstance(one, _Draft)}
        try:
            failed = self._write(open_drafts)
        finally:
            for draft in open_drafts.values():
                if draft.locked is not None:
                    draft.locked.unlock()
        if not failed:
            return
        for at, request in enumerate(requests, start):
            error = failed.get(session_key(request.scope.tenant, request.session_id))
            if error is not None and outcomes[at][1] is None:
                outcomes[at] = (None, error)

    def _write(self, drafts: dict[Session, _Draft]) -> dict[Session, BaseException]:
        failed: dict[Session, BaseException] = {}
        written: dict[Session, bytes] = {}
        for key, draft in drafts.items():
            try:
                if draft.locked is not None:
                    written[key] = self._write_frame(draft, draft.locked)
                elif draft.fresh:
                    self._births.create(key, self._new(draft))
            except Exception as exc:  # noqa: BLE001 - handed to the callers who asked
                failed[key] = exc
        syncing = {
            key: locked
            for key, draft in drafts.items()
            if (locked := draft.locked) and (written.get(key) or locked.file.unsynced)
        }
        syncing = {key: locked for key, locked in syncing.items() if key not in failed}
        errors = self._syncs.sync([locked.descriptor for locked in syncing.values()])
        for (key, locked), error in zip(syncing.items(), errors, strict=True):
            if error is None:
                locked.learn(written[key])
            else:
                failed[key] = error if locked.take_back() else uncertain("append")
        return failed

    def _write_frame(self, draft: _Draft, locked: Locked[SessionFile]) -> bytes:
        """Write what a session got, at its end; nothing of it is seen before it is synced."""
        if not draft.fresh:
            return b""
        file, session = locked.file, draft.session
        _, before = file.current()
        state = state_of(
            session,
            roles=count_roles(before.roles, draft.fresh),
            changes=before.changes + 1,
            facts_at=before.facts_at,
        )
        frame = encode_messages(state, draft.fresh, file.seed)
        self._marks.ensure(draft.tenant, session.user_id, session.id)
        locked.add(frame)
        return frame

    def _new(self, draft: _Draft) -> NewSession:
        return NewSession(
            tenant=draft.tenant,
            session=draft.born,
            stream=new_stream(),
            entries=draft.fresh,
            with_entries=draft.session,
        )


def _most_files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_FILES
    return max(1, min(_MOST_FILES, soft // _PART_OF_LIMIT))
