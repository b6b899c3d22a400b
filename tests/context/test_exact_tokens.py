"""Counts by a real tokenizer: text to the token, framing by figures, vocabulary or an error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import tiktoken
import tokenizers
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from daybook.context.exact_tokens import (
    ExactTokenCounter,
    Framing,
    area_tokens,
    load_token_counter,
    tile_tokens,
)
from daybook.errors import ConfigError, MissingDependencyError
from daybook.model.message import ContentPart, Message, ToolCall

BARE = Framing(message=0, name=0, call=0, part=0)


def words(text: str) -> Sequence[int]:
    return [1] * len(text.split())


def letters(text: str) -> Sequence[int]:
    return [1] * len(text)


def test_text_is_counted_by_the_tokenizer_and_framing_by_its_figures() -> None:
    counter = ExactTokenCounter(words)
    assert counter.count_text("") == 0
    assert counter.count_text("one two three") == 3
    assert counter.count(Message.user("one two three")) == 4 + 3
    assert counter.count(Message.user("one", name="Ann Smith")) == 4 + 1 + 1 + 2
    parts = (ContentPart("text", "one two"), ContentPart("text", "three"))
    assert counter.count(Message.user(parts)) == 4 + 2 * 1 + 3
    assert ExactTokenCounter(words, framing=BARE).count(Message.user("")) == 1


def test_tool_calls_count_their_names_and_arguments_whole_or_raw() -> None:
    counter = ExactTokenCounter(letters)
    whole = ToolCall("a", "find", {"city": "Rome"})
    raw = ToolCall("a", "find", '{"city":"Rome"}')
    for call in (whole, raw):
        assert counter.count(Message.assistant(tool_calls=(call,))) == 4 + 6 + 4 + 15
    other = ContentPart("citation", data={"page": 12})
    assert counter.count(Message.user((other,))) == 4 + 1 + 11


def test_pictures_count_by_size_and_detail() -> None:
    counter = ExactTokenCounter(words)
    sized = ContentPart("image", data={"width": 1024, "height": 1024})
    low = ContentPart("image_url", data={"image_url": {"url": "x", "detail": "low"}})
    unknown = ContentPart("image_url", data={"image_url": {"url": "https://example.com/a.png"}})
    sound = ContentPart("input_audio", data={"data": "AAAA", "width": 5, "height": 5})
    counts = [counter.count(Message.user((part,))) - 5 for part in (sized, low, unknown, sound)]
    assert counts == [765, 85, 1000, 1000]
    by_area = ExactTokenCounter(words, framing=Framing(picture=area_tokens))
    assert by_area.count(Message.user((sized,))) - 5 == 1399
    flat = ExactTokenCounter(words, framing=Framing(picture=None, media=7))
    assert flat.count(Message.user((sized,))) - 5 == 7


@pytest.mark.parametrize(
    ("width", "height", "tiles", "area"),
    [
        (1024, 1024, 765, 1399),  # the providers' own examples
        (2048, 4096, 1105, 1600),
        (200, 200, 255, 54),
        (1, 1, 255, 1),
        (100_000, 1, 85 + 170 * 4, 1),
    ],
)
def test_published_figures(width: int, height: int, tiles: int, area: int) -> None:
    assert tile_tokens(width, height) == tiles
    assert area_tokens(width, height) == area


@pytest.fixture
def tokenizer_file(tmp_path: Path) -> Path:
    """A tokenizer of words, with the settings of a training left in."""
    tokenizer = tokenizers.Tokenizer(WordLevel({"?": 0, "dog": 1}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_a_file_of_tokenizers_counts_all_of_a_text(tokenizer_file: Path) -> None:
    counter = load_token_counter(f"tokenizers:{tokenizer_file}", framing=BARE)
    assert counter.count_text("dog " * 50) == 50
    assert counter.count_text("dog") == 1
    assert counter.count_text("dog \ud800 dog") == 3
    # The control: as it stands, the file cuts and fills up.
    plain = tokenizers.Tokenizer.from_file(str(tokenizer_file))
    assert [len(plain.encode(text).ids) for text in ("dog " * 50, "dog")] == [4, 4]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "unknown token counter"),
        ("tiktoken", "unknown token counter"),
        ("tiktoken:", "unknown token counter"),
        ("sentencepiece:x", "unknown token counter"),
        ("tokenizers:/nowhere/tokenizer.json", "no such file"),
        ("tiktoken:no_such_base", "not at hand"),
    ],
)
def test_what_is_not_at_hand_is_an_error(spec: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_token_counter(spec)


def test_a_damaged_tokenizer_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="no tokenizer"):
        load_token_counter(f"tokenizers:{tmp_path}/tokenizer.json")


def test_a_vocabulary_that_cannot_be_fetched_is_an_error_and_no_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ConfigError, match="TIKTOKEN_CACHE_DIR"):
        load_token_counter("tiktoken:cl100k_base")


def test_special_tokens_in_a_message_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    of_bytes = tiktoken.Encoding(
        "of_bytes",
        pat_str=r"\s+|\S+",
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={"<|end|>": 256},
    )
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {"of_bytes": of_bytes})
    counter = load_token_counter("tiktoken:of_bytes")
    assert counter.count_text("a <|end|>") == 9
    assert counter.count_text("\ud800") == 3


@pytest.mark.parametrize("library", ["tiktoken", "tokenizers"])
def test_a_missing_library_is_named(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependencyError, match=rf"daybook\[{library}\]"):
        load_token_counter(f"{library}:anything")
