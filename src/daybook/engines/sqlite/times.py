"""Times and identifiers as the database keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["id_from_column", "id_to_column", "moment", "moment_or_none", "to_micros"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UUID_TEXT = 36


def to_micros(when: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (when - _EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """Return the aware time of a count of microseconds."""
    return _EPOCH + timedelta(microseconds=micros)


def moment_or_none(micros: int | None) -> datetime | None:
    """Return the aware time, or None for None."""
    return None if micros is None else moment(micros)


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
