"""Identifiers in few bytes: a UUID takes 16 of them. Pure."""

from __future__ import annotations

__all__ = ["id_from_column", "id_to_column"]

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
