"""Streams that forks show parts of: who refers to them, and what stays when their session goes.

A fork copies no message. It leaves a *reference* with each stream it shows a part of: a small file
named after the fork's own stream that says up to which number. When the session of a stream is
deleted, cleared or expires, what the references still need is copied to a file of its own, and
that file is cut whenever the need shrinks: what no session shows is not on the disk.

References of one stream change under a lock on their folder. Locks are taken in this order:
a session's file, then folders of references by stream.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import msgspec
from msgspec import Struct

from daybook.engines.file.folders import Folders
from daybook.engines.file.frames import file_line
from daybook.engines.file.paths import (
    TENANTS,
    Place,
    Session,
    references_of,
    shared_of,
    shared_place,
)
from daybook.engines.file.session_file import SessionFile
from daybook.engines.file.session_store import SessionStore
from daybook.engines.file.stream_part import stream_part
from daybook.model.lineage import Segment

__all__ = ["SharedStreams"]


class _Reference(Struct, frozen=True):
    """What a fork leaves with a stream: its session's hashed name, and the last number it shows."""

    session: str
    last_seq: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Reference).decode


class SharedStreams:
    """References and outliving parts; for the writer's thread."""

    def __init__(self, folders: Folders, sessions: SessionStore) -> None:
        self._folders = folders
        self._sessions = sessions

    @contextmanager
    def referred(
        self, child: Session, child_stream: str, segments: Sequence[Segment[str]]
    ) -> Iterator[None]:
        """Leave references for a fork, which the block then makes.

        Nobody drops them as leftovers of a crash before the block has ended.
        """
        with ExitStack() as stack:
            for segment in sorted(segments, key=lambda one: one.stream):
                folder = references_of(child.tenant, _name(segment.stream))
                with self._folders.folder(folder, create=True):
                    pass
                stack.enter_context(self._folders.locked_folder(folder))
                body = _encode(_Reference(child.key, segment.last_seq))
                self._folders.write_small(Place(folder, child_stream), body, durable=True)
            yield

    def retire(
        self, key: Session, descriptor: int, file: SessionFile, swap: Callable[[], None]
    ) -> None:
        """Take a session's file away, and keep what forks show of it.

        Args:
            key: The session, which this process has locked.
            descriptor: Its open file.
            file: What is known of it.
            swap: Removes or replaces the file, on the disk for certain.
        """
        folder = references_of(key.tenant, file.stream)
        with ExitStack() as stack:
            last = 0
            if self._folders.names(folder):
                stack.enter_context(self._folders.locked_folder(folder))
                last = self._needed(folder)
                if last:
                    self._write_part(key.tenant, descriptor, file, last)
            swap()
            if not last:
                self._folders.remove_folder(folder)
        for segment in file.facts.segments if file.facts is not None else ():
            self._drop(key.tenant, segment.stream, file.stream)

    def tidy(self) -> None:
        """Drop what a crash left: references of forks that are not there, parts nobody needs."""
        for tenant in self._folders.names((TENANTS,)):
            for stream in self._folders.names(references_of(tenant)):
                folder = references_of(tenant, stream)
                with suppress(FileNotFoundError), self._folders.locked_folder(folder):
                    for name in self._folders.names(folder):
                        if not self._stands(tenant, Place(folder, name), stream):
                            self._folders.unlink(Place(folder, name))
                    self._trim(tenant, stream)
            for name in self._folders.names(shared_of(tenant)):
                stream = name.partition(".")[0]
                if not self._folders.names(references_of(tenant, stream)):
                    self._folders.unlink(Place(shared_of(tenant), name))

    def _drop(self, tenant: str, stream: str, child_stream: str) -> None:
        """Take a reference away, and what of the stream nobody else needs."""
        name = _name(stream)
        folder = references_of(tenant, name)
        with suppress(FileNotFoundError), self._folders.locked_folder(folder):
            self._folders.unlink(Place(folder, child_stream))
            self._folders.sync(folder)
            self._trim(tenant, name)

    def _trim(self, tenant: str, stream: str) -> None:
        """Cut the part that outlived its session to what is needed; the folder is locked."""
        folder = references_of(tenant, stream)
        last = self._needed(folder)
        place = shared_place(tenant, stream)
        if self._folders.stat(place) is None:
            return  # its session is there: the folder stays, for the next fork
        if last:
            self._cut(tenant, place, last)
            return
        self._folders.unlink(place)
        self._folders.sync(place.folders)
        self._sessions.cache.forget(place)
        self._folders.remove_folder(folder)

    def _cut(self, tenant: str, place: Place, last: int) -> None:
        descriptor = self._folders.open(place, os.O_RDONLY)
        try:
            file, size = self._sessions.known(place, descriptor)
            with file.guard:
                file.refresh(descriptor, size, index=True)
            if file.last > last:
                self._write_part(tenant, descriptor, file, last)
        finally:
            os.close(descriptor)

    def _write_part(self, tenant: str, descriptor: int, file: SessionFile, last: int) -> None:
        """Write the messages of a stream up to a number, in place of what stood there."""
        place = shared_place(tenant, file.stream)
        chunks = [file_line(file.stream), *stream_part(descriptor, file, last)]
        with self._folders.new_file(chunks) as (written, name):
            self._folders.sync_file(written, always=True)
            self._folders.replace(name, place)
        self._folders.sync(place.folders)
        self._sessions.cache.forget(place)

    def _needed(self, folder: tuple[str, ...]) -> int:
        """Return the highest number that a reference asks for; 0 if there is none."""
        found = [self._reference(Place(folder, name)) for name in self._folders.names(folder)]
        return max((one.last_seq for one in found if one is not None), default=0)

    def _reference(self, place: Place) -> _Reference | None:
        body = self._folders.read_small(place)
        return None if body is None else _decode(body)

    def _stands(self, tenant: str, place: Place, stream: str) -> bool:
        """Tell whether the fork that left a reference is there and shows the stream."""
        reference = self._reference(place)
        if reference is None:
            return False
        with self._sessions.opened(Session(tenant, reference.session), index=False) as found:
            if found is None or found[1].stream != place.name:
                return False
            facts = found[1].facts
            return facts is None or any(_name(one.stream) == stream for one in facts.segments)


def _name(stream: str) -> str:
    """Return a stream's own name, without its first session's."""
    return stream.partition(".")[0]
