"""Filters over records' values: one meaning for every engine, checked and evaluated here.

A filter is a JSON object. Each key is a path into the value (``"address.city"``; a key that
itself holds a dot is matched first); its value is either what must stand there, or an object of
operators: ``$eq $ne $gt $gte $lt $lte $in $exists``. All conditions must hold.

Numbers are compared as numbers and text as text; a comparison across kinds is false. ``True`` is
not 1. An absent path matches nothing but ``$ne``, ``{"$exists": false}`` and equality with None
is false for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from daybook.errors import InvalidInputError
from daybook.model.json_value import check_json

__all__ = ["Predicate", "compile_filter"]

Predicate = Callable[[dict[str, Any]], bool]
_Test = Callable[[Any], bool]

_ABSENT = object()


def compile_filter(conditions: Mapping[str, Any] | None) -> Predicate:
    """Return a predicate over record values.

    Raises:
        InvalidInputError: A key is not text, an operator is unknown, a value is not JSON.

    Example:
        >>> young = compile_filter({"age": {"$lt": 30}, "city": "Oslo"})
        >>> young({"age": 29, "city": "Oslo"}), young({"age": "29", "city": "Oslo"})
        (True, False)
    """
    if not conditions:
        return _everything
    if not isinstance(conditions, Mapping):
        raise InvalidInputError(f"filter must be a dict, got {type(conditions).__name__}")
    tests = [(path, _compile_condition(path, wanted)) for path, wanted in conditions.items()]

    def matches(value: dict[str, Any]) -> bool:
        return all(test(_at_path(value, path)) for path, test in tests)

    return matches


def _everything(_: dict[str, Any]) -> bool:
    return True


def _compile_condition(path: Any, wanted: Any) -> _Test:
    if not isinstance(path, str) or not path:
        raise InvalidInputError("filter: each key must be non-empty text: a path into the value")
    if not (isinstance(wanted, dict) and any(str(key).startswith("$") for key in wanted)):
        check_json(wanted, f"filter.{path}")
        return lambda found: _same(found, wanted)
    tests = [_compile_operator(path, name, operand) for name, operand in wanted.items()]
    return lambda found: all(test(found) for test in tests)


def _compile_operator(path: str, name: str, operand: Any) -> _Test:
    check_json(operand, f"filter.{path}.{name}")
    if name == "$in" and not isinstance(operand, list):
        raise InvalidInputError(f"filter.{path}.$in needs a list of values")
    if name == "$exists" and not isinstance(operand, bool):
        raise InvalidInputError(f"filter.{path}.$exists needs true or false")
    tests: dict[str, _Test] = {
        "$eq": lambda found: _same(found, operand),
        "$ne": lambda found: not _same(found, operand),
        "$gt": lambda found: _comparable(found, operand) and found > operand,
        "$gte": lambda found: _comparable(found, operand) and found >= operand,
        "$lt": lambda found: _comparable(found, operand) and found < operand,
        "$lte": lambda found: _comparable(found, operand) and found <= operand,
        "$in": lambda found: any(_same(found, one) for one in operand),
        "$exists": lambda found: (found is not _ABSENT) is operand,
    }
    if name not in tests:
        raise InvalidInputError(
            f"filter.{path}: unknown operator {name!r}; known are {', '.join(tests)}"
        )
    return tests[name]


def _at_path(value: Any, path: str) -> Any:
    if isinstance(value, dict) and path in value:
        return value[path]
    head, dot, rest = path.partition(".")
    if not dot or not isinstance(value, dict) or head not in value:
        return _ABSENT
    return _at_path(value[head], rest)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(found: Any, wanted: Any) -> bool:
    if _is_number(found) and _is_number(wanted):
        return bool(found == wanted)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[k], wanted[k]) for k in wanted)
    return type(found) is type(wanted) and bool(found == wanted)


def _comparable(found: Any, wanted: Any) -> bool:
    if _is_number(found) and _is_number(wanted):
        return True
    return isinstance(found, str) and isinstance(wanted, str)
