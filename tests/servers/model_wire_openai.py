"""How OpenAI's chat completions are spoken, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from daybook.testing.model_turn import Turn

PATH = "/v1/chat/completions"
STREAM_TYPE = "text/event-stream"

_FIELDS = frozenset(
    "model messages tools max_tokens max_completion_tokens temperature stream stream_options seed "
    "response_format reasoning_effort prompt_cache_key tool_choice".split()
)
_KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls"},
    "tool": {"role", "content", "tool_call_id"},
}
_PARTS = {
    "system": {"text"},
    "user": {"text", "image_url", "input_audio", "file"},
    "assistant": {"text", "refusal"},
    "tool": {"text"},
}
_LONGEST_ID = 40
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "refused": "content_filter",
}


def refusal(headers: Mapping[str, str], body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, or None."""
    return next(_wrongs(headers, body), None)


def _wrongs(headers: Mapping[str, str], body: dict[str, Any]) -> Iterator[str]:
    if not headers.get("authorization", "").startswith("Bearer "):
        yield "no key"
    if unknown := set(body) - _FIELDS:
        yield f"unknown fields {sorted(unknown)}"
    if not body.get("messages"):
        yield "no messages"
    if "stream_options" in body and not body.get("stream"):
        yield "stream_options is for streams only"
    for message in body["messages"]:
        yield from _wrong_fields(message)
        yield from _wrong_parts(message)
    for tool in body.get("tools", ()):
        if tool["type"] != "function" or not _NAME.fullmatch(tool["function"]["name"]):
            yield "a tool is no function with a name"
    if wrong := _wrong_pairs(body["messages"]):
        yield wrong


def _wrong_fields(message: dict[str, Any]) -> Iterator[str]:
    role = message.get("role")
    if role not in _KEYS:
        yield "unknown role"
    elif unknown := set(message) - _KEYS[role]:
        yield f"unknown fields {sorted(unknown)} of role {role}"
    if "name" in message and not _NAME.fullmatch(message["name"]):
        yield "a name holds other letters than are allowed"
    for call in message.get("tool_calls", ()):
        if call["type"] != "function" or not isinstance(call["function"]["arguments"], str):
            yield "arguments must be text"
        if not 0 < len(call["id"]) <= _LONGEST_ID:
            yield "an id is too long"


def _wrong_parts(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content")
    if content is None and not message.get("tool_calls"):
        yield "no content"
    for part in content if isinstance(content, list) else ():
        if part["type"] not in _PARTS[message["role"]]:
            yield f"role {message['role']} cannot hold {part['type']}"
        if set(part) - {"type", part["type"], "prompt_cache_breakpoint"}:
            yield f"unknown fields in {part['type']}"


def _wrong_pairs(messages: list[dict[str, Any]]) -> str | None:
    """Every call is answered right after it, and nothing else is."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return "a tool message answers no call before it"
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            return "a call is not answered"
        open_calls = {call["id"] for call in message.get("tool_calls", ())}
    return "a call is not answered" if open_calls else None


def error(status: int, message: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"message": message, "type": "any", "code": None, "param": message}}


def streams(body: dict[str, Any]) -> bool:
    """Tell whether a request asks for a stream."""
    return body.get("stream") is True


def whole(turn: Turn, body: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(turn.pieces) or None}
    if turn.finish == "refused":
        message = {"role": "assistant", "content": None, "refusal": "".join(turn.pieces)}
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": _FINISH[turn.finish]}
    return {**_stem(body, "chat.completion"), "choices": [choice], "usage": _usage(turn)}


def stream(turn: Turn, body: dict[str, Any]) -> tuple[list[bytes], list[bytes]]:
    """Return a stream's events up to the first piece of text, and those after it."""
    field = "refusal" if turn.finish == "refused" else "content"
    texts = [_event(body, {field: piece}) for piece in turn.pieces]
    rest = texts[1:]
    for place, call in enumerate(turn.calls):
        middle = len(call.arguments) // 2
        head = {"name": call.name, "arguments": ""}
        rest.append(
            _event(body, {"tool_calls": [_delta(place, head, id=call.id, type="function")]})
        )
        for part in (call.arguments[:middle], call.arguments[middle:]):
            rest.append(_event(body, {"tool_calls": [_delta(place, {"arguments": part})]}))
    rest.append(_event(body, {}, _FINISH[turn.finish]))
    if body.get("stream_options", {}).get("include_usage"):
        counted = {**_stem(body, "chat.completion.chunk"), "choices": [], "usage": _usage(turn)}
        rest.append(_data(counted))
    rest.append(b"data: [DONE]\n\n")
    return [_event(body, {"role": "assistant", "content": ""}), *texts[:1]], rest


def stream_error(message: str) -> bytes:
    """Return the event of a stream that fails."""
    return _data({"error": {"message": message, "type": "server_error", "code": None}})


def _delta(place: int, function: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"index": place, "function": function, **more}


def _event(body: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({**_stem(body, "chat.completion.chunk"), "choices": [choice]})


def _stem(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": f"{body['model']}-2026"}


def _data(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _usage(turn: Turn) -> dict[str, Any]:
    usage = turn.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.details.get("cached_tokens"),
            "cache_write_tokens": usage.details.get("cache_write_tokens"),
        },
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
