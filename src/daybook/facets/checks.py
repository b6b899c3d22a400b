"""Checks that several facets make on what callers give."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from daybook.errors import InvalidInputError

__all__ = ["check_limit", "check_moment", "check_ttl"]

_LONGEST_TTL = timedelta(days=365 * 1000)


def check_limit(value: Any, what: str = "limit") -> int:
    """Return `value` if it is an int of 1 or more.

    Raises:
        InvalidInputError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidInputError(f"{what} must be an int of 1 or more")
    return value


def check_ttl(value: Any) -> timedelta | None:
    """Return `value` if it is None or a positive timedelta up to 1,000 years.

    Raises:
        InvalidInputError: It is not.
    """
    if value is None:
        return None
    if not isinstance(value, timedelta):
        raise InvalidInputError(
            f"ttl must be a timedelta such as timedelta(hours=1), got {type(value).__name__}"
        )
    if not timedelta(0) < value <= _LONGEST_TTL:
        raise InvalidInputError("ttl must be positive and at most 1,000 years")
    return value


def check_moment(value: Any, what: str) -> datetime | None:
    """Return `value` if it is None or an aware datetime.

    Raises:
        InvalidInputError: It is not.
    """
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInputError(f"{what} must be a datetime with a time zone")
    return value
