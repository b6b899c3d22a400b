"""Making a session's file: it appears whole, with its first messages, under a name nobody has."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from daybook.engines.file.file_lock import BusyError
from daybook.engines.file.folders import Folders, write_all
from daybook.engines.file.frames import LINE_SIZE, file_line, seed_of
from daybook.engines.file.marks import Marks, user_name
from daybook.engines.file.paths import (
    INCARNATIONS,
    Place,
    Session,
    listing_of,
    session_place,
)
from daybook.engines.file.session_frames import (
    NO_ROLES,
    Facts,
    Roles,
    count_roles,
    encode_facts,
    encode_messages,
    make_facts,
    state_of,
)
from daybook.engines.file.sync_pool import SyncPool
from daybook.engines.file.tenant_names import TenantNames
from daybook.model.entry import NewEntry
from daybook.model.lineage import Segment
from daybook.model.session import Session as SessionView

__all__ = ["Births", "NewSession", "first_frames"]


_SKIPPED = 1 << 14  # sessions made in a moment; leaves room for 2**17 restarts


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is about to be stored.

    Attributes:
        tenant: Its tenant.
        session: Its facts and, for a fork, the counts of what it shows of its parent.
        stream: The name of its own stream.
        entries: Its first messages.
        with_entries: The session as it is after those.
        segments: Older streams it shows parts of.
        roles: Messages by role of those parts.
        marked: The index must look at it even without first messages.
    """

    tenant: str
    session: SessionView
    stream: str
    entries: Sequence[NewEntry] = ()
    with_entries: SessionView | None = None
    segments: tuple[Segment[str], ...] = ()
    roles: Roles = NO_ROLES
    marked: bool = False


def first_frames(
    new: NewSession, facts: Facts, *, changes: int, entries: Sequence[NewEntry]
) -> list[bytes]:
    """Return a new file's content."""
    seed = seed_of(new.stream)
    state = state_of(new.session, roles=new.roles, changes=changes, facts_at=LINE_SIZE)
    chunks = [file_line(new.stream), encode_facts(state, facts, seed)]
    if entries and new.with_entries is not None:
        after = state_of(
            new.with_entries,
            roles=count_roles(new.roles, entries),
            changes=changes + 1,
            facts_at=LINE_SIZE,
        )
        chunks.append(encode_messages(after, entries, seed))
    return chunks


class Births:
    """Makes sessions' files; for the writer's thread."""

    def __init__(
        self, folders: Folders, marks: Marks, tenants: TenantNames, syncs: SyncPool
    ) -> None:
        self._syncs = syncs
        self._folders = folders
        self._marks = marks
        self._tenants = tenants

    def create(self, key: Session, new: NewSession) -> None:
        """Store a session, on the disk for certain.

        Raises:
            BusyError: Another process has just made one with this id.
            OSError: Nothing was stored.
        """
        session = new.session
        self._tenants.ensure(new.tenant)
        listing = listing_of(key.tenant, user_name(new.tenant, session.user_id))
        self._list(Place(listing, key.key))
        numbers = self._folders.open(Place((), INCARNATIONS), os.O_RDWR | os.O_CREAT)
        try:
            incarnation = self._next(numbers)
            self._publish(key, new, incarnation, syncing=[numbers, listing])
        finally:
            os.close(numbers)

    def _publish(
        self, key: Session, new: NewSession, incarnation: int, syncing: list[int | tuple[str, ...]]
    ) -> None:
        session = new.session
        facts = make_facts(new.tenant, incarnation, session, new.segments)
        chunks = first_frames(new, facts, changes=int(new.marked), entries=new.entries)
        marked = new.marked or bool(new.entries)
        place = session_place(key)
        with self._folders.new_file(chunks) as (descriptor, name):
            self._syncs.sync_all([descriptor, *syncing])
            if not self._folders.synced:  # the name must not stand for half a file
                self._folders.sync_file(descriptor, always=True)
            if marked:
                self._marks.ensure(new.tenant, session.user_id, session.id)
            try:
                self._folders.publish(name, place)
            except FileExistsError:
                raise BusyError from None
            try:
                self._folders.sync(place.folders)
                if marked:  # a settle between the two found no session, and took the mark away
                    self._marks.ensure(new.tenant, session.user_id, session.id)
            except BaseException:
                self._folders.unlink(place)
                raise

    def unlist(self, key: Session, tenant: str, user_id: str) -> None:
        """Take a session off its user's list. One that stays there after a crash does no harm."""
        self._folders.unlink(Place(listing_of(key.tenant, user_name(tenant, user_id)), key.key))

    def _list(self, place: Place) -> None:
        descriptor = self._folders.open(place, os.O_WRONLY | os.O_CREAT, create_folders=True)
        os.close(descriptor)

    def skip_ahead(self) -> None:
        """Pass over numbers that a restart of the machine may have taken from the disk."""
        with self._folders.locked_file(Place((), INCARNATIONS)) as numbers:
            write_all(numbers, [_line(_number(numbers) + _SKIPPED)], 0)
            self._folders.sync_file(numbers, always=True)

    def _next(self, numbers: int) -> int:
        """Return a number greater than any before, in any process; count it in the file."""
        with self._folders.locked_file(Place((), INCARNATIONS)):
            number = _number(numbers) + 1
            write_all(numbers, [_line(number)], 0)
        return number


def _number(numbers: int) -> int:
    return int(os.pread(numbers, 32, 0).strip(b"\0 \n") or b"0")


def _line(number: int) -> bytes:
    return f"{number:031}\n".encode()
