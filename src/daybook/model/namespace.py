"""Namespaces as text that sorts, and prefixes that cannot collide.

Each label is written as a JSON string and a comma: ``("alice", "prefs")`` is ``"alice","prefs",``.
Quotes inside labels are escaped, so ``("a",)`` is a prefix of ``("a", "b")`` and never of
``("ab",)``, whatever characters the labels hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from daybook.errors import InvalidInputError
from daybook.model.identifiers import check_id
from daybook.model.memory_record import Namespace

__all__ = [
    "MAX_LABELS",
    "check_namespace",
    "decode_namespace",
    "encode_namespace",
    "prefix_range",
]

MAX_LABELS = 32


def check_namespace(value: Any, *, allow_empty: bool = False) -> Namespace:
    """Return `value` as a checked tuple of labels.

    Raises:
        InvalidInputError: Not a sequence of labels, empty, too long, or a label is no valid id.
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidInputError(
            f"namespace must be a tuple of labels such as ('alice', 'prefs'), "
            f"got {type(value).__name__}"
        )
    if not value and not allow_empty:
        raise InvalidInputError("namespace must have at least one label")
    if len(value) > MAX_LABELS:
        raise InvalidInputError(f"namespace has {len(value)} labels; at most {MAX_LABELS}")
    return tuple(check_id(label, f"namespace[{index}]") for index, label in enumerate(value))


def encode_namespace(namespace: Namespace) -> str:
    """Return a namespace as one text; see the module for its form."""
    return "".join(msgspec.json.encode(label).decode() + "," for label in namespace)


def decode_namespace(text: str) -> Namespace:
    """Return the namespace of an encoded text."""
    return tuple(msgspec.json.decode(f"[{text[:-1]}]", type=list[str]))


def prefix_range(prefix: Namespace) -> tuple[str, str]:
    """Return ``(low, high)`` so that ``low <= text < high`` holds exactly below `prefix`.

    A comma ends every label and ``-`` is the next character after it.
    """
    if not prefix:
        return "", "#"
    low = encode_namespace(prefix)
    return low, low[:-1] + "-"
