"""Checks on what callers give to the cost ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from daybook.errors import InvalidInputError
from daybook.model.identifiers import check_id

__all__ = ["check_count", "check_day", "check_model", "check_names", "check_operation", "check_usd"]

_MOST_OPERATION_BYTES = 100
_MOST_TOKENS = 2**48


def check_names(user_id: Any, operation: Any) -> None:
    """Accept a user id and an operation."""
    check_id(user_id, "user_id")
    check_operation(operation)


def check_operation(operation: Any) -> None:
    """Accept the name of an operation: an id of 100 bytes at most."""
    if len(check_id(operation, "operation").encode()) > _MOST_OPERATION_BYTES:
        raise InvalidInputError(
            f"operation has more than {_MOST_OPERATION_BYTES} bytes: it is one of a few names, "
            "such as 'reply'"
        )


def check_model(model: Any) -> str:
    """Return `model` if it is a name."""
    if model is None:
        raise InvalidInputError("model must be given with a usage: prices differ")
    return check_id(model, "model")


def check_count(value: Any, what: str) -> int:
    """Return `value` if it is a count of tokens."""
    if type(value) is not int or not 0 <= value <= _MOST_TOKENS:
        raise InvalidInputError(f"{what} must be an int of 0 or more")
    return value


def check_usd(value: Any) -> int:
    """Return dollars in micro-dollars."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise InvalidInputError('usd must be a Decimal, an int or text such as "0.50"')
    try:
        micro = Decimal(value) * 1_000_000
    except InvalidOperation:
        raise InvalidInputError('usd must be a number such as "0.50"') from None
    if not micro.is_finite() or micro < 0 or micro >= 2**63:
        raise InvalidInputError("usd must be 0 or more")
    if micro != micro.to_integral_value():
        raise InvalidInputError("usd must be a whole number of millionths")
    return int(micro)


def check_day(value: Any, what: str) -> str | None:
    """Return a day as ``YYYY-MM-DD``; that of an aware datetime is its day in UTC."""
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInputError(f"{what} must be a date, or a datetime with a time zone")
        value = value.astimezone(UTC).date()
    if not isinstance(value, date):
        raise InvalidInputError(f"{what} must be a date")
    return value.isoformat()
