"""AG-UI: its messages, ``RunAgentInput`` and ``MESSAGES_SNAPSHOT`` events; and back.

Needs no framework: a message is a JSON object in camel case. It stands whole in
``metadata["ag_ui"]``, so `to_ag_ui` gives it back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.message_fields import parse_content
from daybook.importers.source import Record
from daybook.importers.source_file import SourceFile
from daybook.importers.ui_conversations import UiFormat, known_time, read_ui
from daybook.model.message import Content, ContentPart, Message, Role, ToolCall

__all__ = ["from_ag_ui", "looks_like_ag_ui", "read_ag_ui", "to_ag_ui"]

_OURS = "ag_ui"
_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "activity": "assistant",
    "reasoning": "assistant",
}
_OWN_ROLES = ("activity", "reasoning")
_OWN_FIELDS = ("toolCalls", "toolCallId", "encryptedValue", "activityType")


def looks_like_ag_ui(value: Any) -> bool:
    """Tell whether a JSON value is AG-UI's and nobody else's."""
    if not isinstance(value, dict):
        return False
    if value.get("type") in ("RUN_STARTED", "MESSAGES_SNAPSHOT"):
        return True
    messages = value.get("messages")
    if isinstance(messages, list):
        return isinstance(value.get("threadId"), str) or any(map(_is_own_message, messages))
    return _is_own_message(value)


def read_ag_ui(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the conversations of a file; events that hold no messages are passed over."""
    return read_ui(file, user_id, _FORM)


def from_ag_ui(messages: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Return AG-UI messages as ours, one for one; objects of ``ag_ui.core`` are dumped first.

    Raises:
        InvalidInputError: One is not a message of AG-UI's, or has no id.

    Example:
        >>> said = [{"id": "m1", "role": "user", "content": "Hello"}]
        >>> to_ag_ui(from_ag_ui(said)) == said
        True
    """
    return [_message(dict(one), "", None) for one in messages]


def to_ag_ui(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages as AG-UI's: those they were made from, or those that say the same."""
    return [_raw(one) or _made(one) for one in messages]


def _is_own_message(value: Any) -> bool:
    if not _is_message(value):
        return False
    return value["role"] in _OWN_ROLES or any(name in value for name in _OWN_FIELDS)


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("role"), str)
        and value["role"] in _ROLES
        and isinstance(value.get("id"), str)
    )


def _is_event(value: Any) -> bool:
    return isinstance(value.get("type"), str) and value["type"].isupper()


def _messages_of(value: dict[str, Any], fallback: str, said_at: datetime | None) -> list[Message]:
    return [_message(value, fallback, said_at)]


def _message(value: dict[str, Any], fallback: str, said_at: datetime | None) -> Message:
    role = _ROLES.get(str(value.get("role")))
    if role is None:
        raise InvalidInputError("the role is missing or none of AG-UI's")
    message_id = value.get("id") or fallback
    if not isinstance(message_id, str) or not message_id:
        raise InvalidInputError("the message has no id")
    fields: dict[str, Any] = {
        "id": message_id,
        "created_at": known_time(value.get("timestamp")) or said_at,
        "metadata": {_OURS: value},
    }
    if isinstance(value.get("name"), str) and value["name"]:
        fields["name"] = value["name"]
    content = _content(value)
    if role == "tool":
        if not isinstance(value.get("toolCallId"), str) or not value["toolCallId"]:
            raise InvalidInputError("the tool's message names no toolCallId")
        return Message.tool(content, tool_call_id=value["toolCallId"], **fields)
    calls = value.get("toolCalls") or ()
    if not isinstance(calls, list | tuple):
        raise InvalidInputError("toolCalls must be a list")
    return Message(role=role, content=content, tool_calls=tuple(map(_call, calls)), **fields)


def _content(value: dict[str, Any]) -> Content:
    content = value.get("content")
    if value["role"] == "reasoning":
        return (ContentPart("reasoning", content if isinstance(content, str) else None),)
    if value["role"] == "activity":
        data = content if isinstance(content, dict) else {}
        return (ContentPart(str(value.get("activityType") or "activity"), None, dict(data)),)
    if content is None and value["role"] == "assistant":
        return ""
    if content is None:
        raise InvalidInputError("the message has no content")
    return parse_content(content)


def _call(value: Any) -> ToolCall:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict) or not isinstance(value.get("id"), str):
        raise InvalidInputError("a tool call has no id or no function")
    name, text = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not name or not value["id"]:
        raise InvalidInputError("a tool call has no name")
    return ToolCall(value["id"], name, _arguments(text))


def _arguments(value: Any) -> dict[str, Any] | str:
    if isinstance(value, dict):
        return value
    try:
        decoded = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return value if isinstance(value, str) else ""
    return decoded if isinstance(decoded, dict) else str(value)


def _raw(message: Message) -> dict[str, Any] | None:
    raw = message.metadata.get(_OURS)
    return raw if isinstance(raw, dict) and "role" in raw else None


def _made(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {"id": message.id, "role": message.role, "content": message.text}
    if message.name:
        made["name"] = message.name
    if message.role == "tool" and message.tool_call_id:
        made["toolCallId"] = message.tool_call_id
    elif message.role == "tool":
        made["role"] = "assistant"
    if message.tool_calls:
        made["toolCalls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": call.arguments
                    if isinstance(call.arguments, str)
                    else json.dumps(call.arguments),
                },
            }
            for call in message.tool_calls
        ]
    return made


_FORM = UiFormat(_OURS, ("threadId", "thread_id"), _messages_of, _is_message, _is_event)
