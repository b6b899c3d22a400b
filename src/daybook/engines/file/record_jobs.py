"""Looking at records and changing them: reads on any thread, changes on the writer's.

An owner is the first label of a namespace; each has a file, a journal: a put adds one frame. A
removal writes the file anew without what was removed, so that nothing of it stays on the disk;
where that would cost too much it is noted, and the file written anew at the next sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import groupby

from msgspec.structs import replace

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.engines.file.locked_file import Locked
from daybook.engines.file.record_file import RecordFile
from daybook.engines.file.record_files import Draft, OwnerName, RecordFiles
from daybook.engines.file.record_frames import Key, Version, encode_deleted, restored, written
from daybook.errors import ConflictError
from daybook.model.memory_record import LaterEnd, MemoryRecord, Namespace, NewRecord
from daybook.model.namespace import encode_namespace
from daybook.model.record_filter import Predicate

__all__ = ["RecordJobs"]

_LARGE = 4_000_000  # a file up to so many bytes is written anew for every removal
_TOLERATED = 8  # a larger one when a removal has left more than this part of it dead


class RecordJobs:
    """Everything about records."""

    def __init__(self, files: RecordFiles) -> None:
        self._files = files

    def put(self, tenant: str, records: Sequence[NewRecord], now: int) -> list[MemoryRecord]:
        """Write records; see `RecordStore.put`."""
        with ExitStack() as stack:
            drafts = self._drafts(stack, tenant, [record.namespace for record in records])
            stored = [_put_one(drafts[record.namespace[0]], record, now) for record in records]
            self._files.write(list(drafts.values()))
        return [version.view() for version in stored]

    def extend(self, tenant: str, ends: Sequence[LaterEnd], now: int) -> int:
        """Let records end later; see `RecordStore.extend`. A version is written once more."""
        changed: list[Draft] = []
        with ExitStack() as stack:
            drafts = self._drafts(stack, tenant, [end.namespace for end in ends])
            for end in ends:
                draft = drafts[end.namespace[0]]
                if draft.locked is not None and _extend_one(draft, end, now):
                    changed.append(draft)
            self._files.write([*dict.fromkeys(changed)])
        return len(changed)

    def restore(self, tenant: str, histories: Sequence[Sequence[MemoryRecord]]) -> None:
        """Write keys with all their versions; see `RecordStore.restore`."""
        with ExitStack() as stack:
            drafts = self._drafts(stack, tenant, [history[0].namespace for history in histories])
            for history in histories:
                draft = drafts[history[0].namespace[0]]
                draft.add(map(restored, history), anew=True)
            self._files.write(list(drafts.values()))

    def delete(self, tenant: str, keys: Sequence[Key], now: int) -> int:
        """Remove keys with all versions; return how many were alive."""
        alive = 0
        with ExitStack() as stack:
            for label, wanted in groupby(sorted(set(keys)), key=lambda key: key[0][0]):
                locked = self._files.lock(stack, OwnerName.of(tenant, label))
                if locked is not None:
                    alive += self._remove(locked, list(wanted), now)
        return alive

    def delete_namespace(self, tenant: str, prefix: Namespace, now: int) -> int:
        """Remove every key below a prefix; return how many were alive."""
        alive = 0
        for name in self._files.owners(tenant, prefix):
            with ExitStack() as stack:
                locked = self._files.lock(stack, name)
                if locked is not None:
                    keys = [key for key in locked.file.keys if key[0][: len(prefix)] == prefix]
                    alive += self._remove(locked, keys, now)
        return alive

    def get(self, tenant: str, places: Sequence[Key], now: int) -> list[MemoryRecord | None]:
        """Return the current record of each place, None where there is none."""
        found: dict[Key, Version] = {}
        for label, wanted in groupby(sorted(set(places)), key=lambda key: key[0][0]):
            with self._files.opened(OwnerName.of(tenant, label)) as file:
                if file is None:
                    continue
                for key in wanted:
                    versions = file.versions(key, now)
                    if versions:
                        found[key] = versions[-1]
        return [found[key].view() if key in found else None for key in places]

    def page(
        self,
        tenant: str,
        prefix: Namespace,
        *,
        matches: Predicate | None,
        limit: int,
        offset: int,
        now: int,
    ) -> list[MemoryRecord]:
        """Return records below a prefix, last updated first, ties by namespace and key."""
        current = sorted(self._current(tenant, prefix, now), key=_order)
        found: list[MemoryRecord] = []
        skipped = 0
        for version in current:
            if len(found) >= limit:
                break
            if matches is not None and not matches(version.view().value):
                continue
            if skipped < offset:
                skipped += 1
                continue
            found.append(version.view())
        return found

    def namespaces(
        self, tenant: str, prefix: Namespace, max_depth: int | None, now: int
    ) -> list[Namespace]:
        """Return the distinct namespaces below a prefix, cut to `max_depth` labels, sorted."""
        found = self._current(tenant, prefix, now)
        return sorted({version.namespace[:max_depth] for version in found})

    def versions(self, tenant: str, key: Key, limit: int, now: int) -> list[MemoryRecord]:
        """Return the versions of a live key, newest first."""
        with self._files.opened(OwnerName.of(tenant, key[0][0])) as file:
            kept = [] if file is None else file.versions(key, now)[-limit:]
        return [version.view() for version in reversed(kept)]

    def stale(self, now: int) -> list[OwnerName]:
        """Return the owners whose files hold what has expired or was removed."""
        found = []
        for name in self._files.everyone():
            with self._files.opened(name) as file:
                if file is not None and (file.dead or _expired(file, now)):
                    found.append(name)
        return found

    def sweep(self, name: OwnerName, now: int) -> list[tuple[str, Namespace, str]]:
        """Write an owner's file anew without what has expired; return what that was."""
        with ExitStack() as stack:
            locked = self._files.lock(stack, name)
            if locked is None:
                return []
            expired = _expired(locked.file, now)
            if expired or locked.file.dead:
                self._files.rewrite(locked, without=set(expired))
            owner = locked.file.owner
            return [(owner.tenant if owner else "", *key) for key in expired]

    def _remove(self, locked: Locked[RecordFile], keys: list[Key], now: int) -> int:
        file = locked.file
        removed = [key for key in keys if key in file.keys]
        if not removed:
            return 0
        alive = sum(bool(file.versions(key, now)) for key in removed)
        dead = file.dead + sum(len(one.value) for key in removed for one in file.keys[key])
        if file.end <= _LARGE or dead * _TOLERATED > file.end:
            self._files.rewrite(locked, without=set(removed))
        else:
            self._files.add(locked, encode_deleted(removed, file.seed))
        return alive

    def _drafts(
        self, stack: ExitStack, tenant: str, namespaces: Iterable[Namespace]
    ) -> dict[str, Draft]:
        """Lock the files of all owners, always in one order."""
        labels = sorted({namespace[0] for namespace in namespaces})
        return {label: self._files.draft(stack, tenant, label) for label in labels}

    def _current(self, tenant: str, prefix: Namespace, now: int) -> list[Version]:
        found: list[Version] = []
        for name in self._files.owners(tenant, prefix):
            with self._files.opened(name) as file:
                for key in [] if file is None else file.keys:
                    versions = [] if file is None else file.versions(key, now)
                    if versions and key[0][: len(prefix)] == prefix:
                        found.append(versions[-1])
        return found


def _put_one(draft: Draft, record: NewRecord, now: int) -> Version:
    history = draft.history((record.namespace, record.key), now)
    before = history[-1] if history else None
    stored = 0 if before is None else before.version
    if record.expected_version is not None and record.expected_version != stored:
        raise ConflictError(
            f"record {record.key!r} has version {stored}, not {record.expected_version}: read it "
            "again and repeat the change; nothing of this call was stored"
        )
    version = written(record, before, history[0] if history else None, now)
    draft.add([version], anew=before is None)
    return version


def _extend_one(draft: Draft, end: LaterEnd, now: int) -> bool:
    history = draft.history((end.namespace, end.key), now)
    if not history:
        return False
    last = history[-1]
    if not end.prolongs(last.version, moment_or_none(last.expires_at), moment(now)):
        return False
    draft.add([replace(last, expires_at=to_micros(end.expires_at))], anew=False)
    return True


def _expired(file: RecordFile, now: int) -> list[Key]:
    return [key for key, versions in file.keys.items() if versions[-1].expired(now)]


def _order(version: Version) -> tuple[int, str, str]:
    return -version.updated_at, encode_namespace(version.namespace), version.key
