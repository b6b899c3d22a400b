"""How Ollama's chat is spoken, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from daybook.testing.model_turn import Turn

PATH = "/api/chat"
STREAM_TYPE = "application/x-ndjson"

_FIELDS = frozenset("model messages tools stream options format think keep_alive".split())
_KEYS = frozenset("role content images tool_calls tool_name tool_call_id thinking".split())
_ROLES = frozenset({"system", "user", "assistant", "tool"})


def refusal(headers: Mapping[str, str], body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, or None."""
    if unknown := set(body) - _FIELDS:
        return f"unknown fields {sorted(unknown)}"
    for message in body.get("messages") or ():
        if unknown := set(message) - _KEYS:
            return f"unknown fields {sorted(unknown)}"
        if message.get("role") not in _ROLES or not isinstance(message.get("content"), str):
            return "a role or a content is wrong"
        for call in message.get("tool_calls", ()):
            if not isinstance(call["function"]["arguments"], dict):
                return "arguments must be an object"
    return None if body.get("messages") else "no messages"


def error(status: int, message: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": message}


def streams(body: dict[str, Any]) -> bool:
    """Tell whether a request asks for a stream: it does unless it says no."""
    return body.get("stream") is not False


def whole(turn: Turn, body: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer."""
    return _line(turn, body, "".join(turn.pieces), calls=True, done=True)


def stream(turn: Turn, body: dict[str, Any]) -> tuple[list[bytes], list[bytes]]:
    """Return a stream's events up to the first piece of text, and those after it."""
    lines = [_line(turn, body, piece) for piece in turn.pieces]
    if turn.calls:
        lines.append(_line(turn, body, "", calls=True))
    lines.append(_line(turn, body, "", done=True))
    events = [json.dumps(line).encode() + b"\n" for line in lines]
    return (events[:1], events[1:]) if turn.pieces else ([], events)


def stream_error(message: str) -> bytes:
    """Return the event of a stream that fails."""
    return json.dumps({"error": message}).encode() + b"\n"


def _line(
    turn: Turn, body: dict[str, Any], text: str, *, calls: bool = False, done: bool = False
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls and turn.calls:
        message["tool_calls"] = [
            {"function": {"name": call.name, "arguments": json.loads(call.arguments)}}
            for call in turn.calls
        ]
    line = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z", "message": message}
    if not done:
        return {**line, "done": False}
    counts = {
        "prompt_eval_count": turn.usage.input_tokens,
        "eval_count": turn.usage.output_tokens,
    }
    reason = "length" if turn.finish == "length" else "stop"
    return {**line, "done": True, "done_reason": reason, **counts}
