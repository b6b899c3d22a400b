"""What is known of one session's file: its facts, its counts, and where each message lies."""

from __future__ import annotations

import os
from array import array
from typing import NamedTuple

import msgspec

from daybook.engines.file.driver_errors import damaged
from daybook.engines.file.folders import read_all
from daybook.engines.file.followed_file import FollowedFile
from daybook.engines.file.frames import (
    LINE_SIZE,
    FileLine,
    Frame,
    body_checksum,
    claimed_size,
    last_frame_size,
    parse_frame,
)
from daybook.engines.file.session_frames import (
    BLANK,
    FACTS,
    MESSAGES,
    NO_ROLES,
    Facts,
    MessagesHead,
    Roles,
    State,
    decode_facts,
    decode_messages,
    session_of,
)
from daybook.model.entry import StoredEntry
from daybook.model.session import Session

__all__ = ["Row", "SessionFile", "read_rows"]

_TAIL = 8192
_UNKNOWN = 0  # as a size: more may follow, so nobody asks whether the last frame is torn
_LONGEST_READ = 4_000_000
_UNREADABLE = 0  # as an offset: the message was in a damaged frame


class Row(NamedTuple):
    """Where a message lies."""

    seq: int
    offset: int
    size: int
    checksum: int
    tokens: int


class SessionFile(FollowedFile):
    """A session's file, or the part of one that outlived its session.

    Attributes:
        facts: The newest facts; None in a part without a session.
        header: The session of `facts`, for our own eyes: its metadata is shared.
        state: The newest counts.
        indexed: Every message's place is known; else only the facts and counts are.
        unsynced: It was read past what this process wrote: nobody knows that it is on the disk.
    """

    def __init__(self, line: FileLine) -> None:
        super().__init__(line)
        self.facts: Facts | None = None
        self.header: Session | None = None
        self.state: State | None = None
        self.indexed = False
        self.unsynced = True
        self._seen = 0
        self._first = 0
        self._offsets = array("Q")
        self._sizes = array("I")
        self._checksums = array("I")
        self._tokens = array("Q")
        self._roles = bytearray()
        self._prints = bytearray()
        self._ids: dict[str, int] = {}

    @property
    def weight(self) -> int:
        """What it costs to remember, in messages."""
        return 16 + len(self._offsets)

    @property
    def last(self) -> int:
        """The highest number this file holds; 0 for none."""
        return self._first + len(self._offsets) - 1 if self._offsets else 0

    def refresh(self, descriptor: int, size: int, *, index: bool) -> None:
        """Learn what was added; the caller holds `guard`.

        Args:
            descriptor: The open file.
            size: Its size.
            index: Learn every message's place, not only facts and counts.

        Raises:
            CorruptRecordError: The facts are damaged.
            OSError: Reading failed.
        """
        if self.writing:
            return
        if not self.indexed and not index:
            if size == self._seen or self._peek(descriptor, size):
                return
        elif self.indexed and size == self.end:
            return
        before = self.end
        self.follow(descriptor, size)
        self.indexed = True
        self.unsynced = self.unsynced or self.end != before
        self._seen = self.end

    def learn(self, data: bytes) -> None:
        """Learn frames that this process has written at `end` and synced."""
        self._take_all(data, _UNKNOWN)
        self._seen = self.end
        self.indexed = True
        self.unsynced = self.writing = False

    def session(self) -> Session:
        """Return the session, its metadata a fresh copy.

        Raises:
            CorruptRecordError: Its facts are damaged.
        """
        header, state = self.current()
        if header.metadata and self.facts is not None:
            header = self.facts.decoded()
        elif header.metadata is not None:
            header = msgspec.structs.replace(header, metadata={})
        return session_of(header, state)

    def live(self) -> Session:
        """Return the session for our own eyes: its metadata is shared.

        Raises:
            CorruptRecordError: Its facts are damaged.
        """
        return session_of(*self.current())

    def current(self) -> tuple[Session, State]:
        """Return the facts and counts as they are kept; nobody may change the metadata.

        Raises:
            CorruptRecordError: The facts are damaged.
        """
        if self.header is None or self.state is None:
            raise damaged("the facts of a session are damaged", "read")
        return self.header, self.state

    def known(self, message_id: str) -> tuple[bytes, int] | None:
        """Return the fingerprint and number of a message of this file."""
        seq = self._ids.get(message_id)
        if seq is None:
            return None
        at = (seq - self._first) * 8
        return bytes(self._prints[at : at + 8]), seq

    def rows(self, after: int, before: int) -> list[Row]:
        """Return where the messages with ``after < seq < before`` lie, in order."""
        low = max(0, after + 1 - self._first)
        high = max(low, before - self._first)
        part = slice(low, high)
        columns = (self._offsets, self._sizes, self._checksums, self._tokens)
        numbers = range(self._first + low, self._first + high)
        return list(map(Row, numbers, *(column[part] for column in columns)))

    def counted(self, after: int, before: int) -> tuple[int, Roles]:
        """Return the tokens, and the messages by role, of ``after < seq < before``."""
        low = max(0, after + 1 - self._first)
        part = slice(low, max(low, before - self._first))
        roles = self._roles[part]
        system, user, assistant, tool = (roles.count(number) for number in range(len(NO_ROLES)))
        return sum(self._tokens[part]), (system, user, assistant, tool)

    def take(self, frame: Frame, data: bytes, offset: int, *, last: bool) -> bool:
        """Learn a frame; one that this version cannot read is left out."""
        try:
            if frame.kind == FACTS:
                state, facts = decode_facts(frame.head)
                self._take_facts(state, facts)
            elif frame.kind == BLANK and not self._offsets:
                self._first = int(frame.head) + 1
            elif frame.kind == MESSAGES:
                return self._take_messages(frame, data, offset, last=last)
        except msgspec.MsgspecError:
            return True
        return True

    def _take_facts(self, state: State, facts: Facts) -> None:
        self.facts, self.header, self.state = facts, facts.decoded(), state
        if not self._offsets:
            self._first = state.last_seq + 1

    def _take_messages(self, frame: Frame, data: bytes, offset: int, *, last: bool) -> bool:
        head = decode_messages(frame.head)
        view = memoryview(data)
        first = head.state.last_seq - len(head.entries) + 1
        if last and not _whole(head, view, frame.bodies, first, self.seed):
            return False
        if not self._first:
            self._first = first
        missing = first - self._first - len(self._offsets)
        if missing < 0:  # numbers that were given already: not a frame we wrote
            return True
        self._fill_gap(missing)
        at = frame.bodies
        for seq, entry in enumerate(head.entries, first):
            self._offsets.append(offset + at)
            self._sizes.append(entry.size)
            self._checksums.append(entry.checksum)
            self._tokens.append(entry.tokens)
            self._roles.append(entry.role)
            self._prints += entry.fingerprint
            self._ids[entry.name(view[at : at + entry.size])] = seq
            at += entry.size + 1
        self.state = head.state
        return True

    def _fill_gap(self, missing: int) -> None:
        """Keep the places of messages whose frame was damaged."""
        for _ in range(missing):
            self._offsets.append(_UNREADABLE)
            self._sizes.append(0)
            self._checksums.append(0)
            self._tokens.append(0)
            self._roles.append(len(NO_ROLES))
        self._prints += bytes(8 * missing)

    def _peek(self, descriptor: int, size: int) -> bool:
        """Learn facts and counts from the last frame; tell whether that was possible."""
        state = self._last_state(descriptor, size)
        if state is None:
            return False
        if self.facts is None or self.state is None or self.state.facts_at != state.facts_at:
            facts = self._facts_at(descriptor, state.facts_at)
            if facts is None:
                return False
            self.facts, self.header = facts, facts.decoded()
        self.state = state
        self._seen = size
        return True

    def _last_state(self, descriptor: int, size: int) -> State | None:
        length = min(_TAIL, size - LINE_SIZE)
        data = read_all(descriptor, size - length, length)
        wanted = last_frame_size(data)
        if not 0 < wanted <= size - LINE_SIZE:
            return None
        if wanted > length:
            data = read_all(descriptor, size - wanted, wanted)
        frame = parse_frame(data, len(data) - wanted, self.seed)
        if frame is None or frame.end != len(data):
            return None
        try:
            if frame.kind == FACTS:
                return decode_facts(frame.head)[0]
            head = decode_messages(frame.head)
        except msgspec.MsgspecError:
            return None
        first = head.state.last_seq - len(head.entries) + 1
        whole = _whole(head, memoryview(data), frame.bodies, first, self.seed)
        return head.state if whole else None

    def _facts_at(self, descriptor: int, offset: int) -> Facts | None:
        size = claimed_size(os.pread(descriptor, _TAIL, offset), 0)
        frame = parse_frame(read_all(descriptor, offset, size), 0, self.seed)
        if frame is None or frame.kind != FACTS:
            return None
        try:
            return decode_facts(frame.head)[1]
        except msgspec.MsgspecError:
            return None


def _whole(head: MessagesHead, data: memoryview, at: int, first: int, seed: int) -> bool:
    """Tell whether every body of a frame is as it was written."""
    for seq, entry in enumerate(head.entries, first):
        body = data[at : at + entry.size]
        if body_checksum(body, seed, seq) != entry.checksum:
            return False
        at += entry.size + 1
    return True


def read_rows(descriptor: int, rows: list[Row], seed: int) -> list[StoredEntry]:
    """Return the messages of neighbouring rows; a body that is not as it was written is empty.

    Cost: one read for each four megabytes.
    """
    found: list[StoredEntry] = []
    at = 0
    while at < len(rows):
        stop = at + 1
        start = rows[at].offset
        while stop < len(rows) and start <= rows[stop].offset < start + _LONGEST_READ:
            stop += 1
        run = rows[at:stop]
        length = max(row.offset + row.size for row in run) - start
        data = memoryview(read_all(descriptor, start, length))
        for row in run:
            body = data[row.offset - start : row.offset - start + row.size]
            sound = row.offset and body_checksum(body, seed, row.seq) == row.checksum
            found.append(StoredEntry(row.seq, bytes(body) if sound else b"", row.tokens))
        at = stop
    return found
