"""What may stand in a caller's JSON, and the one error for what may not."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given

from daybook.errors import InvalidInputError
from daybook.model.codec import decode_json, encode_json
from daybook.model.json_value import MAX_DEPTH, check_json, check_json_object
from daybook.testing.odd_data import ODD_OBJECTS, refused_values
from tests.model.messages import VALUES


class _Number(IntEnum):
    ONE = 1


class _Text(str):
    __slots__ = ()


@given(VALUES)
def test_what_is_accepted_comes_back_equal(value: Any) -> None:
    check_json(value, "value")
    assert repr(decode_json(encode_json({"value": value}))["value"]) == repr(value)


@pytest.mark.parametrize("name", ODD_OBJECTS)
def test_odd_objects_are_accepted(name: str) -> None:
    check_json_object(ODD_OBJECTS[name], "metadata")


@pytest.mark.parametrize("name", refused_values())
@pytest.mark.parametrize(
    "wrap",
    [lambda one: one, lambda one: [one], lambda one: {"a": {"b": one}}],
    ids=["bare", "listed", "nested"],
)
def test_refused_values_are_refused_at_any_depth(name: str, wrap: Any) -> None:
    with pytest.raises(InvalidInputError, match="metadata"):
        check_json(wrap(refused_values()[name]), "metadata")


@pytest.mark.parametrize("value", [_Number.ONE, _Text("a")])
def test_subclasses_of_plain_kinds_are_refused(value: Any) -> None:
    """They would come back as something else."""
    with pytest.raises(InvalidInputError):
        check_json({"a": value}, "metadata")


def test_depth_is_counted_exactly() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    check_json(value, "value")
    with pytest.raises(InvalidInputError, match="deeper"):
        check_json([value], "value")


def test_a_cycle_is_refused_not_followed_for_ever() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(InvalidInputError, match="deeper"):
        check_json(value, "value")


def test_an_error_names_the_path_and_not_the_value() -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_json({"a": [1, {"b": b"canary"}]}, "metadata")
    assert "metadata.a[1].b" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("wrong", [None, [], "text", 3, (("a", 1),)])
def test_an_object_is_a_dict(wrong: Any) -> None:
    with pytest.raises(InvalidInputError):
        check_json_object(wrong, "metadata")
