"""From the parts of an answer to a `Reply`, and the pieces of its text as they come. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daybook.model.message import Content, ContentPart, Message, ToolCall, Usage
from daybook.model.reply import FinishReason, Reply

__all__ = ["NotAnAnswerError", "Pieces", "finished", "token_count", "usage_details"]


class NotAnAnswerError(Exception):
    """What came is no answer; says why in words of ours, never in the model's."""


class Pieces:
    """Makes pieces that, joined, are the text of the message: parts' texts parted by newlines."""

    def __init__(self) -> None:
        self._spoken = False
        self._part: object = None

    def piece(self, text: str, part: object) -> str | None:
        """Return what to pass on for more text of a part, or None for nothing."""
        if not text:
            return None
        starts = self._spoken and part != self._part
        self._spoken, self._part = True, part
        return f"\n{text}" if starts else text


def finished(
    parts: Sequence[ContentPart],
    calls: Sequence[ToolCall],
    *,
    model: Any,
    finish_reason: FinishReason,
    usage: Usage | None,
) -> Reply:
    """Return the answer.

    Raises:
        NotAnAnswerError: It ended by itself and says nothing and asks for nothing.
    """
    if calls and finish_reason == "stop":
        finish_reason = "tool_calls"
    said = any(part.text or part.type not in _SILENT for part in parts)
    if not said and not calls and finish_reason in ("stop", "tool_calls"):
        raise NotAnAnswerError("the answer is empty")
    message = Message.assistant(_content(parts), tool_calls=tuple(calls), usage=usage)
    return Reply(
        message=message,
        model=model if isinstance(model, str) else "",
        finish_reason=finish_reason,
    )


def token_count(value: Any) -> int:
    """Return a reported count; 0 for what is none."""
    return value if type(value) is int and value > 0 else 0


def usage_details(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the counts that were reported."""
    return {name: value for name, value in counts.items() if type(value) is int}


_SILENT = frozenset({"text", "reasoning", "thinking", "redacted_thinking"})


def _content(parts: Sequence[ContentPart]) -> Content:
    """Return one plain text as text, anything else as parts; empty texts go."""
    kept = tuple(part for part in parts if part.type != "text" or part.text)
    if not kept:
        return ""
    if len(kept) == 1 and kept[0].type == "text" and not kept[0].data:
        return kept[0].text or ""
    return kept
