"""Paths into a record's value, and the texts that stand there. Pure.

``"title"``, ``"metadata.title"``, ``"chapters[*].content"``, ``"authors[0]"``, ``"tags[-1]"``,
``"{title,summary}"``, and ``"$"`` for everything. A key that itself holds a dot is matched first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["texts_at", "words_of"]

_STEP = r"\[(\*|-?\d+)\]|\{([^{}]*)\}|([^.\[\]{}]+)"  # compiled when first used


def words_of(value: Any) -> str:
    """Return the texts and numbers inside a JSON value, in order."""
    if isinstance(value, dict):
        return " ".join(f"{key} {words_of(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(map(words_of, value))
    return "" if value is None or isinstance(value, bool) else str(value)


def texts_at(value: Any, path: str) -> list[str]:
    """Return the texts and numbers at a path, in order; empty if nothing stands there.

    Example:
        >>> texts_at({"a": [{"b": "one"}, {"b": 2}]}, "a[*].b")
        ['one', '2']
    """
    found = [value]
    if isinstance(value, dict) and path in value:
        found, path = [value[path]], "$"
    for index, names, name in re.findall(_STEP, path.removeprefix("$").removeprefix(".")):
        found = [item for one in found for item in _inside(one, index, names, name)]
    return [text for text in map(words_of, found) if text]


def _inside(value: Any, index: str, names: str, name: str) -> Iterator[Any]:
    if isinstance(value, list):
        if index == "*" or name == "*":
            yield from value
        elif index and -len(value) <= int(index) < len(value):
            yield value[int(index)]
    elif isinstance(value, dict):
        if "*" in (index, name):
            yield from value.values()
        for key in names.split(",") if names else (name,):
            if key.strip() in value:
                yield value[key.strip()]
