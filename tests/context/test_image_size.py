"""Sizes of pictures, from what a part says and from the heads of four formats."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.context.image_size import image_size
from daybook.model.message import ContentPart

FILL = b"\0" * 40
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4) + (480).to_bytes(4) + FILL
GIF = b"GIF89a" + (640).to_bytes(2, "little") + (480).to_bytes(2, "little") + FILL
FRAME = b"\xff\xc2\0\x11\x08" + (480).to_bytes(2) + (640).to_bytes(2) + FILL
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 10 + b"\xff\xc4\0\x04\0\0" + FRAME
PREVIEWED = b"\xff\xd8" + (b"\xff\xe1\xff\xf0" + b"\xff" * (0xFFF0 - 2)) * 2 + b"\xff" + FRAME
WEBP = b"RIFF\0\0\0\0WEBP"
LOSSY = WEBP + b"VP8 " + b"\0" * 10 + (640).to_bytes(2, "little") + (480).to_bytes(2, "little")
LOSSLESS = WEBP + b"VP8L\0\0\0\0\x2f" + (639 | 479 << 14).to_bytes(4, "little") + FILL
EXTENDED = WEBP + b"VP8X" + b"\0" * 8 + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")


def part(**data: Any) -> ContentPart:
    return ContentPart("image", data=data)


@pytest.mark.parametrize(
    "picture",
    [PNG, GIF, JPEG, PREVIEWED, LOSSY + FILL, LOSSLESS, EXTENDED + FILL],
    ids=["png", "gif", "jpeg", "jpeg with previews", "webp", "webp lossless", "webp extended"],
)
def test_the_head_of_a_picture_says_its_size(picture: bytes) -> None:
    text = base64.b64encode(picture).decode()
    url = f"data:image/any;base64,{text}"
    assert image_size(part(image_url={"url": url})) == (640, 480)
    assert image_size(part(url=url)) == (640, 480)
    assert image_size(part(source={"type": "base64", "data": text})) == (640, 480)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"width": 5},
        {"width": 0, "height": 5},
        {"width": True, "height": 5},
        {"width": "5", "height": "5"},
        {"width": 10**9, "height": 5},
        {"url": "https://example.com/picture.png"},
        {"url": "data:image/png,no-base64-at-all"},
        {"url": "data:image/png;base64,!!!!"},
        {"url": "data:image/png;base64," + base64.b64encode(PNG[:20]).decode()},
        {"url": "data:image/png;base64," + base64.b64encode(JPEG[:30]).decode()},
        {"url": "data:image/webp;base64," + base64.b64encode(WEBP + b"ANIM" + FILL).decode()},
    ],
)
def test_what_says_nothing_has_no_size(data: dict[str, Any]) -> None:
    assert image_size(part(**data)) is None


def test_a_stated_size_counts() -> None:
    assert image_size(part(width=3, height=4)) == (3, 4)
    assert image_size(part(image={"width": 3, "height": 4})) == (3, 4)


@given(
    st.sampled_from([PNG, GIF, JPEG, LOSSY, LOSSLESS, EXTENDED]), st.binary(), st.integers(0, 60)
)
def test_no_bytes_are_an_error(picture: bytes, junk: bytes, at: int) -> None:
    text = base64.b64encode(picture[:at] + junk).decode()
    size = image_size(part(data=text))
    assert size is None or min(size) > 0
