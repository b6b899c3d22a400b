"""LangGraph's rules for namespaces: which labels may stand, and which namespaces match. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from langgraph.store.base import InvalidNamespaceError, ListNamespacesOp

__all__ = ["check_labels", "listed", "literal_prefix"]

Namespace = tuple[str, ...]


def check_labels(labels: Any) -> Namespace:
    """Return the labels of a namespace, or of a part of one, as a tuple.

    Operations handed to `batch` do not pass LangGraph's own check; releases before 4.3 have none
    that a store could call.

    Raises:
        InvalidNamespaceError: A label is empty, no text, or holds a period or a NUL.
    """
    if isinstance(labels, str):
        raise InvalidNamespaceError("a namespace is a tuple of labels, not a text")
    for label in labels:
        if not isinstance(label, str):
            raise InvalidNamespaceError(f"a label must be a str, got {type(label).__name__}")
        if not label:
            raise InvalidNamespaceError("a label of a namespace is empty")
        if "." in label or "\x00" in label:
            raise InvalidNamespaceError("a label of a namespace holds a period or a NUL")
    return tuple(labels)


def literal_prefix(op: ListNamespacesOp) -> Namespace:
    """Return the labels that every match begins with: what need not be read is left out."""
    for condition in op.match_conditions or ():
        if condition.match_type == "prefix":
            path = tuple(condition.path)
            return path[: path.index("*")] if "*" in path else path
    return ()


def listed(op: ListNamespacesOp, namespaces: Iterable[Namespace]) -> list[Namespace]:
    """Return the page of namespaces that an operation asks for.

    Raises:
        ValueError: A condition is of an unknown type.
    """
    conditions = op.match_conditions or ()
    found = {
        namespace[: op.max_depth]
        for namespace in namespaces
        if all(_matches(one.match_type, tuple(one.path), namespace) for one in conditions)
    }
    return sorted(found)[op.offset : op.offset + op.limit]


def _matches(kind: str, path: Sequence[str], namespace: Namespace) -> bool:
    if kind not in ("prefix", "suffix"):
        raise ValueError(f"match_type must be prefix or suffix, got {kind!r}")
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if kind == "prefix" else namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))
