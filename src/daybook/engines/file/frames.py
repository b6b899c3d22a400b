r"""The form of every file of the store: one line, then frames that are only ever added. Pure.

The line names the file and the stream it holds. A frame is text that people can read around bytes
that are kept as they came::

    @a 0000012c 9f8e7d6c\n      kind, size of what follows, checksum of kind, size and head
    [...]\n                     the head: JSON, never with a line feed inside
    <body>\n<body>\n...         message bodies; the head holds the size and checksum of each
    \n0000012c\n                the size again, so that a file can be read from its end

Checksums are CRC-32 (zlib's: the standard library has no CRC-32C) and start from a number drawn
from the stream's random name: bytes inside a message never pass for a frame, and a frame of
another stream never passes for one of this.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

__all__ = [
    "FOOTER_SIZE",
    "FRAME_START",
    "LINE_SIZE",
    "FileLine",
    "Frame",
    "body_checksum",
    "claimed_size",
    "encode_frame",
    "file_line",
    "find_frame",
    "last_frame_size",
    "new_stream",
    "parse_frame",
    "parse_line",
    "seed_of",
]

_START = "daybook file 1 "
_LINE = re.compile(rb"daybook file (\d+) ([0-9a-f]{16}) ([0-9a-f]{32})\n")
LINE_SIZE = len(_START) + 16 + 1 + 32 + 1
_HEADER = re.compile(rb"@([a-z]) ([0-9a-f]{8}) ([0-9a-f]{8})\n")
FRAME_START = 21
_FOOTER = re.compile(rb"\n([0-9a-f]{8})\n")
FOOTER_SIZE = 10
_WORD = 0xFFFFFFFF


class FileLine(NamedTuple):
    """The first line: the version of the form, this file's own name, and its stream's."""

    version: int
    file_id: str
    stream: str


class Frame(NamedTuple):
    """A frame whose head is sound; offsets are from the start of the bytes it was found in."""

    kind: str
    head: bytes
    bodies: int
    end: int


def new_stream() -> str:
    """Return a fresh random name for a stream."""
    return secrets.token_hex(16)


def file_line(stream: str) -> bytes:
    """Return the first line of a new file; two files never have the same one."""
    return f"{_START}{secrets.token_hex(8)} {stream}\n".encode()


def parse_line(data: bytes) -> FileLine | None:
    """Return what a file's first bytes say, None if they are not ours."""
    found = _LINE.match(data)
    if found is None:
        return None
    return FileLine(int(found[1]), found[2].decode(), found[3].decode())


def seed_of(stream: str) -> int:
    """Return where the checksums of a stream start."""
    return crc32(stream.encode())


def body_checksum(body: bytes | memoryview, seed: int, seq: int) -> int:
    """Return the checksum of a body at its place: the same bytes elsewhere have another."""
    return crc32(body, (seed + seq) & _WORD)


def encode_frame(kind: str, head: bytes, bodies: Sequence[bytes], seed: int) -> bytes:
    """Return a frame."""
    payload = b"\n".join((head, *bodies))
    size = f"{len(payload):08x}"
    checksum = crc32(head, crc32(f"{kind}{size}".encode(), seed))
    return b"".join((f"@{kind} {size} {checksum:08x}\n".encode(), payload, f"\n{size}\n".encode()))


def parse_frame(data: bytes, at: int, seed: int) -> Frame | None:
    """Return the frame at an offset; None if it is not whole, or its head is damaged.

    The bodies are not looked at.
    """
    header = _HEADER.match(data, at)
    if header is None:
        return None
    start = at + FRAME_START
    end = start + int(header[2], 16)
    footer = _FOOTER.match(data, end)
    if footer is None or footer[1] != header[2]:
        return None
    stop = data.find(b"\n", start, end)
    head = data[start : end if stop < 0 else stop]
    checksum = crc32(head, crc32(header[1] + header[2], seed))
    if checksum != int(header[3], 16):
        return None
    return Frame(header[1].decode(), head, end if stop < 0 else stop + 1, end + FOOTER_SIZE)


def claimed_size(data: bytes, at: int) -> int:
    """Return the size of the frame that seems to begin at an offset; 0 if none does."""
    header = _HEADER.match(data, at)
    return 0 if header is None else FRAME_START + int(header[2], 16) + FOOTER_SIZE


def last_frame_size(data: bytes) -> int:
    """Return the size of the frame that seems to end with the data; 0 if none does."""
    footer = _FOOTER.match(data, max(0, len(data) - FOOTER_SIZE))
    if footer is None or footer.end() != len(data):
        return 0
    return FRAME_START + int(footer[1], 16) + FOOTER_SIZE


def find_frame(data: bytes, start: int, seed: int) -> int | None:
    """Return the offset of the next sound frame at or after `start`, None if there is none."""
    for header in _HEADER.finditer(data, start):
        if parse_frame(data, header.start(), seed) is not None:
            return header.start()
    return None
