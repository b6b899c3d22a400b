"""Answers of Anthropic's messages, whole or streamed, as our replies. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daybook.language_models.reply_parts import (
    NotAnAnswerError,
    Pieces,
    finished,
    token_count,
    usage_details,
)
from daybook.language_models.tool_arguments import read_arguments
from daybook.model.message import ContentPart, ToolCall, Usage
from daybook.model.reply import FinishReason, Reply

__all__ = ["AnthropicAssembler", "anthropic_reply", "anthropic_usage"]

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refused",
}


def anthropic_reply(answer: Mapping[str, Any]) -> Reply:
    """Return the reply in a whole answer.

    Raises:
        NotAnAnswerError: It holds none.
    """
    return _reply(
        answer["content"],
        reason=answer.get("stop_reason"),
        model=answer.get("model"),
        usage=anthropic_usage(answer.get("usage")),
    )


def anthropic_usage(reported: Mapping[str, Any] | None) -> Usage | None:
    """Return the tokens that were reported.

    Anthropic's ``input_tokens`` leaves out what was read from and written to the prompt cache;
    ours counts everything that was sent.
    """
    if not reported:
        return None
    read, written = (
        reported.get("cache_read_input_tokens"),
        reported.get("cache_creation_input_tokens"),
    )
    made = reported.get("output_tokens_details") or {}
    sent = token_count(reported.get("input_tokens")) + token_count(read) + token_count(written)
    details = {
        "cached_tokens": read,
        "cache_write_tokens": written,
        "reasoning_tokens": made.get("thinking_tokens"),
    }
    return Usage(sent, token_count(reported.get("output_tokens")), usage_details(details))


class AnthropicAssembler:
    """Puts the events of one stream together."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces = Pieces()
        self._model: str | None = None
        self._reason: str | None = None
        self._usage: dict[str, Any] = {}
        self._ended = False

    def add(self, event: Mapping[str, Any]) -> str | None:
        """Take the next event; return the text that it brought."""
        kind = event["type"]
        if kind == "message_start":
            self._model = event["message"].get("model")
            self._count(event["message"].get("usage"))
        elif kind == "content_block_start":
            block = dict(event["content_block"])
            self._blocks[event["index"]] = block
            if block["type"] == "text":
                return self._pieces.piece(block.get("text") or "", event["index"])
        elif kind == "content_block_delta":
            return self._extend(event["index"], event["delta"])
        elif kind == "message_delta":
            self._reason = event["delta"].get("stop_reason") or self._reason
            self._count(event.get("usage"))
        elif kind == "message_stop":
            self._ended = True
        return None

    def reply(self) -> Reply:
        """Return the whole answer.

        Raises:
            NotAnAnswerError: The stream ended before the answer did.
        """
        if not self._ended:
            raise NotAnAnswerError("the stream ended before the answer did")
        return _reply(
            [self._blocks[place] for place in sorted(self._blocks)],
            reason=self._reason,
            model=self._model,
            usage=anthropic_usage(self._usage),
        )

    def _count(self, reported: Mapping[str, Any] | None) -> None:
        """Keep the newest of each count: they are cumulative."""
        self._usage.update((k, v) for k, v in (reported or {}).items() if v is not None)

    def _extend(self, place: int, delta: Mapping[str, Any]) -> str | None:
        block = self._blocks[place]
        kind = delta["type"]
        if kind == "text_delta":
            block["text"] = block.get("text", "") + delta["text"]
            return self._pieces.piece(delta["text"], place)
        if kind == "input_json_delta":
            block[_JSON] = block.get(_JSON, "") + delta["partial_json"]
        elif kind == "thinking_delta":
            block["thinking"] = block.get("thinking", "") + delta["thinking"]
        elif kind == "signature_delta":
            block["signature"] = block.get("signature", "") + delta["signature"]
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
        return None


# Where a block's arguments are collected, as text, until it is whole.
_JSON = "partial_json"


def _reply(blocks: Sequence[Mapping[str, Any]], *, reason: Any, model: Any, usage: Any) -> Reply:
    parts: list[ContentPart] = []
    calls: list[ToolCall] = []
    for block in blocks:
        if block["type"] == "tool_use":
            calls.append(ToolCall(block["id"], block["name"], _input(block)))
        else:
            parts.append(_part(block))
    ended = _REASONS.get(reason, "stop")
    return finished(parts, calls, model=model, finish_reason=ended, usage=usage)


def _input(block: Mapping[str, Any]) -> Any:
    """Return a block's arguments: the object it began with unless text came after it."""
    return read_arguments(block[_JSON]) if block.get(_JSON) else block["input"]


def _part(block: Mapping[str, Any]) -> ContentPart:
    data = {
        name: value
        for name, value in block.items()
        if name not in ("type", "text", _JSON) and value is not None
    }
    if _JSON in block:
        data["input"] = _input(block)
    return ContentPart(block["type"], block.get("text"), data)
