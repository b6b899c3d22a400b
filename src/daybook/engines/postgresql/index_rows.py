"""Index documents as what the database is sent and sends back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from daybook.enginekit.document_rows import document_batches
from daybook.enginekit.packed_ids import id_from_column, id_to_column
from daybook.model.index_document import IndexDocument
from daybook.recall.document_batch import DocumentBatch
from daybook.recall.vector_blobs import pack_vectors

__all__ = ["batches_of_rows", "name_from_bytes", "name_to_bytes", "put_arguments"]

_UUID, _TEXT = b"\x00", b"\x01"
_GROUP, _EMBEDDER, _SPEAKER = 1, 9, 6
_GROUP_NAME, _EMBEDDER_NAME = 13, 14


def name_to_bytes(name: str) -> bytes:
    """Return an id in few bytes, a different one for each id: 17 bytes for a canonical UUID."""
    column = id_to_column(name)
    return _UUID + column if isinstance(column, bytes) else _TEXT + column.encode()


def name_from_bytes(column: bytes) -> str:
    """Return the id that `name_to_bytes` wrote."""
    return id_from_column(column[1:]) if column[:1] == _UUID else column[1:].decode()


def put_arguments(
    documents: Sequence[IndexDocument], watermarks: Sequence[tuple[str, int]]
) -> tuple[Any, ...]:
    """Return the arguments of the function ``index_put`` after the scope's three.

    Of documents with the same group and key the last one counts.
    """
    last = {(one.group, one.key): one for one in documents}
    kept = list(last.values())
    marks: dict[str, int] = {}
    for group, position in watermarks:
        marks[group] = max(position, marks.get(group, position))
    groups = _numbered([*(one.group for one in kept), *marks])
    embedders = _numbered(sorted({one.embedder for one in kept}))
    return (
        [name_to_bytes(group) for group in groups],
        [embedder.encode() for embedder in embedders],
        [groups[one.group] for one in kept],
        [embedders[one.embedder] for one in kept],
        [one.position for one in kept],
        [name_to_bytes(one.key) for one in kept],
        [one.created_at for one in kept],
        [one.role for one in kept],
        [one.speaker.encode() for one in kept],
        [one.traits for one in kept],
        [one.length for one in kept],
        [one.terms for one in kept],
        [one.tokens for one in kept],
        pack_vectors([one.vector for one in kept]),
        [name_to_bytes(group) for group in marks],
        list(marks.values()),
    )


def batches_of_rows(rows: Sequence[tuple[Any, ...]]) -> Iterator[DocumentBatch]:
    """Yield rows of the function ``index_read`` as batches of columns, in order."""
    return document_batches(
        rows,
        groups=_named(rows, _GROUP, _GROUP_NAME, name_from_bytes),
        embedders=_named(rows, _EMBEDDER, _EMBEDDER_NAME, bytes.decode),
        key_of=name_from_bytes,
        speakers={name: name.decode() for name in {row[_SPEAKER] for row in rows}},
    )


def _numbered(names: Sequence[str]) -> dict[str, int]:
    """Return each name's place among the distinct ones, from 1 on."""
    return {name: place for place, name in enumerate(dict.fromkeys(names), start=1)}


def _named(
    rows: Sequence[tuple[Any, ...]], number: int, name: int, decode: Any
) -> Mapping[int, str]:
    names = {row[number]: row[name] for row in rows}
    return {one: decode(column) for one, column in names.items()}
