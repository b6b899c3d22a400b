"""The frames of a stream up to a number: what outlives its session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from daybook.engines.file.folders import read_all
from daybook.engines.file.frames import LINE_SIZE, Frame, find_frame, parse_frame
from daybook.engines.file.session_file import SessionFile
from daybook.engines.file.session_frames import (
    MESSAGES,
    MessagesHead,
    decode_messages,
    encode_part,
)

__all__ = ["stream_part"]


def stream_part(descriptor: int, file: SessionFile, last: int) -> Iterator[bytes]:
    """Give the frames of messages up to number `last`; one that goes beyond is cut.

    Facts about the session are left out. Damaged frames are too: their numbers stay empty.
    """
    data = read_all(descriptor, 0, min(file.end, os.fstat(descriptor).st_size))
    at: int | None = LINE_SIZE
    while at is not None and at < len(data):
        frame = parse_frame(data, at, file.seed)
        if frame is None:
            at = find_frame(data, at + 1, file.seed)
            continue
        if frame.kind == MESSAGES:
            try:
                head = decode_messages(frame.head)
            except msgspec.MsgspecError:
                at = frame.end
                continue
            if head.state.last_seq - len(head.entries) >= last:
                return
            if head.state.last_seq <= last:
                yield data[at : frame.end]
            else:
                yield _cut(data, frame, head, last, file.seed)
        at = frame.end


def _cut(data: bytes, frame: Frame, head: MessagesHead, last: int, seed: int) -> bytes:
    kept = head.entries[: len(head.entries) - (head.state.last_seq - last)]
    bodies = []
    at = frame.bodies
    for entry in kept:
        bodies.append(data[at : at + entry.size])
        at += entry.size + 1
    state = replace(head.state, last_seq=last)
    return encode_part(MessagesHead(state, kept), bodies, seed)
