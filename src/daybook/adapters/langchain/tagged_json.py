"""Any plain Python value as JSON and back: what JSON lacks stands under a tag.

A closed list of types, so that reading can neither run code nor import anything. An object of
pydantic's, or a dataclass, is kept as the dict of its fields.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from langchain_core.documents import Document

from daybook.errors import InvalidInputError

__all__ = ["TAG", "is_text", "plain", "restored"]

TAG = "$daybook"
_DEEPEST = 90  # below what a message may hold
_MAX_INTEGER = 2**64


def plain(value: Any, where: str, depth: int = 0) -> Any:
    """Return a value as JSON from which `restored` makes an equal one.

    Raises:
        InvalidInputError: It holds something else than plain data; names the place.
    """
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is str or kind is int or kind is float:
        return _plain_scalar(value)
    if depth >= _DEEPEST:
        raise InvalidInputError(f"{where[:80]}…: nested deeper than {_DEEPEST} levels")
    if kind is list:
        return [plain(item, f"{where}[{at}]", depth + 1) for at, item in enumerate(value)]
    if kind is dict:
        return _plain_dict(value, where, depth)
    return _plain_object(value, where, depth)


def restored(value: Any) -> Any:
    """Return the value that `plain` was given; a tag that is not known stays as it is."""
    kind = type(value)
    if kind is list:
        return [restored(item) for item in value]
    if kind is not dict:
        return value
    if len(value) == 1 and TAG in value:
        name, content = value[TAG]
        return _RESTORE[name](content) if name in _RESTORE else value
    return {key: restored(item) for key, item in value.items()}


def is_text(value: str) -> bool:
    """Tell whether a text is valid Unicode: it holds no lone surrogate."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain_scalar(value: str | float) -> Any:
    if isinstance(value, str):
        return value if is_text(value) else _tagged("text", _to_base64(_bytes_of(value)))
    if isinstance(value, int):
        return value if abs(value) < _MAX_INTEGER else _tagged("int", str(value))
    return value if math.isfinite(value) else _tagged("float", repr(value))


def _plain_dict(value: dict[Any, Any], where: str, depth: int) -> Any:
    if TAG not in value and all(type(key) is str and is_text(key) for key in value):
        return {key: plain(item, f"{where}.{key}", depth + 1) for key, item in value.items()}
    pairs = [
        [plain(key, f"{where} key", depth + 2), plain(item, where, depth + 2)]
        for key, item in value.items()
    ]
    return _tagged("dict", pairs)


def _plain_object(value: Any, where: str, depth: int) -> Any:
    for kind, name, write in _WRITE:
        if type(value) is kind:
            return _tagged(name, write(value))
    if isinstance(value, tuple | set | frozenset):
        name = next(kind.__name__ for kind in (tuple, set, frozenset) if isinstance(value, kind))
        items = sorted(value, key=repr) if name != "tuple" else value
        return _tagged(name, [plain(item, where, depth + 1) for item in items])
    if isinstance(value, Document):
        return _tagged("document", plain(_document_fields(value), where, depth + 1))
    bases: tuple[Any, ...] = (str, int, float, list, dict)
    for base in bases:
        if isinstance(value, base):  # a subclass, an enumeration's member for one
            return plain(base(getattr(value, "value", value)), where, depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value), where, depth)
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return plain(value.model_dump(), where, depth)
    raise InvalidInputError(
        f"{where}: {type(value).__name__} cannot be stored; use plain data, bytes or documents"
    )


def _tagged(name: str, content: Any) -> dict[str, Any]:
    return {TAG: [name, content]}


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _document_fields(document: Document) -> dict[str, Any]:
    return {
        "page_content": document.page_content,
        "metadata": document.metadata,
        "id": document.id,
    }


_WRITE: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (bytes, "bytes", _to_base64),
    (datetime, "datetime", datetime.isoformat),
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "timedelta", lambda span: [span.days, span.seconds, span.microseconds]),
    (Decimal, "decimal", str),
    (UUID, "uuid", str),
    (complex, "complex", lambda number: [repr(number.real), repr(number.imag)]),
)
_RESTORE: dict[str, Callable[[Any], Any]] = {
    "text": lambda content: base64.b64decode(content).decode("utf-8", "surrogatepass"),
    "int": int,
    "float": float,
    "bytes": base64.b64decode,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda content: timedelta(*content),
    "decimal": Decimal,
    "uuid": UUID,
    "complex": lambda content: complex(float(content[0]), float(content[1])),
    "tuple": lambda content: tuple(restored(content)),
    "set": lambda content: set(restored(content)),
    "frozenset": lambda content: frozenset(restored(content)),
    "dict": lambda content: {restored(key): restored(item) for key, item in content},
    "document": lambda content: Document(**restored(content)),
}
