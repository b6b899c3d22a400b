"""Answers of OpenAI's chat completions, whole or streamed, as our replies. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daybook.language_models.call_ids import fresh_call_id
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

__all__ = ["OpenAIAssembler", "openai_reply", "openai_usage"]

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refused",
}


def openai_reply(answer: Mapping[str, Any]) -> Reply:
    """Return the reply in a whole answer.

    Raises:
        NotAnAnswerError: It holds none.
    """
    if not answer["choices"]:
        raise NotAnAnswerError("the answer holds no choice")
    choice = answer["choices"][0]
    said = choice["message"]
    return _reply(
        said,
        [_whole_call(call) for call in said.get("tool_calls") or ()],
        reason=choice.get("finish_reason"),
        model=answer.get("model"),
        usage=openai_usage(answer.get("usage")),
    )


def openai_usage(reported: Mapping[str, Any] | None) -> Usage | None:
    """Return the tokens that were reported; OpenAI's input counts what came from the cache."""
    if not reported:
        return None
    sent = reported.get("prompt_tokens_details") or {}
    made = reported.get("completion_tokens_details") or {}
    return Usage(
        token_count(reported.get("prompt_tokens")),
        token_count(reported.get("completion_tokens")),
        usage_details(
            {
                "cached_tokens": sent.get("cached_tokens"),
                "cache_write_tokens": sent.get("cache_write_tokens"),
                "reasoning_tokens": made.get("reasoning_tokens"),
            }
        ),
    )


class OpenAIAssembler:
    """Puts the chunks of one stream together."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._pieces = Pieces()
        self._reason: str | None = None
        self._model: str | None = None
        self._usage: Usage | None = None

    def add(self, event: Mapping[str, Any]) -> str | None:
        """Take the next chunk; return the text that it brought."""
        self._model = self._model or event.get("model")
        self._usage = openai_usage(event.get("usage")) or self._usage
        if not event.get("choices"):
            return None
        choice = event["choices"][0]
        self._reason = choice.get("finish_reason") or self._reason
        delta = choice.get("delta") or {}
        for call in delta.get("tool_calls") or ():
            self._extend(call)
        spoken = ""
        for field in ("content", "refusal", *_THOUGHTS):
            text = delta.get(field)
            if text:
                self._texts.setdefault(field, []).append(text)
                if field not in _THOUGHTS:
                    spoken += self._pieces.piece(text, field) or ""
        return spoken or None

    def reply(self) -> Reply:
        """Return the whole answer.

        Raises:
            NotAnAnswerError: The stream ended before the answer did.
        """
        if self._reason is None:
            raise NotAnAnswerError("the stream ended before the answer did")
        return _reply(
            {field: "".join(texts) for field, texts in self._texts.items()},
            [_whole_call(self._calls[place]) for place in sorted(self._calls)],
            reason=self._reason,
            model=self._model,
            usage=self._usage,
        )

    def _extend(self, delta: Mapping[str, Any]) -> None:
        """Add a piece of a tool call: its id and name come once, its arguments in pieces."""
        place = delta.get("index")
        if not isinstance(place, int):  # some servers send whole calls and number none
            place = len(self._calls)
        call = self._calls.setdefault(
            place, {"id": None, "function": {"name": "", "arguments": ""}}
        )
        function = delta.get("function") or {}
        call["id"] = call["id"] or delta.get("id")
        call["function"]["name"] = call["function"]["name"] or function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""


# The thoughts of models on servers that speak this protocol: DeepSeek and vLLM, OpenRouter.
_THOUGHTS = ("reasoning_content", "reasoning")


def _reply(
    said: Mapping[str, Any], calls: list[ToolCall], *, reason: Any, model: Any, usage: Usage | None
) -> Reply:
    parts: list[ContentPart] = []
    thoughts = next((said[name] for name in _THOUGHTS if isinstance(said.get(name), str)), None)
    if thoughts:
        parts.append(ContentPart("reasoning", None, {"reasoning": thoughts}))
    if said.get("content"):
        notes = said.get("annotations")
        parts.append(ContentPart("text", said["content"], {"annotations": notes} if notes else {}))
    refused = said.get("refusal")
    if refused:
        parts.append(ContentPart("refusal", refused))
    if said.get("audio"):
        parts.append(ContentPart("audio", said["audio"].get("transcript"), dict(said["audio"])))
    ended = "refused" if refused else _REASONS.get(reason, "stop")
    return finished(parts, calls, model=model, finish_reason=ended, usage=usage)


def _whole_call(call: Mapping[str, Any]) -> ToolCall:
    function = call.get("function")
    call_id = call.get("id") or fresh_call_id()
    if function is None:  # a tool that takes plain text
        return ToolCall(call_id, call["custom"]["name"], call["custom"]["input"])
    arguments = function["arguments"]
    if isinstance(arguments, dict):  # some servers send the object itself
        return ToolCall(call_id, function["name"], arguments)
    return ToolCall(call_id, function["name"], read_arguments(arguments))
