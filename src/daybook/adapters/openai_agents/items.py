"""Items of the OpenAI Agents SDK as our messages, and back. Pure; knows no framework.

An item is a plain dict of OpenAI's Responses API and comes back equal. A message that did not come
from there is given as the items that say the same.
"""

from __future__ import annotations

import json
from typing import Any

from daybook.adapters.raw_items import has_item, item_of, readable, with_item
from daybook.errors import InvalidInputError
from daybook.model.message import Content, ContentPart, Message, Role, ToolCall

__all__ = ["from_item", "to_items"]

SHELF = "openai_agents"
_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
}
_TEXTS = ("text", "refusal", "transcript")


def from_item(item: Any) -> Message:
    """Return an item as a message with a fresh id.

    Raises:
        InvalidInputError: It is not a dict of JSON.
    """
    if not isinstance(item, dict):
        raise InvalidInputError(f"an item must be a dict, got {type(item).__name__}")
    return with_item(_view(item), SHELF, item)


def to_items(message: Message) -> list[dict[str, Any]]:
    """Return a message as items: the one it was made from, or those that say the same."""
    if has_item(message, SHELF):
        return [item_of(message, SHELF)]
    if message.role == "tool" and message.tool_call_id:
        return [_output(message.tool_call_id, message.text)]
    items: list[dict[str, Any]] = []
    if message.content or not message.tool_calls:
        role = message.role if message.role != "tool" else "user"
        items.append({"role": role, "content": message.text})
    items.extend(_call(call) for call in message.tool_calls)
    return items


def _view(item: dict[str, Any]) -> Message:
    kind = item.get("type")
    if isinstance(kind, str) and kind.endswith("call_output"):
        return _result(item)
    if kind == "function_call":
        return Message.assistant(tool_calls=(_called(item),))
    if "role" in item:
        role = _ROLES.get(str(item["role"]), "user")
        if role == "tool":
            return _result(item)
        return Message(role=role, content=_content(item.get("content")))
    if kind == "reasoning":
        texts = _texts(item.get("summary")) or _texts(item.get("content"))
        return Message.assistant((ContentPart("reasoning", "\n".join(texts) or None),))
    name = kind if isinstance(kind, str) and kind else "item"
    return Message.assistant((ContentPart(readable(name)),))


def _result(item: dict[str, Any]) -> Message:
    call_id = item.get("call_id", item.get("tool_call_id"))
    output = item.get("output", item.get("content"))
    content: Content = _content(output) if isinstance(output, str | list) else _json(output)
    if not isinstance(call_id, str) or not call_id:
        return Message.assistant(content)
    return Message.tool(content, tool_call_id=readable(call_id))


def _called(item: dict[str, Any]) -> ToolCall:
    arguments = item.get("arguments")
    text = arguments if isinstance(arguments, str) else _json(arguments)
    return ToolCall(
        readable(str(item.get("call_id") or item.get("id") or "")),
        readable(str(item.get("name") or "")),
        _arguments(text),
    )


def _arguments(text: str) -> dict[str, Any] | str:
    try:
        decoded = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return readable(text)
    return decoded if isinstance(decoded, dict) else readable(text)


def _refuse(name: str) -> None:
    raise ValueError(name)


def _content(value: Any) -> Content:
    if isinstance(value, str):
        return readable(value)
    if not isinstance(value, list):
        return ""
    return tuple(_part(part) for part in value)


def _part(part: Any) -> ContentPart:
    if not isinstance(part, dict):
        return ContentPart("text", readable(part) if isinstance(part, str) else None)
    kind = part.get("type")
    kind = readable(kind) if isinstance(kind, str) and kind else "text"
    text = next((part[name] for name in _TEXTS if isinstance(part.get(name), str)), None)
    return ContentPart(kind, None if text is None else readable(text))


def _texts(parts: Any) -> list[str]:
    found = [_part(part).text for part in parts] if isinstance(parts, list) else []
    return [text for text in found if text]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, default=str)


def _output(call_id: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def _call(call: ToolCall) -> dict[str, Any]:
    text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": text}
