"""Changes of one session at a time, and looking through many: what is not an append or a read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from heapq import nsmallest

from daybook.engines.file.driver_errors import uncertain
from daybook.engines.file.folders import Folders, read_all, write_all
from daybook.engines.file.frames import FRAME_START, claimed_size, new_stream, parse_frame
from daybook.engines.file.locked_file import Locked
from daybook.engines.file.marks import user_name
from daybook.engines.file.paths import (
    TENANTS,
    Session,
    listing_of,
    session_at,
    session_key,
    sessions_of,
)
from daybook.engines.file.paths import tenant_of as tenant_name
from daybook.engines.file.session_birth import Births, NewSession
from daybook.engines.file.session_end import SessionEnd
from daybook.engines.file.session_file import SessionFile
from daybook.engines.file.session_frames import (
    ROLE_NAMES,
    decode_facts,
    encode_blank,
    encode_facts,
    make_facts,
    state_of,
)
from daybook.engines.file.session_store import SessionStore, stream_name
from daybook.engines.file.shared_streams import SharedStreams
from daybook.errors import ConflictError
from daybook.model.lineage import inherited_segments
from daybook.model.scope import Scope
from daybook.model.session import Page, SessionChanges, SessionStats
from daybook.model.session import Session as SessionView
from daybook.model.session_codec import activity_micros, decode_cursor, encode_cursor
from daybook.model.session_rules import (
    changed_session,
    check_fork,
    forked_session,
    fresh_session,
    is_expired,
)
from daybook.protocols.message_log import SessionSpan

__all__ = ["SessionJobs"]

_SUFFIX = ".log"


class SessionJobs:
    """Everything about sessions; what changes one is for the writer's thread."""

    def __init__(
        self,
        folders: Folders,
        sessions: SessionStore,
        births: Births,
        end: SessionEnd,
        streams: SharedStreams,
    ) -> None:
        self._folders = folders
        self._sessions = sessions
        self._births = births
        self._end = end
        self._streams = streams

    def create(self, scope: Scope, session: SessionView, now: datetime) -> SessionView:
        """Store a new session; see `MessageLog.create_session`."""
        fresh = fresh_session(scope, session)
        key = session_key(scope.tenant, session.id)
        self._make_room(key, session.id, now)
        self._births.create(
            key, NewSession(tenant=scope.tenant, session=fresh, stream=new_stream())
        )
        return fresh

    def update(
        self, scope: Scope, session_id: str, changes: SessionChanges, now: datetime
    ) -> SessionView | None:
        """Set fields of a session; see `MessageLog.update_session`."""
        with self._locked(scope, session_id) as locked:
            if locked is None or is_expired(locked.file.live(), now):
                return None
            file = locked.file
            _, before = file.current()
            changed = changed_session(file.session(), changes, now)
            state = state_of(changed, roles=before.roles, changes=before.changes, facts_at=file.end)
            if file.facts is not None:
                facts = make_facts(
                    file.facts.tenant, file.facts.incarnation, changed, file.facts.segments
                )
                self._add(locked, encode_facts(state, facts, file.seed))
                self._blank(locked, before.facts_at)
            return file.session()

    def delete(self, scope: Scope, session_id: str, now: datetime) -> bool:
        """Remove a session; see `MessageLog.delete_session`."""
        with self._locked(scope, session_id) as locked:
            if locked is None:
                return False
            alive = not is_expired(locked.file.live(), now)
            self._end.remove(locked)
            return alive

    def clear(self, scope: Scope, session_id: str, now: datetime) -> int:
        """Remove a session's messages; see `MessageLog.clear`."""
        with self._locked(scope, session_id) as locked:
            if locked is None or is_expired(locked.file.live(), now):
                return 0
            return self._end.clear(locked)

    def fork(
        self, scope: Scope, session_id: str, child: SessionView, at: int | None, now: datetime
    ) -> SessionView | None:
        """Make a session that shares another's messages; see `MessageLog.fork_session`."""
        with self._locked(scope, session_id) as locked:
            if locked is None or is_expired(locked.file.live(), now):
                return None
            parent, file = locked.file.live(), locked.file
            place = check_fork(scope, parent, child, at)
            fresh_session(scope, child)
            key = session_key(scope.tenant, child.id)
            self._make_room(key, child.id, now, parent=locked)
            _, state = file.current()
            tokens, roles = self._sessions.counted(key.tenant, file, place, parent.last_seq + 1)
            system, user, assistant, tool = (
                all_ - later for all_, later in zip(state.roles, roles, strict=True)
            )
            forked = forked_session(
                scope,
                parent,
                child,
                place,
                messages=system + user + assistant + tool,
                tokens=state.tokens - tokens,
            )
            segments = inherited_segments(
                file.facts.segments if file.facts is not None else (),
                stream_name(file.stream, session_at(locked.place).key),
                place,
                first_seq=parent.first_seq,
            )
            new = NewSession(
                tenant=scope.tenant,
                session=forked,
                stream=new_stream(),
                segments=segments,
                roles=(system, user, assistant, tool),
                marked=True,
            )
            with self._streams.referred(key, new.stream, segments):
                self._births.create(key, new)
            return forked

    def changed(self) -> Iterator[tuple[str, SessionView]]:
        """Give every session that has ever changed, with its tenant."""
        for tenant in self._folders.names((TENANTS,)):
            for key in self._keys(tenant):
                with self._sessions.opened(key, index=False) as opened:
                    if opened is None:
                        continue
                    facts, header, state = opened[1].facts, opened[1].header, opened[1].state
                    if facts and header and state and state.changes:
                        yield facts.tenant, header

    def expired(self, now: datetime) -> list[tuple[Scope, str]]:
        """Return every session whose life is over, in every tenant."""
        found = []
        for tenant in self._folders.names((TENANTS,)):
            for key in self._keys(tenant):
                with self._sessions.opened(key, index=False) as opened:
                    if opened is None:
                        continue
                    with opened[1].guard:
                        facts, header, state = opened[1].facts, opened[1].header, opened[1].state
                    if facts and header and state and is_expired(opened[1].live(), now):
                        found.append((Scope(facts.tenant, header.user_id), header.id))
        return found

    def remove_expired(self, scope: Scope, session_id: str, now: datetime) -> bool:
        """Remove a session if its life is over; tell whether it was."""
        with self._locked(scope, session_id) as locked:
            if locked is None or not is_expired(locked.file.live(), now):
                return False
            self._end.remove(locked)
            return True

    def tidy(self) -> None:
        """Drop what a crash left of forks and of streams that nobody shows."""
        self._streams.tidy()

    def page(
        self, scope: Scope, *, limit: int, cursor: str | None, now: datetime
    ) -> Page[SessionView]:
        """Return live sessions, most recently active first; see `MessageLog.list_sessions`."""
        place = decode_cursor(cursor)
        start = None if place is None else (-place[0], place[1])
        views = [view for view, _ in self._sessions.every_view(scope, self._reached(scope), now)]
        rest = (view for view in views if start is None or _rank(view) > start)
        found = nsmallest(limit + 1, rest, key=_rank)
        items = found[:limit]
        return Page(items, encode_cursor(items[-1]) if items and len(found) > limit else None)

    def stats(self, scope: Scope, session_id: str | None, now: datetime) -> SessionStats | None:
        """Return counts over one session or all of a scope."""
        keys = self._reached(scope)
        if session_id is not None:
            keys = [session_key(scope.tenant, session_id)]
        found = self._sessions.every_view(scope, keys, now)
        if session_id is not None and not found:
            return None
        roles: Counter[str] = Counter()
        for _, counts in found:
            roles.update(dict(zip(ROLE_NAMES, counts, strict=True)))
        views = [view for view, _ in found]
        return SessionStats(
            session_count=len(views),
            message_count=sum(view.message_count for view in views),
            turn_count=roles["user"],
            token_count=sum(view.token_count for view in views),
            messages_by_role={role: count for role, count in roles.items() if count},
            first_at=min((view.created_at for view in views), default=None),
            last_at=max((view.last_active_at for view in views), default=None),
        )

    def span(self, scope: Scope, session_id: str, now: datetime) -> SessionSpan | None:
        """Return what of a session can be read."""
        with self._sessions.opened(session_key(scope.tenant, session_id), index=False) as found:
            if found is None:
                return None
            with found[1].guard:
                session, facts = found[1].live(), found[1].facts
        if facts is None or not scope.reaches(session.user_id) or is_expired(session, now):
            return None
        return SessionSpan(session.user_id, session.first_seq, session.last_seq, facts.incarnation)

    @contextmanager
    def _locked(self, scope: Scope, session_id: str) -> Iterator[Locked[SessionFile] | None]:
        """Give a session's locked file, also if its life is over; None if it is out of reach."""
        locked = self._sessions.lock(session_key(scope.tenant, session_id))
        try:
            reached = locked is not None and scope.reaches(locked.file.live().user_id)
            yield locked if reached else None
        finally:
            if locked is not None:
                locked.unlock()

    def _add(self, locked: Locked[SessionFile], frame: bytes) -> None:
        locked.add(frame)
        try:
            self._folders.sync_file(locked.descriptor)
        except BaseException as exc:
            if not locked.take_back():
                raise uncertain("update session") from exc
            raise
        locked.learn(frame)

    def _blank(self, locked: Locked[SessionFile], offset: int) -> None:
        """Take facts that were replaced off the disk; a crash on the way loses nothing else."""
        seed = locked.file.seed
        size = claimed_size(read_all(locked.descriptor, offset, FRAME_START), 0)
        data = read_all(locked.descriptor, offset, size)
        frame = parse_frame(data, 0, seed)
        if frame is not None:
            last_seq = decode_facts(frame.head)[0].last_seq
            write_all(locked.descriptor, [encode_blank(last_seq, size, seed)], offset)
            self._folders.sync_file(locked.descriptor)

    def _make_room(
        self,
        key: Session,
        session_id: str,
        now: datetime,
        parent: Locked[SessionFile] | None = None,
    ) -> None:
        """Remove an expired session that has an id which is wanted.

        Raises:
            ConflictError: A live one has it.
        """
        if parent is not None and session_at(parent.place) == key:
            raise _taken(session_id)
        locked = self._sessions.lock(key)
        if locked is None:
            return
        try:
            if not is_expired(locked.file.live(), now):
                raise _taken(session_id)
            self._end.remove(locked)
        finally:
            locked.unlock()

    def _reached(self, scope: Scope) -> Sequence[Session]:
        tenant = tenant_name(scope.tenant)
        if scope.user_id is None:
            return self._keys(tenant)
        listing = listing_of(tenant, user_name(scope.tenant, scope.user_id))
        return [Session(tenant, name) for name in self._folders.names(listing)]

    def _keys(self, tenant: str) -> list[Session]:
        folder = sessions_of(tenant)
        return [
            Session(tenant, name.removesuffix(_SUFFIX))
            for part in self._folders.names(folder)
            for name in self._folders.names((*folder, part))
        ]


def _taken(session_id: str) -> ConflictError:
    return ConflictError(f"session {session_id!r} is there already: choose another id")


def _rank(session: SessionView) -> tuple[int, str]:
    return -activity_micros(session), session.id
