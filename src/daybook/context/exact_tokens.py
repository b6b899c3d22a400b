"""Token counts by a model's own tokenizer, behind the same protocol as the estimate.

The text is exact; what a provider adds around it (roles, tool calls, pictures) is by its published
figures, which `Framing` holds. `daybook.context.calibration` corrects what is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from daybook.context.image_size import image_size
from daybook.errors import ConfigError, MissingDependencyError
from daybook.model.codec import encode_json
from daybook.model.message import ContentPart, Message, ToolCall

__all__ = [
    "Encode",
    "ExactTokenCounter",
    "Framing",
    "area_tokens",
    "load_token_counter",
    "tile_tokens",
]

Encode = Callable[[str], Sequence[int]]

_MEDIA = ("image", "audio", "video", "file", "document", "media")


def tile_tokens(width: int, height: int) -> int:
    """Return what a picture counts by OpenAI's tiles, as published for gpt-4o.

    It is scaled to fit 2,048 by 2,048, then to 768 on its shorter side; each square of 512 counts
    170, and 85 are added.
    """
    scale = min(1.0, 2048 / max(width, height))
    scale *= min(1.0, 768 / (min(width, height) * scale))
    across, down = (math.ceil(round(side * scale) / 512) for side in (width, height))
    return 85 + 170 * max(1, across) * max(1, down)


def area_tokens(width: int, height: int) -> int:
    """Return what a picture counts by its area, as Anthropic says: pixels / 750, at most 1,600.

    Larger ones are scaled down before the model sees them.
    """
    scale = min(1.0, 1568 / max(width, height))
    return max(1, min(1600, math.ceil(width * scale * height * scale / 750)))


class Framing(Struct, frozen=True, kw_only=True):
    """What a provider counts around the text, in tokens.

    Attributes:
        message: The role and the marks around a message; OpenAI publishes 3 and the role's one.
        name: A speaker's name, beside its own text.
        call: A tool call, beside its name and arguments.
        part: A typed part of a content, beside its text.
        media: A recording, a file, or a picture of unknown size.
        low_detail: A picture that is sent at low detail.
        picture: What a picture of a width and height in pixels counts; None: `media` for all.
    """

    message: int = 4
    name: int = 1
    call: int = 6
    part: int = 1
    media: int = 1000
    low_detail: int = 85
    picture: Callable[[int, int], int] | None = tile_tokens


class ExactTokenCounter:
    """Counts the tokens of text as the model does."""

    def __init__(self, encode: Encode, *, framing: Framing | None = None) -> None:
        """Wrap a tokenizer.

        Args:
            encode: From text to token ids, without marks of begin and end; called from any thread.
            framing: What is counted around the text; by default OpenAI's published figures.
        """
        self._encode = encode
        self._framing = framing or Framing()

    def count(self, message: Message) -> int:
        """Return the tokens of one message, its framing included; at least 1."""
        framing = self._framing
        content = message.content
        tokens = framing.message
        if isinstance(content, str):
            tokens += self.count_text(content)
        else:
            tokens += sum(map(self._count_part, content))
        if message.name:
            tokens += framing.name + self.count_text(message.name)
        tokens += sum(map(self._count_call, message.tool_calls))
        return max(1, tokens)

    def count_text(self, text: str) -> int:
        """Return the tokens of bare text; 0 for an empty one."""
        if not text:
            return 0
        try:
            return len(self._encode(text))
        except (UnicodeEncodeError, TypeError):  # a lone surrogate: no tokenizer takes one
            return len(self._encode(text.encode("utf-8", "replace").decode()))

    def _count_call(self, call: ToolCall) -> int:
        arguments = call.arguments
        text = arguments if isinstance(arguments, str) else _json_text(arguments)
        return self._framing.call + self.count_text(call.name) + self.count_text(text)

    def _count_part(self, part: ContentPart) -> int:
        tokens = self._framing.part + self.count_text(part.text or "")
        if any(kind in part.type for kind in _MEDIA):
            return tokens + self._count_media(part)
        return tokens + (self.count_text(_json_text(part.data)) if part.data else 0)

    def _count_media(self, part: ContentPart) -> int:
        framing = self._framing
        if "image" not in part.type:
            return framing.media
        if _is_low_detail(part.data):
            return framing.low_detail
        size = image_size(part) if framing.picture is not None else None
        if size is None or framing.picture is None:
            return framing.media
        return framing.picture(*size)


def load_token_counter(spec: str, *, framing: Framing | None = None) -> ExactTokenCounter:
    """Return the counter that a spec describes.

    Args:
        spec: ``tiktoken:o200k_base`` (an encoding of tiktoken; its vocabulary is read from
            ``TIKTOKEN_CACHE_DIR``, where tiktoken fetches it to once if it may) or
            ``tokenizers:/path/tokenizer.json`` (a file of Hugging Face's library).
        framing: What is counted around the text.

    Raises:
        ConfigError: The spec is not one of these, or the vocabulary is not at hand. An estimate is
            never put in its place.
        MissingDependencyError: The library is not installed.
    """
    kind, _, detail = spec.partition(":")
    loaders = {"tiktoken": _load_tiktoken, "tokenizers": _load_tokenizers}
    if kind not in loaders or not detail:
        raise ConfigError(
            f"unknown token counter {spec!r}; give tiktoken:ENCODING, for example "
            "tiktoken:o200k_base, or tokenizers:PATH of a tokenizer.json"
        )
    return ExactTokenCounter(loaders[kind](detail), framing=framing)


def _load_tiktoken(name: str) -> Encode:
    try:
        import tiktoken  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise MissingDependencyError(f"tiktoken:{name}", "pip install daybook[tiktoken]") from exc
    try:
        # What looks like a special token in a message is text there.
        return tiktoken.get_encoding(name).encode_ordinary
    except Exception as exc:  # it raises what its HTTP client and its files raise
        raise ConfigError(
            f"tiktoken:{name}: the vocabulary is not at hand ({type(exc).__name__}): the encoding "
            "must be one that tiktoken knows, with its file in TIKTOKEN_CACHE_DIR or a network to "
            "fetch it from"
        ) from exc


def _load_tokenizers(path: str) -> Encode:
    try:
        import tokenizers  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise MissingDependencyError(
            f"tokenizers:{path}", "pip install daybook[tokenizers]"
        ) from exc
    if not Path(path).is_file():
        raise ConfigError(f"tokenizers:{path}: there is no such file")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(path)
    except Exception as exc:  # the library raises bare exceptions
        raise ConfigError(f"tokenizers:{path}: the file is no tokenizer: {exc}") from exc
    # Files often carry the settings of a training: text cut at 128 tokens, or filled up to them.
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def encode(text: str) -> Sequence[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    return encode


def _json_text(value: dict[str, Any]) -> str:
    return encode_json(value).decode()


def _is_low_detail(data: dict[str, Any]) -> bool:
    image = data.get("image_url")
    return data.get("detail") == "low" or (isinstance(image, dict) and image.get("detail") == "low")
