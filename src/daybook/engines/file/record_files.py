"""Owners' files of records: opened, locked, written to, written anew."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from daybook.engines.file.driver_errors import uncertain
from daybook.engines.file.file_cache import FileCache
from daybook.engines.file.file_lock import BusyError, release
from daybook.engines.file.folders import Folders
from daybook.engines.file.frames import file_line, new_stream, seed_of
from daybook.engines.file.locked_file import Locked, lock_place
from daybook.engines.file.paths import (
    TENANTS,
    Place,
    name_of,
    records_of,
    records_place,
    tenant_of,
)
from daybook.engines.file.record_file import RecordFile
from daybook.engines.file.record_frames import Key, Owner, Version, encode_owner, encode_written
from daybook.engines.file.sync_pool import SyncPool
from daybook.engines.file.tenant_names import TenantNames
from daybook.model.memory_record import Namespace

__all__ = ["Draft", "OwnerName", "RecordFiles"]

_MOST_KNOWN = 64_000_000  # bytes of records kept for the next call
_PER_FRAME = 1000
_SUFFIX = ".log"


class OwnerName(NamedTuple):
    """The hashed names of a tenant and an owner."""

    tenant: str
    owner: str

    @classmethod
    def of(cls, tenant: str, label: str) -> OwnerName:
        """Return the names of an owner."""
        return cls(tenant_of(tenant), name_of("records", tenant, label))

    @property
    def place(self) -> Place:
        """Where the owner's records stand."""
        return records_place(self.tenant, self.owner)


class Draft:
    """What a call writes to one owner's file, all of it one frame.

    Attributes:
        owner: Whose records.
        locked: The file; None if the call makes it.
    """

    def __init__(self, owner: Owner, locked: Locked[RecordFile] | None) -> None:
        self.owner = owner
        self.locked = locked
        self._added: list[tuple[Version, bool]] = []
        self._histories: dict[Key, list[Version]] = {}

    def history(self, key: Key, now: int) -> list[Version]:
        """Return the versions of a live key as the call has left them, oldest first."""
        history = self._histories.get(key)
        if history is None:
            stored = [] if self.locked is None else self.locked.file.versions(key, now)
            return stored[:1] + stored[-1:] if stored else []
        return [] if history[-1].expired(now) else history

    def add(self, versions: Iterable[Version], *, anew: bool) -> None:
        """Add versions of one key; `anew` ends what was there before."""
        for version in versions:
            key = (version.namespace, version.key)
            before = [] if anew else self.history(key, version.updated_at)
            self._histories[key] = [*before, version]
            self._added.append((version, anew))
            anew = False

    def frame(self, seed: int) -> bytes:
        """Return all of it as one frame; empty for nothing."""
        return encode_written(self._added, seed) if self._added else b""


class RecordFiles:
    """Every owner's file. Reading is safe on any thread; the rest is for the writer's."""

    def __init__(self, folders: Folders, syncs: SyncPool, tenants: TenantNames) -> None:
        self._folders = folders
        self._syncs = syncs
        self._tenants = tenants
        self._cache: FileCache[RecordFile] = FileCache(RecordFile, _MOST_KNOWN)

    def owners(self, tenant: str, prefix: Namespace) -> list[OwnerName]:
        """Return who may have records below a prefix."""
        if prefix:
            return [OwnerName.of(tenant, prefix[0])]
        return self._owners(tenant_of(tenant))

    def everyone(self) -> list[OwnerName]:
        """Return every owner of every tenant."""
        tenants = self._folders.names((TENANTS,))
        return [name for tenant in tenants for name in self._owners(tenant)]

    @contextmanager
    def opened(self, name: OwnerName) -> Iterator[RecordFile | None]:
        """Give what is known of an owner's records, held still; None if there are none."""
        try:
            descriptor = self._folders.open(name.place, os.O_RDONLY)
        except FileNotFoundError:
            yield None
            return
        try:
            file, size = self._cache.known(name.place, descriptor)
            with file.guard:
                file.refresh(descriptor, size)
                yield file
        finally:
            os.close(descriptor)

    def lock(self, stack: ExitStack, name: OwnerName) -> Locked[RecordFile] | None:
        """Lock an owner's file until the stack ends; None if there is none.

        Raises:
            BusyError: Another process has it.
        """
        opened = lock_place(self._folders, name.place)
        if opened is None:
            return None
        descriptor, size = opened
        try:
            file, _ = self._cache.known(name.place, descriptor)
            with file.guard:
                file.refresh(descriptor, size)
        except BaseException:
            release(descriptor)
            raise
        locked = Locked(name.place, descriptor, size, file)
        stack.callback(locked.unlock)
        return locked

    def draft(self, stack: ExitStack, tenant: str, label: str) -> Draft:
        """Begin to write to an owner's file, which may have to be made."""
        return Draft(Owner(tenant, label), self.lock(stack, OwnerName.of(tenant, label)))

    def write(self, drafts: Sequence[Draft]) -> None:
        """Write drafts, on the disk for certain.

        Raises:
            BusyError: Another process has just made one of the files; nothing was written.
            OSError: Nothing was written, unless taking it back failed too.
        """
        there = [
            (draft.locked, draft.frame(draft.locked.file.seed))
            for draft in drafts
            if draft.locked is not None
        ]
        made: list[Place] = []
        with ExitStack() as stack:  # what is made stays locked until everything is written
            try:
                for draft in drafts:
                    if draft.locked is None:
                        made += [self._create(stack, draft)]
                self._add_all(there)
            except BaseException:
                for place in made:
                    self._folders.unlink(place)
                raise

    def add(self, locked: Locked[RecordFile], frame: bytes) -> None:
        """Add a frame to a locked file, on the disk for certain."""
        self._add_all([(locked, frame)])

    def _add_all(self, frames: Sequence[tuple[Locked[RecordFile], bytes]]) -> None:
        """Add a frame to each of some locked files, or to none of them."""
        try:
            for locked, frame in frames:
                locked.add(frame)
            self._syncs.sync_all([locked.descriptor for locked, _ in frames])
        except BaseException as exc:
            taken_back = [locked.take_back() for locked, _ in frames]
            if not all(taken_back):
                raise uncertain("put") from exc
            raise
        for locked, frame in frames:
            locked.learn(frame)

    def rewrite(self, locked: Locked[RecordFile], *, without: set[Key]) -> None:
        """Write a locked file anew without some keys; without any key, remove it."""
        file = locked.file
        kept = [
            (version, number == 0)
            for key, versions in file.keys.items()
            if key not in without
            for number, version in enumerate(versions)
        ]
        if not kept or file.owner is None:
            self._folders.unlink(locked.place)
            self._folders.sync(locked.place.folders)
        else:
            stream = new_stream()
            seed = seed_of(stream)
            chunks = [file_line(stream), encode_owner(file.owner, seed)]
            starts = range(0, len(kept), _PER_FRAME)
            chunks += [encode_written(kept[at : at + _PER_FRAME], seed) for at in starts]
            with self._folders.new_file(chunks) as (descriptor, name):
                self._folders.sync_file(descriptor, always=True)
                self._folders.replace(name, locked.place)
            self._folders.sync(locked.place.folders)
        self._cache.forget(locked.place)

    def _create(self, stack: ExitStack, draft: Draft) -> Place:
        owner = draft.owner
        self._tenants.ensure(owner.tenant)
        stream = new_stream()
        seed = seed_of(stream)
        chunks = [file_line(stream), encode_owner(owner, seed), draft.frame(seed)]
        place = OwnerName.of(owner.tenant, owner.label).place
        descriptor, name = stack.enter_context(self._folders.new_file(chunks))
        self._folders.sync_file(descriptor, always=True)
        try:
            self._folders.publish(name, place)
        except FileExistsError:
            raise BusyError from None
        self._folders.sync(place.folders)
        return place

    def _owners(self, tenant: str) -> list[OwnerName]:
        folder = records_of(tenant)
        return [
            OwnerName(tenant, name.removesuffix(_SUFFIX))
            for part in self._folders.names(folder)
            for name in self._folders.names((*folder, part))
        ]
