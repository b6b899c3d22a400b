"""Filters mean what a naive reading of them means, whatever stands in keys and values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InvalidInputError
from daybook.model.record_filter import compile_filter

_PLAIN = st.sampled_from([None, True, False, 0, 1, 1.0, 2, -1, "", "1", "a", "b"])
_VALUES: Any = st.recursive(
    _PLAIN,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)
_KEYS = st.sampled_from(["a", "b", "a.b", "a.b.c", "c", "$gt", "'; --"])
_RECORDS = st.dictionaries(_KEYS, _VALUES, max_size=3)
_COMPARE = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
_CONDITIONS = (
    _PLAIN
    | st.lists(_PLAIN, max_size=2)
    | st.dictionaries(_COMPARE, _VALUES, min_size=1, max_size=2)
    | st.fixed_dictionaries({"$in": st.lists(_VALUES, max_size=3)})
    | st.fixed_dictionaries({"$exists": st.booleans()})
)
_MISSING = object()


def _lookup(value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        return _MISSING
    if path in value:
        return value[path]
    if "." not in path:
        return _MISSING
    head, rest = path.split(".", 1)
    return _lookup(value[head], rest) if head in value else _MISSING


def _kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def _equal(one: Any, other: Any) -> bool:
    if _kind(one) != _kind(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(
            _equal(*pair) for pair in zip(one, other, strict=True)
        )
    if isinstance(one, dict):
        return set(one) == set(other) and all(_equal(one[key], other[key]) for key in one)
    return bool(one == other)


def _operator(name: str, found: Any, operand: Any) -> bool:
    if name == "$exists":
        return (found is not _MISSING) is bool(operand)
    if name == "$in":
        return any(_equal(found, one) for one in operand)
    if name in ("$eq", "$ne"):
        return _equal(found, operand) is (name == "$eq")
    if _kind(found) != _kind(operand) or _kind(found) not in ("number", "str"):
        return False
    if found == operand:
        return name in ("$gte", "$lte")
    above = bool(found > operand)
    return name in (("$gt", "$gte") if above else ("$lt", "$lte"))


def _reference(conditions: dict[str, Any], value: dict[str, Any]) -> bool:
    for path, wanted in conditions.items():
        found = _lookup(value, path)
        if isinstance(wanted, dict) and any(key.startswith("$") for key in wanted):
            if not all(_operator(name, found, operand) for name, operand in wanted.items()):
                return False
        elif not _equal(found, wanted):
            return False
    return True


@given(st.dictionaries(_KEYS, _CONDITIONS, max_size=2), _RECORDS)
def test_a_filter_agrees_with_the_reference(
    conditions: dict[str, Any], value: dict[str, Any]
) -> None:
    assert compile_filter(conditions)(value) is _reference(conditions, value)


@given(_RECORDS)
def test_no_conditions_match_everything(value: dict[str, Any]) -> None:
    assert compile_filter(None)(value)
    assert compile_filter({})(value)


@pytest.mark.parametrize(
    ("conditions", "value", "expected"),
    [
        ({"a": True}, {"a": 1}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": None}, {}, False),
        ({"a": {"$ne": 1}}, {}, True),
        ({"a": {"$eq": None}}, {"a": None}, True),
        ({"a.b": 1}, {"a": {"b": 1}}, True),
        ({"a.b": 1}, {"a.b": 1, "a": {"b": 2}}, True),
        ({"a": {"$gt": "b"}}, {"a": "c"}, True),
        ({"a": {"$gt": 1}}, {"a": "2"}, False),
        ({"a": {"$gt": False}}, {"a": 1}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, True),
        ({"a": {"$in": []}}, {"a": 1}, False),
        ({"a": {"$gte": 1, "$lt": 2}}, {"a": 1.5}, True),
        ({"a": 2**63}, {"a": 2**63 + 1}, False),
    ],
)
def test_single_cases(conditions: dict[str, Any], value: dict[str, Any], expected: bool) -> None:
    assert compile_filter(conditions)(value) is expected


@pytest.mark.parametrize(
    "wrong",
    [
        "a",
        [("a", 1)],
        {"": 1},
        {1: 1},
        {"a": {"$where": "1"}},
        {"a": {"$gt": 1, "plain": 2}},
        {"a": {"$in": 1}},
        {"a": {"$in": {"b": 1}}},
        {"a": {"$exists": 1}},
        {"a": float("nan")},
        {"a": {"$eq": b"x"}},
        {"a": "\ud800"},
    ],
    ids=repr,
)
def test_what_is_no_filter_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidInputError):
        compile_filter(wrong)
