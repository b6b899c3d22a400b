"""What is known of one owner's file of records: every key with its versions."""

from __future__ import annotations

import logging

import msgspec

from daybook.engines.file.followed_file import FollowedFile
from daybook.engines.file.frames import FileLine, Frame, body_checksum
from daybook.engines.file.record_frames import (
    DELETED,
    OWNER,
    WRITTEN,
    Key,
    Owner,
    Version,
    VersionHead,
    decode_deleted,
    decode_owner,
    decode_written,
)
from daybook.model.memory_record import Provenance

__all__ = ["RecordFile"]

_log = logging.getLogger(__name__)
_NO_PROVENANCE = Provenance()
_KEY_COST = 200  # bytes that a version takes beside its value


class RecordFile(FollowedFile):
    """An owner's records.

    Attributes:
        owner: Whose; None if the frame that says so is damaged.
        keys: The versions of each key, oldest first.
        dead: Bytes of values in the file that are not in `keys` any more.
        live: Bytes of values that are.
    """

    def __init__(self, line: FileLine) -> None:
        super().__init__(line)
        self.owner: Owner | None = None
        self.keys: dict[Key, list[Version]] = {}
        self.dead = 0
        self.live = 0
        self._count = 0

    @property
    def weight(self) -> int:
        """What it costs to remember, in bytes."""
        return 1000 + self.live + _KEY_COST * self._count

    def refresh(self, descriptor: int, size: int) -> None:
        """Learn what was added up to a size; the caller holds `guard`."""
        if not self.writing:
            self.follow(descriptor, size)

    def learn(self, data: bytes) -> None:
        """Learn frames that this process has written at `end` and synced."""
        self._take_all(data, self.end + len(data))
        self.writing = False

    def versions(self, key: Key, now: int) -> list[Version]:
        """Return the versions of a live key, oldest first; the caller holds `guard`."""
        versions = self.keys.get(key)
        return [] if versions is None or versions[-1].expired(now) else versions

    def take(self, frame: Frame, data: bytes, offset: int, *, last: bool) -> bool:  # noqa: ARG002
        """Learn a frame; one that this version cannot read is left out."""
        try:
            if frame.kind == WRITTEN:
                return self._take_written(frame, memoryview(data), last=last)
            if frame.kind == DELETED:
                for key in decode_deleted(frame.head):
                    self._forget(key)
            elif frame.kind == OWNER:
                self.owner = decode_owner(frame.head)
        except msgspec.MsgspecError:
            _log.warning("a frame of records of stream %s cannot be read", self.stream)
        return True

    def _take_written(self, frame: Frame, data: memoryview, *, last: bool) -> bool:
        found: list[tuple[VersionHead, bytes | None]] = []
        at = frame.bodies
        for head in decode_written(frame.head):
            value = bytes(data[at : at + head.size])
            sound = body_checksum(value, self.seed, head.version) == head.checksum
            if not sound and last:
                return False
            found.append((head, value if sound else None))
            at += head.size + 1
        for head, body in found:
            if body is None:
                _log.warning("a record of stream %s is damaged: it is left out", self.stream)
            else:
                self._write(head, body)
        return True

    def _write(self, head: VersionHead, value: bytes) -> None:
        key = (head.namespace, head.key)
        if head.anew:
            self._forget(key)
        version = Version(
            head.namespace,
            head.key,
            value,
            head.version,
            head.created_at,
            head.updated_at,
            head.expires_at,
            head.provenance or _NO_PROVENANCE,
        )
        versions = self.keys.setdefault(key, [])
        if versions and versions[-1].version == head.version:  # it was given a later end
            size = len(versions.pop().value)
            self.dead += size + 1
            self.live -= size
            self._count -= 1
        versions.append(version)
        self.live += len(value)
        self._count += 1

    def _forget(self, key: Key) -> None:
        versions = self.keys.pop(key, [])
        size = sum(len(version.value) for version in versions)
        self.dead += size + len(versions)
        self.live -= size
        self._count -= len(versions)
