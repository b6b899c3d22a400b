"""What is asked of a language model, and what it answered, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from daybook.model.message import Message

__all__ = ["FinishReason", "ModelRequest", "Reply", "Tool"]

FinishReason = Literal["stop", "length", "tool_calls", "refused"]


def _no_parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


class Tool(Struct, frozen=True, kw_only=True):
    """A tool that a model may ask for.

    Attributes:
        name: What the model calls it: letters, digits, ``_`` and ``-``, 64 at most.
        description: When to use it, for the model.
        parameters: JSON Schema of the arguments, an object.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=_no_parameters)


class ModelRequest(Struct, frozen=True, kw_only=True):
    """One call of a language model.

    Attributes:
        messages: The context, in order.
        tools: What the model may ask for.
        max_output_tokens: Longest answer; None for the provider's own limit.
        temperature: None for the provider's default.
        cache_after: Places in `messages` up to which, that one included, the context will be sent
            again: where a provider takes marks for its prompt cache, they are set there.
        options: More fields for this provider's call, given on as they are.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None
    cache_after: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


class Reply(Struct, frozen=True, kw_only=True):
    """A whole answer.

    Attributes:
        message: Of role assistant, with tool calls; `message.usage` holds the tokens that the
            provider reported, None if it did not. `usage.input_tokens` counts everything that was
            sent; `usage.details` may hold ``cached_tokens`` and ``cache_write_tokens`` (parts of
            the input) and ``reasoning_tokens`` (a part of the output).
        model: The model that answered, in the provider's words.
        finish_reason: Why it ended: its own end, the length limit, tools to run, or a refusal.
    """

    message: Message
    model: str
    finish_reason: FinishReason = "stop"
