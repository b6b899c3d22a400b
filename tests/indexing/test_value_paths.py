from __future__ import annotations

from typing import Any

import pytest

from daybook.indexing.value_paths import texts_at

VALUE: dict[str, Any] = {
    "title": "one",
    "n": 7,
    "meta": {"title": "two", "tags": ["a", "b"], "deep": {"x": True}},
    "parts": [{"text": "three"}, {"text": "four", "more": [{"text": "five"}]}, "loose"],
    "a.b": "dotted",
    "a": {"b": "nested"},
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("title", ["one"]),
        ("n", ["7"]),
        ("meta.title", ["two"]),
        ("$.meta.title", ["two"]),
        ("meta.tags", ["a b"]),
        ("meta.tags[*]", ["a", "b"]),
        ("meta.tags[-1]", ["b"]),
        ("meta.tags[2]", []),
        ("parts[*].text", ["three", "four"]),
        ("parts[1].more[0].text", ["five"]),
        ("parts[*].more[*].text", ["five"]),
        ("{title,n}", ["one", "7"]),
        ("meta.{title, tags}", ["two", "a b"]),
        ("a.b", ["dotted"]),
        ("meta.deep.x", []),
        ("none", []),
        ("absent.path[0]", []),
        ("title.more", []),
    ],
)
def test_texts_at_a_path(path: str, texts: list[str]) -> None:
    assert texts_at(VALUE, path) == texts


def test_everything() -> None:
    assert texts_at({"a": 1, "b": ["x"]}, "$") == ["a 1 b x"]
