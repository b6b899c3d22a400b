"""Reads fields of JSON values that others wrote; what is wrong is said with its place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.source_file import Broken, Element, SourceFile

__all__ = [
    "dialogue_ids",
    "elements",
    "list_of",
    "object_of",
    "only_element",
    "text_of",
    "with_caption",
]

_DIALOGUE_ID = re.compile(r"D:?(\d+):(\d+)")


def elements(file: SourceFile) -> Iterator[tuple[str, Any]]:
    """Yield the elements of a file's JSON array, or its one value, each with its place.

    Raises:
        InvalidInputError: The file is not JSON; names where it breaks.
    """
    for element in file.elements():
        yield _whole(file, element)


def only_element(path: Path) -> Any:
    """Return the one JSON value of a file, an array included.

    Raises:
        InvalidInputError: The file cannot be read or is not JSON.
    """
    file = SourceFile(path)
    if file.text.lstrip()[:1] == "[":
        return [value for _, value in elements(file)]
    return next(elements(file))[1]


def _whole(file: SourceFile, element: Element | Broken) -> tuple[str, Any]:
    if isinstance(element, Broken):
        raise InvalidInputError(f"{file.path}: {element.position}: {element.reason}")
    return f"{file.path}: {element.position}", element.value


def object_of(value: Any, where: str) -> dict[str, Any]:
    """Return a value that must be an object."""
    if not isinstance(value, dict):
        raise InvalidInputError(f"{where}: must be an object, is {_kind(value)}")
    return value


def list_of(record: dict[str, Any], name: str, where: str) -> list[Any]:
    """Return a field that must be a list."""
    value = record.get(name)
    if not isinstance(value, list):
        raise InvalidInputError(f"{where}: {name} must be a list, is {_kind(value)}")
    return value


def text_of(record: dict[str, Any], name: str, where: str) -> str:
    """Return a field that must be text; a number is taken as it is written."""
    value = record.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InvalidInputError(f"{where}: {name} must be text, is {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"


def dialogue_ids(value: Any) -> list[str]:
    """Return the turn ids (``D3:14``) that an evidence field names, however it is written.

    Example:
        >>> dialogue_ids(["D1:3; D:2:07", "D1:3"])
        ['D1:3', 'D2:7']
    """
    joined = " ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    found = (f"D{int(session)}:{int(turn)}" for session, turn in _DIALOGUE_ID.findall(joined))
    return list(dict.fromkeys(found))


def with_caption(text: str, turn: dict[str, Any]) -> str:
    """Return a turn's text with what its picture shows, if it has one."""
    caption = turn.get("blip_caption")
    return f"{text} [shares a photo: {caption}]" if caption else text
