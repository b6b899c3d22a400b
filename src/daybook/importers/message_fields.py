"""One message as a JSON object, in any of the common spellings, to a `Message`. Pure.

Knows OpenAI's, Anthropic's, LangChain's and our own field names. A field that is nobody's is kept
in the message's metadata, so that nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.source_times import parse_time
from daybook.model.message import Content, ContentPart, Message, Role, ToolCall, Usage

__all__ = [
    "ID_FIELDS",
    "ROLE_WORDS",
    "TIME_FIELDS",
    "looks_like_message",
    "parse_content",
    "parse_message",
    "take",
]

ROLE_WORDS: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}

_ROLE = ("role", "from", "sender", "type")
_CONTENT = ("content", "text", "value", "parts")
TIME_FIELDS = ("created_at", "timestamp", "create_time", "time", "date")
ID_FIELDS = ("id", "message_id", "uuid")
_NAME = ("name", "speaker")
_CALLS = ("tool_calls",)
_CALL_ID = ("tool_call_id",)
_USAGE = ("usage", "usage_metadata")
_METADATA = ("metadata",)


def take(record: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Remove and return the first of `names` that has a value; None if none has."""
    for name in names:
        if record.get(name) is not None:
            return record.pop(name)
    return None


def looks_like_message(record: Any) -> bool:
    """Tell whether a JSON value names a role and something said."""
    if not isinstance(record, dict) or not any(
        isinstance(record.get(name), str) and record[name].lower() in ROLE_WORDS for name in _ROLE
    ):
        return False
    return any(name in record for name in (*_CONTENT, *_CALLS))


def parse_message(record: Mapping[str, Any], *, fallback_id: str) -> Message:
    """Return the message of a JSON object.

    Args:
        record: Its fields.
        fallback_id: Its id where it names none; also the stem of its tool calls' missing ids.

    Raises:
        InvalidInputError: A field is not what it should be; names the field, quotes nothing.
    """
    left = {name: value for name, value in record.items() if value is not None and name != "v"}
    role = _role(left)
    calls = _tool_calls(take(left, _CALLS), fallback_id)
    content = take(left, _CONTENT)
    if content is None and not calls:
        raise InvalidInputError("the message has no content")
    message_id = take(left, ID_FIELDS)
    created_at = parse_time(take(left, TIME_FIELDS))
    usage = _usage(take(left, _USAGE))
    name = take(left, _NAME)
    call_id = take(left, _CALL_ID)
    metadata = take(left, _METADATA)
    if metadata is not None and not isinstance(metadata, dict):
        raise InvalidInputError("metadata must be an object")
    return Message(
        id=fallback_id if message_id is None else _text(message_id, "id"),
        role=role,
        content=parse_content("" if content is None else content),
        name=None if name is None else _text(name, "name"),
        tool_calls=calls,
        tool_call_id=None if call_id is None else _text(call_id, "tool_call_id"),
        created_at=created_at,
        usage=usage,
        metadata={**left, **(metadata or {})},
    )


def parse_content(value: Any) -> Content:
    """Return text as it is, and a list of parts as typed parts.

    Raises:
        InvalidInputError: It is neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise InvalidInputError(f"content must be text or a list, got {type(value).__name__}")
    return tuple(_part(part) for part in value)


def _part(part: Any) -> ContentPart:
    if isinstance(part, str):
        return ContentPart("text", part)
    if not isinstance(part, dict):
        raise InvalidInputError("a part of content must be text or an object")
    kind = part.get("type")
    text = part.get("text")
    if text is not None and not isinstance(text, str):
        text = None
    data = {name: value for name, value in part.items() if name not in ("type", "text")}
    if "text" in part and text is None:
        data["text"] = part["text"]
    if set(data) == {"data"} and isinstance(data["data"], dict):
        data = data["data"]
    return ContentPart(kind if isinstance(kind, str) and kind else "text", text, data)


def _role(left: dict[str, Any]) -> Role:
    for name in _ROLE:
        word = left.get(name)
        if isinstance(word, str) and word.lower() in ROLE_WORDS:
            del left[name]
            return ROLE_WORDS[word.lower()]
    raise InvalidInputError("the role is missing or none of system, user, assistant, tool")


def _tool_calls(value: Any, stem: str) -> tuple[ToolCall, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidInputError("tool_calls must be a list")
    return tuple(_tool_call(call, f"{stem}/call-{at}") for at, call in enumerate(value, start=1))


def _tool_call(call: Any, fallback_id: str) -> ToolCall:
    if not isinstance(call, dict):
        raise InvalidInputError("a tool call must be an object")
    inner = call.get("function")
    body = inner if isinstance(inner, dict) else call
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidInputError("a tool call has no name")
    arguments: Any = next(
        (body[key] for key in ("arguments", "args", "input") if body.get(key) is not None), {}
    )
    return ToolCall(_text(call.get("id") or fallback_id, "id"), name, _arguments(arguments))


def _arguments(value: Any) -> dict[str, Any] | str:
    """Return arguments as an object where they are one, also where it came as text."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise InvalidInputError("a tool call's arguments must be an object or text")
    try:
        decoded = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return decoded if isinstance(decoded, dict) else value


def _usage(value: Any) -> Usage | None:
    if not isinstance(value, dict):
        return None
    left = dict(value)
    spent = take(left, ("input_tokens", "prompt_tokens"))
    made = take(left, ("output_tokens", "completion_tokens"))
    details = left.pop("details", None)
    if isinstance(details, dict):
        left.update(details)
    return Usage(_count(spent), _count(made), left)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _text(value: Any, what: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise InvalidInputError(f"{what} must be text")
