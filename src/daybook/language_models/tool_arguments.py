"""Arguments of tool calls, between a model's text and our values. Pure."""

from __future__ import annotations

import json
from typing import Any

from daybook.errors import InvalidInputError
from daybook.model.json_value import check_json_object

__all__ = ["RAW_FIELD", "arguments_object", "read_arguments", "write_arguments"]

# Where a provider takes objects only, raw text travels in this field: the one that Anthropic's
# documentation names for it.
RAW_FIELD = "INVALID_JSON"


def read_arguments(text: str) -> dict[str, Any] | str:
    """Return a model's arguments as an object, or the text as it came if it is not one.

    Not one is also what would not come back equal: NaN, a name that stands twice, integers beyond
    64 bits.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
        check_json_object(value, "arguments")
    except (ValueError, InvalidInputError, RecursionError):
        return text
    checked: dict[str, Any] = value
    return checked


def write_arguments(arguments: dict[str, Any] | str) -> str:
    """Return arguments as JSON text; raw text as it came."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def arguments_object(arguments: dict[str, Any] | str) -> dict[str, Any]:
    """Return arguments as an object, for providers that take nothing else; raw text in a field."""
    return {RAW_FIELD: arguments} if isinstance(arguments, str) else arguments


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
