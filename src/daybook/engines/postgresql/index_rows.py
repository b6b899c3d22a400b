"""Index documents as what the database is sent and sends back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.enginekit.document_chunk import DocumentChunk
from daybook.enginekit.packed_ids import id_from_column, id_to_column, ids_from_columns
from daybook.engines.postgresql.driver_errors import ENGINE
from daybook.model.index_document import IndexDocument
from daybook.recall.columns.blob_column import BlobColumn
from daybook.recall.columns.document_batch import DocumentBatch
from daybook.recall.columns.vector_blobs import pack_vectors

__all__ = [
    "Chunk",
    "chunk_of_row",
    "living_of_row",
    "name_from_bytes",
    "name_to_bytes",
    "put_arguments",
    "token_vector_arguments",
]

_UUID, _TEXT = b"\x00", b"\x01"
_UUID_BYTES = 16
# An array as bytes: 20 of a header, then each element behind its length.
_HEADER = 20
_NUMBERS = np.dtype([("size", ">i4"), ("value", ">i8")])


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


def token_vector_arguments(documents: Sequence[IndexDocument]) -> tuple[Any, ...] | None:
    """Return the last arguments of ``index_put_token_vectors``; None if no document has any."""
    last = {(one.group, one.key): one for one in documents}
    kept = [one for one in last.values() if one.token_vectors]
    if not kept:
        return None
    return (
        [name_to_bytes(one.group) for one in kept],
        [name_to_bytes(one.key) for one in kept],
        [one.token_vectors for one in kept],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What the function ``index_columns`` says: of the scope, and of some documents.

    Attributes:
        row: The scope's row.
        epoch: How often something was deleted from it.
        documents: How many it has.
    """

    row: int
    epoch: int
    documents: int
    _columns: DocumentChunk | None
    _groups: Mapping[int, str]
    _embedders: Mapping[int, str]

    @property
    def count(self) -> int:
        """How many documents are in it."""
        return 0 if self._columns is None else len(self._columns.numbers)

    @property
    def last(self) -> int:
        """The last document's number, 0 without any."""
        return 0 if self._columns is None else int(self._columns.numbers[-1])

    def batches(self, after: int) -> Iterator[DocumentBatch]:
        """Yield documents with numbers above `after`, in order."""
        if self._columns is not None:
            yield from self._columns.batches(self._groups, self._embedders, after=after)


def chunk_of_row(row: tuple[Any, ...]) -> Chunk:
    """Return a row of the function ``index_columns``.

    Raises:
        CorruptRecordError: Its columns do not fit together.
    """
    (found, epoch, documents), columns, names = row[:3], row[3:21], row[21:25]
    if columns[0] is None:
        return Chunk(found, epoch, documents, None, {}, {})
    numbers = [_array(column) for column in columns[:13]]
    keys, *blobs = (
        BlobColumn(joined or b"", sizes)
        for joined, sizes in zip(columns[13:], numbers[8:], strict=True)
    )
    chunk = DocumentChunk.of(numbers[:8], _keys(keys), blobs)
    chunk.check(ENGINE)
    groups = dict(zip(names[0], map(name_from_bytes, names[1]), strict=True))
    embedders = dict(zip(names[2], map(bytes.decode, names[3]), strict=True))
    return Chunk(found, epoch, documents, chunk, groups, embedders)


def living_of_row(row: tuple[Any, ...]) -> tuple[int, int, NDArray[np.int64]]:
    """Return epoch, last number and all numbers out of a row of the function ``index_living``."""
    epoch, last, numbers, *_ = row
    return epoch, last, np.empty(0, np.int64) if numbers is None else _array(numbers)


def _array(sent: bytes) -> NDArray[np.int64]:
    return np.frombuffer(sent, _NUMBERS, offset=_HEADER)["value"].astype(np.int64)


def _keys(names: BlobColumn) -> list[str]:
    width = _UUID_BYTES + 1
    if (names.sizes == width).all():
        table = np.frombuffer(names.joined, np.uint8).reshape(-1, width)
        if not table[:, 0].any():
            column = BlobColumn(table[:, 1:].tobytes(), names.sizes - 1)
            return ids_from_columns(column, np.ones(len(column), np.bool_))
    return [name_from_bytes(name) for name in names.listed()]


def _numbered(names: Sequence[str]) -> dict[str, int]:
    """Return each name's place among the distinct ones, from 1 on."""
    return {name: place for place, name in enumerate(dict.fromkeys(names), start=1)}
