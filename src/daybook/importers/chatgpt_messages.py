"""Messages of a ChatGPT export to `Message`: content types, tool calls and their results. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from daybook.errors import InvalidInputError
from daybook.importers.source_times import parse_time
from daybook.model.message import Content, ContentPart, Message, Role, ToolCall

__all__ = ["PathReading"]

_ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_PLAIN = ("text", "code", "execution_output", "system_error")
_TEXT_FIELDS = ("text", "result", "content", "user_instructions", "user_profile")
_KEPT = ("model_slug", "attachments", "finish_details")


class PathReading:
    """Reads the messages of one path in order; remembers the last time and the open tool call."""

    def __init__(self, started_at: datetime | None) -> None:
        self._time = started_at
        self._open_call: str | None = None

    def message(self, value: Any, node_id: str) -> Message | None:
        """Return a node's message; None if the node holds nothing that was said.

        Raises:
            InvalidInputError: The message is not of a known shape.
        """
        if value is None:
            return None
        if not isinstance(value, dict):
            raise InvalidInputError("the message is not an object")
        author = value.get("author")
        author = author if isinstance(author, dict) else {}
        role = _ROLES.get(str(author.get("role")))
        if role is None:
            raise InvalidInputError("the author's role is missing or unknown")
        self._time = parse_time(value.get("create_time")) or self._time
        content = _content(value.get("content"))
        if not _is_said(content):
            return None
        message_id = value.get("id")
        name = author.get("name")
        base = Message(
            id=message_id if isinstance(message_id, str) and message_id else node_id,
            role=role,
            content=content,
            name=name if isinstance(name, str) and name else None,
            created_at=self._time,
            metadata=_metadata(value.get("metadata")),
        )
        return self._with_tools(base, value.get("recipient"))

    def _with_tools(self, message: Message, recipient: Any) -> Message:
        """Turn a message to a tool into a tool call, and a tool's message into its result."""
        if message.role == "tool":
            call, self._open_call = self._open_call, None
            return replace(message, tool_call_id=call) if call else message
        if message.role != "assistant" or recipient in (None, "", "all"):
            return message
        self._open_call = message.id
        call_made = ToolCall(message.id, str(recipient), _arguments(message.text))
        return replace(message, content="", tool_calls=(call_made,))


def _content(value: Any) -> Content:
    if not isinstance(value, dict):
        raise InvalidInputError("the content is not an object")
    kind = value.get("content_type")
    kind = kind if isinstance(kind, str) and kind else "text"
    parts = value.get("parts")
    if isinstance(parts, list):
        made = [_part(part) for part in parts if part not in ("", None)]
        if all(part.type == "text" and not part.data for part in made):
            return "\n".join(part.text or "" for part in made)
        return tuple(made)
    text = _text_of(value)
    if kind in _PLAIN:
        return text or ""
    data = {
        name: item
        for name, item in value.items()
        if name != "content_type" and item is not None and item is not text
    }
    return (ContentPart(kind, text, data),) if text or data else ""


def _part(part: Any) -> ContentPart:
    if isinstance(part, str):
        return ContentPart("text", part)
    if not isinstance(part, dict):
        raise InvalidInputError("a part of the content is neither text nor an object")
    kind = part.get("content_type")
    text = part.get("text")
    data = {name: item for name, item in part.items() if name not in ("content_type", "text")}
    if isinstance(kind, str) and kind.startswith("image"):
        kind = "image"
    return ContentPart(
        kind if isinstance(kind, str) and kind else "text",
        text if isinstance(text, str) else None,
        data,
    )


def _text_of(value: dict[str, Any]) -> str | None:
    for name in _TEXT_FIELDS:
        if isinstance(value.get(name), str):
            return str(value[name])
    return None


def _is_said(content: Content) -> bool:
    return bool(content.strip()) if isinstance(content, str) else bool(content)


def _arguments(text: str) -> dict[str, Any] | str:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded if isinstance(decoded, dict) else text


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    kept = {name: value[name] for name in _KEPT if value.get(name)}
    return {"chatgpt": kept} if kept else {}
