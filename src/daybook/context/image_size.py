"""How many pixels an attached picture has, where its part says so or carries its bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from daybook.model.message import ContentPart

__all__ = ["image_size"]

# A JPEG says its size behind its previews and colour profiles; the others in the first bytes.
_HEAD_CHARACTERS = 4 * 64 * 1024
_LARGEST_SIDE = 100_000
_SHORTEST_PICTURE = 30
_MARKER = 0xFF
# Beginnings of a frame, of any kind of JPEG; the three between them begin something else.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_size(part: ContentPart) -> tuple[int, int] | None:
    """Return a picture's width and height in pixels; None where they cannot be told.

    They stand in the part's ``width`` and ``height``, or in the head of the PNG, GIF, JPEG or WebP
    that it carries in base64. Nothing is fetched and no pixel is decoded.
    """
    for place in _objects(part.data):
        size = place.get("width"), place.get("height")
        if all(type(side) is int and 0 < side <= _LARGEST_SIDE for side in size):
            return size[0], size[1]  # type: ignore[return-value] # both are ints
    for text in _texts(part.data):
        found = _encoded_size(text)
        if found is not None and all(0 < side <= _LARGEST_SIDE for side in found):
            return found
    return None


def _objects(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the part's fields and those of the objects in it, where providers put pictures."""
    yield data
    for value in data.values():
        if isinstance(value, dict):
            yield value


def _texts(data: dict[str, Any]) -> Iterator[str]:
    for place in _objects(data):
        for value in place.values():
            if isinstance(value, str) and len(value) > len("data:image/"):
                yield value


def _encoded_size(text: str) -> tuple[int, int] | None:
    """Return the size of a picture in base64, a data URL or bare; None if it is none."""
    if text.startswith("data:"):
        comma = text.find(";base64,", 0, 200)
        if comma < 0:
            return None
        text = text[comma + len(";base64,") : comma + len(";base64,") + _HEAD_CHARACTERS]
    head = text[:_HEAD_CHARACTERS]
    try:
        return _picture_size(base64.b64decode(head[: len(head) // 4 * 4], validate=True))
    except (binascii.Error, ValueError, IndexError):
        return None


def _picture_size(head: bytes) -> tuple[int, int] | None:
    if len(head) < _SHORTEST_PICTURE:
        return None
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head.startswith(b"\xff\xd8"):
        return _jpeg_size(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp_size(head)
    return None


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Walk from segment to segment to the one that begins the frame."""
    at = 2
    while at + 9 <= len(head) and head[at] == _MARKER:
        marker = head[at + 1]
        if marker == _MARKER:  # padding
            at += 1
        elif marker in _FRAMES:
            return int.from_bytes(head[at + 7 : at + 9]), int.from_bytes(head[at + 5 : at + 7])
        else:
            at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4]))
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return width, height
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    return None
