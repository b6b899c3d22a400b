"""Pending marks: a small file for each session whose changes the index has not settled.

A mark's file is made before the change it stands for and taken away only under the session's
lock, so no crash of a process loses one. It is not synced with every change: after a restart of
the machine, every session is marked once (see `daybook.engines.file.recovery`).
"""

from __future__ import annotations

import time

import msgspec
from msgspec import Struct

from daybook.engines.file.folders import Folders
from daybook.engines.file.paths import (
    TENANTS,
    Place,
    Session,
    marks_of,
    name_of,
    session_key,
    tenant_of,
)
from daybook.engines.file.session_store import SessionStore
from daybook.model.scope import Scope
from daybook.protocols.message_log import PendingSession

__all__ = ["Marks", "mark_of", "user_name"]

_SPAN = 2**32


class _Mark(Struct, frozen=True):
    """The content of a mark's file; `removed` is the last mark of a session that is gone."""

    at: int
    tenant: str
    user_id: str
    session_id: str
    removed: int | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Mark).decode


def mark_of(incarnation: int, changes: int | None) -> int:
    """Return a mark that grows with every change; None for the removal, the last one."""
    return incarnation * _SPAN + (_SPAN - 1 if changes is None else changes)


def user_name(tenant: str, user_id: str) -> str:
    """Return a user's hashed name."""
    return name_of("user", tenant, user_id)


class Marks:
    """All tenants' marks."""

    def __init__(self, folders: Folders, sessions: SessionStore) -> None:
        self._folders = folders
        self._sessions = sessions
        self._last = 0

    def ensure(self, tenant: str, user_id: str, session_id: str) -> None:
        """See to it that a session is marked."""
        place = self._place(tenant, user_id, session_id)
        if self._folders.stat(place) is None:
            mark = _Mark(self._now(), tenant, user_id, session_id)
            self._folders.write_small(place, _encode(mark), durable=False)

    def removed(self, tenant: str, user_id: str, session_id: str, incarnation: int) -> None:
        """Mark a session that is about to go, on the disk for certain."""
        place = self._place(tenant, user_id, session_id)
        with self._folders.folder(place.folders, create=True):
            pass
        with self._folders.locked_folder(place.folders):
            before = self._read(place)
            at = self._now() if before is None else before.at
            mark = _Mark(at, tenant, user_id, session_id, mark_of(incarnation, None))
            self._folders.write_small(place, _encode(mark), durable=True)

    def mend(self) -> None:
        """Take away marks that a power loss left empty or torn; the caller then marks anew."""
        for tenant in self._folders.names((TENANTS,)):
            for name in self._folders.names(marks_of(tenant)):
                place = Place(marks_of(tenant), name)
                if self._read(place) is None:
                    self._folders.unlink(place)

    def pending(self, *, limit: int, scope: Scope | None) -> list[PendingSession]:
        """Return marked sessions, oldest change first."""
        tenants = self._folders.names((TENANTS,)) if scope is None else [tenant_of(scope.tenant)]
        start = ""
        if scope is not None and scope.user_id is not None:
            start = user_name(scope.tenant, scope.user_id) + "."
        found = []
        for tenant in tenants:
            for name in self._folders.names(marks_of(tenant)):
                mark = self._read(Place(marks_of(tenant), name)) if name.startswith(start) else None
                if mark is not None:
                    found.append(mark)
        found.sort(key=lambda mark: mark.at)
        return [
            PendingSession(one.tenant, one.user_id, one.session_id, self._current(one))
            for one in found[:limit]
        ]

    def settle(self, settled: PendingSession) -> None:
        """Take a mark away unless its session changed again.

        Raises:
            BusyError: Another process changes the session at this moment.
        """
        locked = self._sessions.lock(session_key(settled.tenant, settled.session_id))
        try:
            place = self._place(settled.tenant, settled.user_id, settled.session_id)
            if self._folders.stat(place) is None:
                return
            with self._folders.locked_folder(place.folders):
                mark = self._read(place)
                if mark is not None and self._current(mark) == settled.mark:
                    self._folders.unlink(place)
        finally:
            if locked is not None:
                locked.unlock()

    def _current(self, mark: _Mark) -> int:
        key = session_key(mark.tenant, mark.session_id)
        with self._sessions.opened(key, index=False) as found:
            if found is not None:
                with found[1].guard:
                    facts, header, state = found[1].facts, found[1].header, found[1].state
                if facts and header and state and header.user_id == mark.user_id:
                    return mark_of(facts.incarnation, state.changes)
        return mark.removed or 0

    def _read(self, place: Place) -> _Mark | None:
        """Return a mark; None if it is not there, or is one that `mend` takes away."""
        body = self._folders.read_small(place)
        try:
            return None if body is None else _decode(body)
        except msgspec.MsgspecError:
            return None

    def _now(self) -> int:
        # Only decides which change is looked at first, so any clock that goes on will do.
        self._last = max(self._last + 1, time.time_ns())
        return self._last

    def _place(self, tenant: str, user_id: str, session_id: str) -> Place:
        key: Session = session_key(tenant, session_id)
        return Place(marks_of(key.tenant), f"{user_name(tenant, user_id)}.{key.key}")
