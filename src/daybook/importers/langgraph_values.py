"""What LangGraph's checkpoint savers serialised, read as plain data. Pure.

MessagePack with extensions that say how to build Python objects, or JSON with ``"lc"`` objects.
Here an object is the dict of its fields: nothing is imported, built or called, and pickles are
never read.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from daybook.errors import InvalidInputError

__all__ = ["decode_value"]

_POSITION = {0: 2, 1: 2, 2: 2, 3: 2, 4: 2, 5: 2}  # (module, name, fields or argument, …)
_SNAPSHOT = 7
_DEEPEST = 50


def decode_value(kind: str | None, data: bytes | str | None) -> Any:
    """Return a stored value; None for an empty one.

    Args:
        kind: The saver's word for the form: ``msgpack``, ``json``, ``null``, ``empty``.
        data: The bytes.

    Raises:
        InvalidInputError: Pickled, encrypted, of another form, or damaged.
    """
    if kind in ("null", "empty") or data is None:
        return None
    body = data.encode() if isinstance(data, str) else bytes(data)
    try:
        if kind == "msgpack":
            return _unpack(body, 0)
        if kind == "json":
            return _plain(json.loads(body))
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise InvalidInputError("the checkpoint is damaged") from None
    if kind == "pickle":
        raise InvalidInputError(
            "the checkpoint is pickled: reading it could run code, so it is not"
        )
    if kind is not None and "+" in kind:
        raise InvalidInputError("the checkpoint is encrypted")
    raise InvalidInputError("the checkpoint is in a form that is not known")


def _unpack(body: bytes, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")

    def extension(code: int, data: memoryview) -> Any:
        inner = _unpack(bytes(data), depth + 1)
        if code == _SNAPSHOT:
            return inner
        place = _POSITION.get(code)
        if place is None or not isinstance(inner, list) or len(inner) <= place:
            return None  # arrays of numbers, and what is newer than this
        return inner[place]

    return msgspec.msgpack.decode(body, ext_hook=extension, strict=False)


def _plain(value: Any) -> Any:
    """Return JSON with LangChain's constructors replaced by their fields."""
    if isinstance(value, list):
        return [*map(_plain, value)]
    if not isinstance(value, dict):
        return value
    if "lc" in value and value.get("type") == "constructor":
        return _plain(value.get("kwargs") or {})
    return {key: _plain(item) for key, item in value.items()}
