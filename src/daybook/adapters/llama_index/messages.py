"""LlamaIndex's chat messages as ours and back, equal: they stand whole in the metadata. Pure."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from pydantic_core import PydanticSerializationError

from daybook.adapters.raw_items import has_item, item_of, readable, with_item
from daybook.errors import InvalidInputError
from daybook.model.message import Content, ContentPart, Message, Role, ToolCall

__all__ = ["from_chat_message", "same_chat_message", "to_chat_message"]

SHELF = "llama_index"
_ROLES: dict[str, Role] = {
    "user": "user",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}


def from_chat_message(message: ChatMessage) -> Message:
    """Return a chat message as ours, with a fresh id.

    Raises:
        InvalidInputError: It holds something that pydantic cannot write as JSON.
    """
    try:
        raw = message.model_dump(mode="json")
    except (PydanticSerializationError, ValueError) as exc:
        raise InvalidInputError(
            f"the message holds a {type(exc).__name__}: its additional_kwargs must be plain data"
        ) from exc
    role = _ROLES.get(str(message.role.value), "assistant")
    extra = message.additional_kwargs
    call_id = extra.get("tool_call_id")
    content = _content(raw["blocks"])
    if role == "tool":
        if not isinstance(call_id, str) or not call_id:
            return with_item(Message.assistant(content), SHELF, raw)
        return with_item(Message.tool(content, tool_call_id=readable(call_id)), SHELF, raw)
    calls = tuple(_call(block) for block in raw["blocks"] if block.get("block_type") == "tool_call")
    return with_item(Message(role=role, content=content, tool_calls=calls), SHELF, raw)


def to_chat_message(message: Message) -> ChatMessage:
    """Return what `from_chat_message` was given, or a chat message that says the same."""
    if has_item(message, SHELF):
        return ChatMessage.model_validate(item_of(message, SHELF))
    extra = {"tool_call_id": message.tool_call_id} if message.tool_call_id else {}
    return ChatMessage(role=message.role, content=message.text, additional_kwargs=extra)


def same_chat_message(one: Message, other: Message) -> bool:
    """Tell whether two of our messages hold equal chat messages."""
    if has_item(one, SHELF) and has_item(other, SHELF):
        return bool(item_of(one, SHELF) == item_of(other, SHELF))
    return bool(to_chat_message(one) == to_chat_message(other))


def _content(blocks: list[dict[str, Any]]) -> Content:
    shown = [block for block in blocks if block.get("block_type") != "tool_call"]
    if len(shown) == 1 and shown[0].get("block_type") == "text":
        return readable(shown[0]["text"] or "")
    return tuple(_part(block) for block in shown)


def _part(block: dict[str, Any]) -> ContentPart:
    text = block.get("text", block.get("content"))
    kind = str(block.get("block_type") or "block")
    return ContentPart(kind, readable(text) if isinstance(text, str) else None)


def _call(block: dict[str, Any]) -> ToolCall:
    arguments = block.get("tool_kwargs")
    known = arguments if isinstance(arguments, dict) else readable(str(arguments or ""))
    name = readable(str(block.get("tool_name") or ""))
    return ToolCall(readable(str(block.get("tool_call_id") or name)), name, known)
