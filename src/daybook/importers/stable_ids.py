"""Ids for what has none in its source: the same at every reading, different for different places.

Importing a file again must find its messages stored, so an id may rest only on what does not
change between two readings. Pure.
"""

from __future__ import annotations

from uuid import UUID, uuid5

__all__ = ["stable_id"]

_NAMESPACE = UUID("6f9b8f0e-8d0f-5f0c-9a51-6d2f0c7d3b11")


def stable_id(*parts: object) -> str:
    """Return a UUID of version 5 over `parts`; their borders count.

    Example:
        >>> stable_id("a", "bc") == stable_id("a", "bc")
        True
        >>> stable_id("a", "bc") == stable_id("ab", "c")
        False
    """
    joined = "".join(f"{len(text)}:{text}" for text in map(str, parts))
    # A lone surrogate cannot be encoded; what it belongs to is refused later, with its position.
    digest = joined.encode("utf-8", "backslashreplace").decode("utf-8")
    return str(uuid5(_NAMESPACE, digest))
