"""The file a table of token vectors is kept in: a JSON header, then raw arrays.

Layout: 8 bytes magic, 32 bytes SHA-256 of all that follows, 4 bytes little-endian length of the
header, the header (UTF-8 JSON), then the sections one after another, each beginning at a multiple
of 64 bytes. The header names each section's offset (from the first section) and length. Nothing
in the file is executed or unpickled.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from daybook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["TableArrays", "read_table", "write_table"]

_MAGIC = b"DAYTABL1"
_DIGEST_END = len(_MAGIC) + hashlib.sha256().digest_size
_HEADER_LENGTH = struct.Struct("<I")
_ALIGNMENT = 64


class TableArrays(msgspec.Struct, frozen=True, eq=False):
    """What a table file holds.

    Attributes:
        id: Name and version; vectors of equal ids are comparable.
        vectors: Shape (rows, dimensions), int8; row r stands for `vectors[r] * scales[r]`.
        scales: Shape (rows,), float16.
        weights: Shape (rows,), float16: how telling a row is, larger for rarer words.
        vocabulary: The entry of each row; `##` before it marks a word's later piece.
    """

    id: str
    vectors: NDArray[np.int8]
    scales: NDArray[np.float16]
    weights: NDArray[np.float16]
    vocabulary: list[str]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    rows: int
    dimensions: int
    sections: dict[str, tuple[int, int]]


def write_table(path: Path, table: TableArrays) -> None:
    """Write the file; the same table always gives the same bytes."""
    rows, dimensions = table.vectors.shape
    parts = {
        "vectors": np.ascontiguousarray(table.vectors, np.int8).tobytes(),
        "scales": np.ascontiguousarray(table.scales, "<f2").tobytes(),
        "weights": np.ascontiguousarray(table.weights, "<f2").tobytes(),
        "vocabulary": "\n".join(table.vocabulary).encode(),
    }
    sections: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for name, part in parts.items():
        body += bytes(-len(body) % _ALIGNMENT)
        sections[name] = (len(body), len(part))
        body += part
    header = {
        "id": table.id,
        "rows": rows,
        "dimensions": dimensions,
        "sections": sections,
    }
    encoded = json.dumps(header).encode()
    start = _DIGEST_END + _HEADER_LENGTH.size
    encoded += b" " * (-(start + len(encoded)) % _ALIGNMENT)
    content = _HEADER_LENGTH.pack(len(encoded)) + encoded + body
    path.write_bytes(_MAGIC + hashlib.sha256(content).digest() + content)


def read_table(path: Path) -> TableArrays:
    """Map the file into memory and check it.

    Returns:
        Read-only arrays that share the mapped pages with every process using the file.

    Raises:
        ConfigError: The file is absent, cut short, or its checksum does not match.
    """
    try:
        with path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"table {path.name} cannot be read ({exc}): reinstall daybook") from exc
    try:
        header, body = _split(mapped)
        return _arrays(header, body)
    except (ValueError, KeyError, struct.error, msgspec.DecodeError) as exc:
        raise ConfigError(f"table {path.name} is damaged ({exc}): reinstall daybook") from exc


def _split(mapped: memoryview) -> tuple[_Header, memoryview]:
    if mapped[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a table file")
    if hashlib.sha256(mapped[_DIGEST_END:]).digest() != mapped[len(_MAGIC) : _DIGEST_END]:
        raise ValueError("checksum mismatch")
    start = _DIGEST_END + _HEADER_LENGTH.size
    (length,) = _HEADER_LENGTH.unpack(mapped[_DIGEST_END:start])
    header = msgspec.json.decode(mapped[start : start + length], type=_Header)
    return header, mapped[start + length :]


def _arrays(header: _Header, body: memoryview) -> TableArrays:
    def section(name: str) -> memoryview:
        offset, length = header.sections[name]
        return body[offset : offset + length]

    shapes: Mapping[str, tuple[Any, tuple[int, ...]]] = {
        "vectors": (np.int8, (header.rows, header.dimensions)),
        "scales": ("<f2", (header.rows,)),
        "weights": ("<f2", (header.rows,)),
    }
    arrays = {
        name: np.frombuffer(section(name), dtype=dtype).reshape(shape)
        for name, (dtype, shape) in shapes.items()
    }
    vocabulary = bytes(section("vocabulary")).decode().split("\n")
    if len(vocabulary) != header.rows:
        raise ValueError("vocabulary and rows differ in number")
    return TableArrays(id=header.id, vocabulary=vocabulary, **arrays)
