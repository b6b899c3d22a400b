from __future__ import annotations

import warnings
from typing import Any

import pytest
import tiktoken
from langchain_core.messages import AIMessage, HumanMessage

from daybook.adapters.ai_infra.memory import (
    count_tokens,
    count_tokens_approximate,
    get_context_limit,
)
from daybook.adapters.ai_infra.token_counts import _exact


def test_tool_calls_count_in_any_form_of_content() -> None:
    call = {"id": "c", "name": "write", "args": {"text": "word " * 500}}
    contents: list[Any] = ["", [{"type": "text", "text": ""}]]
    for content in contents:
        assert count_tokens_approximate([AIMessage(content, tool_calls=[call])]) > 400
    assert count_tokens_approximate(["Hello, world!"]) < 10


def test_the_models_own_tokenizer_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    of_bytes = tiktoken.Encoding(
        "of_bytes", pat_str=r"[\s\S]", mergeable_ranks={bytes([n]): n for n in range(256)},
        special_tokens={},
    )  # fmt: skip
    monkeypatch.setattr(tiktoken, "get_encoding", lambda _: of_bytes)
    _exact.cache_clear()
    try:
        assert count_tokens([HumanMessage("12345")], model="gpt-4o") == 5 + 4
        assert count_tokens(["12345"], provider="openai") == 5
    finally:
        _exact.cache_clear()


def test_a_vocabulary_that_is_not_at_hand_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(_: str) -> None:
        raise OSError("no network")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    _exact.cache_clear()
    said = [HumanMessage("Hello there")]
    with pytest.warns(UserWarning, match="tokens are estimated"):
        assert count_tokens(said, model="gpt-4") == count_tokens_approximate(said)


def test_a_tokenizer_that_is_not_public_is_estimated_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert count_tokens(["Hello"], model="claude-3-opus") == count_tokens_approximate(["Hello"])


def test_context_limits() -> None:
    assert get_context_limit("gpt-4") == 128_000  # as documented
    assert get_context_limit("claude-3-opus") == 200_000
    assert get_context_limit("gpt-4o", provider="openai") == 128_000
    assert get_context_limit("gpt-5") > 128_000
    with pytest.warns(UserWarning, match="nothing is known"):
        assert get_context_limit("nobodys-model") == 4096
