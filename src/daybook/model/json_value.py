"""What may stand in a caller's JSON: checked once, here, for every engine."""

from __future__ import annotations

import math
from typing import Any

from daybook.errors import InvalidInputError

__all__ = ["MAX_DEPTH", "check_json", "check_json_object"]

MAX_DEPTH = 100
_MAX_INTEGER = 2**64


def check_json(value: Any, where: str, depth: int = 0) -> None:
    """Accept exactly the values that come back equal from JSON.

    Args:
        value: None, bool, int below 2**64 in size, finite float, str, list, or dict with str keys.
        where: The path shown in an error, for example ``metadata.tags``.
        depth: How deep `value` already is; callers leave it at 0.

    Raises:
        InvalidInputError: Names the path and what is wrong there.
    """
    if value is None or value is True or value is False:
        return
    kind = type(value)
    if kind is str:
        _check_text(value, where)
    elif kind is int:
        if abs(value) >= _MAX_INTEGER:
            raise InvalidInputError(f"{where}: an integer must be smaller than 2**64 in size")
    elif kind is float:
        if not math.isfinite(value):
            raise InvalidInputError(f"{where}: {value} is not a JSON number; use None or text")
    elif kind is dict or kind is list:
        _check_container(value, where, depth)
    else:
        raise InvalidInputError(
            f"{where}: {kind.__name__} is not JSON; use None, bool, int, float, str, list or dict"
        )


def check_json_object(value: Any, where: str) -> None:
    """Accept a dict with str keys whose values pass `check_json`."""
    if type(value) is not dict:
        raise InvalidInputError(f"{where} must be a dict, got {type(value).__name__}")
    check_json(value, where)


def _check_container(value: Any, where: str, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise InvalidInputError(f"{where[:80]}…: nested deeper than {MAX_DEPTH} levels")
    if type(value) is list:
        for index, item in enumerate(value):
            check_json(item, f"{where}[{index}]", depth + 1)
        return
    for key, item in value.items():
        if type(key) is not str:
            raise InvalidInputError(f"{where}: a key must be a str, got {type(key).__name__}")
        _check_text(key, where)
        check_json(item, f"{where}.{key}", depth + 1)


def _check_text(value: str, where: str) -> None:
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise InvalidInputError(
            f"{where}: a lone surrogate at index {exc.start} is not valid Unicode text"
        ) from None
