"""Moments as other tools write them, to aware times. Pure.

A time without a zone is taken as UTC: the file does not say more, and guessing the reader's zone
would give each reader another history.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from daybook.errors import InvalidInputError

__all__ = ["parse_time"]

# Seconds since 1970 reach this in the year 5138; larger numbers are milliseconds, and so on.
_LARGEST_SECONDS = 1e11
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_SPOKEN = re.compile(r"(\d{1,2}):(\d{2}) ?([ap]m) on (\d{1,2}) (\w+),? (\d{4})", re.IGNORECASE)
_MONTHS = {
    name: number
    for number, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(),
        start=1,
    )
}


def parse_time(value: Any) -> datetime | None:
    """Return a moment in UTC from ISO text, Unix seconds or milliseconds; None for none.

    Args:
        value: ``"2024-05-01T10:00:00Z"``, ``1714557600.5``, ``"1:56 pm on 8 May, 2023"``, None, "".

    Raises:
        InvalidInputError: It is none of these.

    Example:
        >>> parse_time("2024-05-01T10:00:00+02:00").isoformat()
        '2024-05-01T08:00:00+00:00'
        >>> parse_time(0).year
        1970
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(float(value))
    if isinstance(value, str):
        return _from_text(value.strip())
    raise InvalidInputError(f"a time must be text or a number, got {type(value).__name__}")


def _from_text(text: str) -> datetime:
    if _NUMBER.fullmatch(text) and len(text) > len("20240501"):
        return _from_number(float(text))
    spoken = _SPOKEN.fullmatch(text)
    try:
        return _from_spoken(spoken) if spoken else _aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise InvalidInputError(
            "the time is not in a known form: write 2024-05-01T10:00:00Z"
        ) from None


def _from_spoken(found: re.Match[str]) -> datetime:
    hour, minute, half, day, month, year = found.groups()
    number = _MONTHS.get(month[:3].lower(), 0)
    hours = int(hour) % 12 + (12 if half.lower() == "pm" else 0)
    return datetime(int(year), number, int(day), hours, int(minute), tzinfo=UTC)


def _from_number(number: float) -> datetime:
    if not math.isfinite(number):
        raise InvalidInputError("the time is not a finite number")
    for _ in ("milliseconds", "microseconds", "nanoseconds"):
        if abs(number) >= _LARGEST_SECONDS:
            number /= 1000
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidInputError("the time is out of range") from None


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
