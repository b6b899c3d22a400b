"""How Anthropic's messages are spoken, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from daybook.testing.model_turn import Turn

PATH = "/v1/messages"
STREAM_TYPE = "text/event-stream"

_FIELDS = frozenset(
    "model messages system max_tokens tools temperature stream thinking tool_choice metadata "
    "stop_sequences top_k top_p".split()
)
_BLOCKS = {
    "user": {"text", "image", "document", "tool_result"},
    "assistant": {"text", "tool_use", "thinking", "redacted_thinking"},
}
_ID = re.compile(r"[A-Za-z0-9_-]+")
_MOST_MARKS = 4
_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "refused": "refusal",
}
_ERRORS = {400: "invalid_request_error", 429: "rate_limit_error", 529: "overloaded_error"}


def refusal(headers: Mapping[str, str], body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, or None."""
    return next(_wrongs(headers, body), None)


def _wrongs(headers: Mapping[str, str], body: dict[str, Any]) -> Iterator[str]:
    key = headers.get("x-api-key") or headers.get("authorization")  # newer SDKs send the second
    if not key or not headers.get("anthropic-version"):
        yield "no key or no version"
    if unknown := set(body) - _FIELDS:
        yield f"unknown fields {sorted(unknown)}"
    if type(body.get("max_tokens")) is not int:
        yield "max_tokens is missing"
    turns = body.get("messages")
    if not turns:
        yield "no messages"
        return
    yield from _wrong_turns(turns)
    blocks = [block for turn in turns for block in turn["content"]] + body.get("system", [])
    if sum("cache_control" in block for block in blocks) > _MOST_MARKS:
        yield "more than four cache marks"
    for turn in turns:
        yield from _wrong_blocks(turn)
    if wrong := _wrong_pairs(turns):
        yield wrong


def _wrong_turns(turns: list[dict[str, Any]]) -> Iterator[str]:
    roles = [turn["role"] for turn in turns]
    if not set(roles) <= set(_BLOCKS):
        yield "unknown role"
    if roles[0] != "user" or any(a == b for a, b in pairwise(roles)):
        yield "turns do not begin with the user or do not alternate"
    if roles[-1] == "assistant" and turns[-1]["content"][-1].get("text", "").endswith((" ", "\n")):
        yield "the last answer ends with white space"


def _wrong_blocks(turn: dict[str, Any]) -> list[str]:
    found = []
    for block in turn["content"]:
        kind = block["type"]
        if kind not in _BLOCKS[turn["role"]]:
            found.append(f"role {turn['role']} cannot hold {kind}")
        if kind == "text" and not block["text"].strip():
            found.append("a text is empty")
        if kind == "tool_use" and not (
            isinstance(block["input"], dict) and _ID.fullmatch(block["id"])
        ):
            found.append("a tool's input is no object or its id holds other letters")
        if kind == "thinking" and not (block.get("signature") and "cache_control" not in block):
            found.append("thinking without signature or with a cache mark")
        if kind in ("image", "document") and not _sound_source(block):
            found.append(f"the source of a {kind} is wrong")
    return found


def _sound_source(block: dict[str, Any]) -> bool:
    source = block["source"]
    if source["type"] == "base64":
        allowed = "image/" if block["type"] == "image" else "application/pdf"
        return isinstance(source["data"], str) and source["media_type"].startswith(allowed)
    return source["type"] in ("url", "file", "text")


def _wrong_pairs(turns: list[dict[str, Any]]) -> str | None:
    """Every call is answered at the beginning of the next turn, and nothing else is."""
    asked: set[str] = set()
    for turn in turns:
        kinds = [block["type"] == "tool_result" for block in turn["content"]]
        if kinds != sorted(kinds, reverse=True):
            return "results of tools must come first in a turn"
        answered = {b["tool_use_id"] for b in turn["content"] if b["type"] == "tool_result"}
        if answered != asked:
            return "calls and results do not match"
        asked = {block["id"] for block in turn["content"] if block["type"] == "tool_use"}
    return "a call is not answered" if asked else None


def error(status: int, message: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {
        "type": "error",
        "error": {"type": _ERRORS.get(status, "api_error"), "message": message},
        "request_id": "req_1",
    }


def streams(body: dict[str, Any]) -> bool:
    """Tell whether a request asks for a stream."""
    return body.get("stream") is True


def whole(turn: Turn, body: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer."""
    text = "".join(turn.pieces)
    content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}
        for call in turn.calls
    ]
    return {
        **_stem(body),
        "content": content,
        "stop_reason": _FINISH[turn.finish],
        "usage": {**_sent(turn), "output_tokens": turn.usage.output_tokens},
    }


def stream(turn: Turn, body: dict[str, Any]) -> tuple[list[bytes], list[bytes]]:
    """Return a stream's events up to the first piece of text, and those after it."""
    started = {**_stem(body), "content": [], "usage": {**_sent(turn), "output_tokens": 1}}
    events = [_event("message_start", message=started), _event("ping")]
    if turn.pieces:
        events.append(_start(0, {"type": "text", "text": ""}))
        events += [_delta(0, type="text_delta", text=piece) for piece in turn.pieces]
        events.append(_event("content_block_stop", index=0))
    for place, call in enumerate(turn.calls, start=len(turn.pieces[:1])):
        middle = len(call.arguments) // 2
        events.append(
            _start(place, {"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
        )
        for part in ("", call.arguments[:middle], call.arguments[middle:]):
            events.append(_delta(place, type="input_json_delta", partial_json=part))
        events.append(_event("content_block_stop", index=place))
    made = {"output_tokens": turn.usage.output_tokens}
    ended = {"stop_reason": _FINISH[turn.finish], "stop_sequence": None}
    events += [_event("message_delta", delta=ended, usage=made), _event("message_stop")]
    first = 4 if turn.pieces else 2
    return events[:first], events[first:]


def stream_error(message: str) -> bytes:
    """Return the event of a stream that fails."""
    return _event("error", error={"type": "overloaded_error", "message": message})


def _start(place: int, block: dict[str, Any]) -> bytes:
    return _event("content_block_start", index=place, content_block=block)


def _delta(place: int, **delta: Any) -> bytes:
    return _event("content_block_delta", index=place, delta=delta)


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _stem(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": f"{body['model']}-2026",
        "stop_reason": None,
        "stop_sequence": None,
    }


def _sent(turn: Turn) -> dict[str, Any]:
    read = turn.usage.details.get("cached_tokens", 0)
    written = turn.usage.details.get("cache_write_tokens", 0)
    return {
        "input_tokens": turn.usage.input_tokens - read - written,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
