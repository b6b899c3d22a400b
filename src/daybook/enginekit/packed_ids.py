"""Identifiers in few bytes: a UUID takes 16 of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from daybook.recall.columns.blob_column import BlobColumn

__all__ = ["id_from_column", "id_to_column", "ids_from_columns"]

_UUID_TEXT = 36


def id_to_column(value: str) -> bytes | str:
    """Return an id in its shortest form: 16 bytes for a canonical UUID, else its text."""
    if len(value) == _UUID_TEXT and value[8] == value[13] == "-":
        try:
            column = bytes.fromhex(value.replace("-", ""))
        except ValueError:
            return value
        if id_from_column(column) == value:
            return column
    return value


def id_from_column(column: bytes | str) -> str:
    """Return the id that `id_to_column` wrote."""
    if isinstance(column, str):
        return column
    digits = column.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def ids_from_columns(columns: BlobColumn, packed: NDArray[Any]) -> list[str]:
    """Return many ids that `id_to_column` wrote.

    Args:
        columns: Bytes of each, of text as UTF-8.
        packed: Which were stored as bytes (not 0), which as text (0).

    Cost: about 0.2 µs an id where all are UUIDs.
    """
    from daybook.recall.columns.uuid_texts import uuid_texts  # noqa: PLC0415 - numpy loads with it

    if packed.all():
        return uuid_texts(columns.joined)
    return [
        id_from_column(column if is_packed else column.decode("utf-8", "surrogatepass"))
        for column, is_packed in zip(columns.listed(), packed.tolist(), strict=True)
    ]
