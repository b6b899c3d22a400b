"""Namespaces as text: prefixes of whole labels, no collisions, exact ranges."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InvalidInputError
from daybook.model.namespace import (
    MAX_LABELS,
    check_namespace,
    decode_namespace,
    encode_namespace,
    prefix_range,
)

_SPECIAL = st.sampled_from(
    ["a", "ab", '"', ",", '","', "\\", '\\"', "\x00", "-", "é", "\uffff", "#"]
)
_LABELS = _SPECIAL | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
NAMESPACES = st.lists(_LABELS, min_size=1, max_size=4).map(tuple)


@given(NAMESPACES)
def test_encoding_comes_back(namespace: tuple[str, ...]) -> None:
    assert decode_namespace(encode_namespace(namespace)) == namespace


@given(NAMESPACES, NAMESPACES)
def test_two_namespaces_never_share_a_text(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (encode_namespace(one) == encode_namespace(other)) is (one == other)


@given(NAMESPACES, NAMESPACES)
def test_text_prefixes_are_label_prefixes(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    is_below = one[: len(other)] == other
    assert encode_namespace(one).startswith(encode_namespace(other)) is is_below


@given(NAMESPACES, st.lists(_LABELS, max_size=3).map(tuple))
def test_a_range_holds_exactly_what_is_below(
    namespace: tuple[str, ...], prefix: tuple[str, ...]
) -> None:
    low, high = prefix_range(prefix)
    text = encode_namespace(namespace)
    is_below = namespace[: len(prefix)] == prefix
    assert (low <= text < high) is is_below
    assert (low.encode() <= text.encode() < high.encode()) is is_below


@given(NAMESPACES)
def test_valid_namespaces_pass_unchanged(namespace: tuple[str, ...]) -> None:
    assert check_namespace(namespace) == namespace
    assert check_namespace(list(namespace)) == namespace


@pytest.mark.parametrize(
    "wrong",
    ["a", b"a", 3, None, {"a"}, (), [], ("",), ("a", 3), ("a", None), ("\ud800",), ("x" * 1025,)],
    ids=repr,
)
def test_what_is_no_namespace_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidInputError):
        check_namespace(wrong)


def test_depth_is_limited_and_empty_is_for_prefixes() -> None:
    assert check_namespace((), allow_empty=True) == ()
    assert len(check_namespace(("a",) * MAX_LABELS)) == MAX_LABELS
    with pytest.raises(InvalidInputError):
        check_namespace(("a",) * (MAX_LABELS + 1))
