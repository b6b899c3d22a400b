"""Models are found under the names that callers, providers and hosts give them, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from daybook.errors import ConfigError, InvalidInputError, NotFoundError
from daybook.model.cost import Prices
from daybook.model_catalog import (
    ModelFacts,
    catalog,
    get_context_limit,
    get_model,
    known_models,
    register_model,
)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No model registered, no file of the user's."""
    monkeypatch.delenv("DAYBOOK_MODELS", raising=False)
    monkeypatch.setattr(catalog, "_registered", {})
    yield
    catalog._read.cache_clear()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-4o", "gpt-4o"),
        ("GPT-4o", "gpt-4o"),
        ("openai:gpt-4o-2024-08-06", "gpt-4o"),
        ("openai:gpt-4o@https://example.com/v1", "gpt-4o"),
        ("anthropic:claude-3-5-haiku-20241022", "claude-3-5-haiku"),
        ("claude-3-5-haiku@20241022", "claude-3-5-haiku"),
        ("us.anthropic.claude-3-5-haiku-20241022-v1:0", "claude-3-5-haiku"),
        ("anthropic/claude-3.5-sonnet", "claude-3-5-sonnet"),
        ("openrouter:google/gemini-2.5-pro", "gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("ollama:llama3.1:8b-instruct-q4_K_M", "llama3.1"),
        ("ollama:gpt-oss:20b", "gpt-oss:20b"),
        ("microsoft:gpt-4o", "gpt-4o"),
        # Dated versions with prices of their own.
        ("openai:gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("gpt-4-1106-preview", "gpt-4-turbo"),
    ],
)
def test_a_model_is_found_under_its_names(name: str, found: str) -> None:
    facts = get_model(name)
    assert facts is not None
    assert facts.id == found


@pytest.mark.parametrize(
    "name",
    [
        "",
        ":",
        "openai:",
        "gpt-4o-audio-preview",
        "gpt-4o-min",
        "ft:gpt-4o:company::x",
        "openai:ft:gpt-4o-mini-2024-07-18:company::x",
        "mistral-small-2402",
        "claude-3-5",
    ],
)
def test_a_name_that_only_looks_like_one_is_not_known(name: str) -> None:
    assert get_model(name) is None


def test_every_shipped_entry_is_sound() -> None:
    models = known_models()
    assert len(models) >= 60
    names = [name for facts in models for name in (facts.id, *facts.aliases)]
    assert len(names) == len(set(names))
    for facts in models:
        assert facts.as_of
        assert facts.id == facts.id.lower()
        assert get_model(facts.id) == facts
        assert facts.input_limit() <= facts.context_tokens
        if facts.prices is not None:
            prices = facts.prices
            assert 0 < prices.input <= prices.output
            assert prices.cached_input is None or prices.cached_input < prices.input
            assert prices.cache_write is None or prices.cache_write >= prices.input
            assert prices.long is None or prices.long.input > prices.input


def test_a_context_limit_leaves_room_for_the_answer() -> None:
    assert get_context_limit("gpt-4o") == 128_000
    assert get_context_limit("gpt-4o", output_tokens=28_000) == 100_000
    assert get_context_limit("gpt-5") == 272_000  # less than its window
    assert get_context_limit("gpt-5", output_tokens=399_999) == 1
    with pytest.raises(NotFoundError, match=r"register_model\(ModelFacts"):
        get_context_limit("nobody:knows")


def test_registered_facts_come_before_the_file_and_that_before_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {
        "as_of": "2026-01-01",
        "models": [
            {"id": "gpt-4o", "context_tokens": 1, "prices": {"input": "0.125", "output": 2}},
            {"id": "House-Model", "context_tokens": 2, "aliases": ["hm"]},
        ],
    }
    (tmp_path / "models.json").write_text(json.dumps(table))
    monkeypatch.setenv("DAYBOOK_MODELS", str(tmp_path / "models.json"))
    mine = get_model("openai:gpt-4o-2024-08-06")
    assert mine is not None
    assert mine.prices == Prices(input=Decimal("0.125"), output=Decimal(2))
    assert (mine.context_tokens, mine.as_of) == (1, "2026-01-01")
    assert get_model("vllm:hm") == get_model("house-model") != None  # noqa: E711
    register_model(ModelFacts(id="gpt-4o", context_tokens=3))
    assert get_context_limit("gpt-4o") == 3
    assert get_context_limit("gpt-4o-mini") == 128_000
    assert {"gpt-4o-mini", "House-Model"} <= {facts.id for facts in known_models()}


@pytest.mark.parametrize(
    "content",
    ["{", '{"models": [{"id": "a"}]}', '{"models": [{"id": "a", "context_tokens": 0}]}',
     '{"models": [{"id": "a", "context_tokens": 9, "price": 3}]}'],
)  # fmt: skip
def test_a_damaged_file_is_a_typed_error(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models.json").write_text(content)
    monkeypatch.setenv("DAYBOOK_MODELS", str(tmp_path / "models.json"))
    with pytest.raises(ConfigError, match=r"models\.json"):
        get_model("gpt-4o")


def test_a_missing_file_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBOOK_MODELS", "/nowhere/models.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        get_model("gpt-4o")


@pytest.mark.parametrize(
    "facts",
    [
        ModelFacts(id="", context_tokens=1),
        ModelFacts(id="a", context_tokens=0),
        ModelFacts(id="a", context_tokens=1, max_output_tokens=-1),
        ModelFacts(id="a", context_tokens=1, prices=Prices(input=Decimal(-1), output=Decimal(1))),
        ModelFacts(
            id="a", context_tokens=1, prices=Prices(input=Decimal("NaN"), output=Decimal(1))
        ),
        ModelFacts(
            id="a",
            context_tokens=1,
            prices=Prices(input=Decimal(1), output=Decimal(1), long_above_tokens=5),
        ),
    ],
)
def test_wrong_facts_are_refused(facts: ModelFacts) -> None:
    with pytest.raises(InvalidInputError):
        register_model(facts)
