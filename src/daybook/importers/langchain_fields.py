"""A message of LangChain's, as the JSON object of its fields, to ours. Pure; needs no LangChain.

What we have no field for stands in ``metadata["langchain"]``, where `daybook.adapters.langchain`
looks for it: there the message comes back as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.message_fields import parse_content
from daybook.model.message import Message, Role, ToolCall, Usage

__all__ = ["from_langchain_fields", "is_command"]

_ROLES: dict[str, Role] = {
    "human": "user",
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "SystemMessageChunk": "system",
    "tool": "tool",
    "ToolMessageChunk": "tool",
}
_CHAT_ROLES: dict[str, Role] = {"assistant": "assistant", "ai": "assistant", "system": "system"}
_KEPT = ("additional_kwargs", "response_metadata", "artifact")
_SENT = {"cache_read": "cached_tokens", "cache_creation": "cache_write_tokens"}
_MADE = {"reasoning": "reasoning_tokens"}


def is_command(fields: Any) -> bool:
    """Tell whether it is no message but an order to remove one."""
    return isinstance(fields, dict) and fields.get("type") == "remove"


def from_langchain_fields(fields: Any, *, fallback_id: str, said_at: datetime | None) -> Message:
    """Return the message.

    Args:
        fields: Its fields, ``type`` among them.
        fallback_id: Its id where it names none.
        said_at: When it was said, as far as the source knows.

    Raises:
        InvalidInputError: A field is not what it should be; names it, quotes nothing.
    """
    if not isinstance(fields, dict):
        raise InvalidInputError("the message is not an object")
    rest = {name: fields[name] for name in _KEPT if fields.get(name)}
    role = _role(fields, rest)
    named, name = fields.get("id"), fields.get("name")
    call_id = fields.get("tool_call_id")
    metadata: dict[str, Any] = {"langchain": rest} if rest else {}
    if fields.get("status") == "error":
        metadata["is_error"] = True
    return Message(
        role=role,
        id=named if isinstance(named, str) and named else fallback_id,
        content=parse_content(fields.get("content") or ""),
        name=name if isinstance(name, str) and name else None,
        tool_calls=_calls(fields, fallback_id),
        tool_call_id=call_id if isinstance(call_id, str) and call_id else None,
        created_at=said_at,
        usage=_usage(fields.get("usage_metadata")),
        metadata=metadata,
    )


def _role(fields: Mapping[str, Any], rest: dict[str, Any]) -> Role:
    kind = fields.get("type")
    if isinstance(kind, str) and kind in _ROLES:
        return _ROLES[kind]
    if kind in ("chat", "ChatMessageChunk") and isinstance(fields.get("role"), str):
        rest.update(type="chat", role=fields["role"])
        return _CHAT_ROLES.get(fields["role"].lower(), "user")
    if kind == "function":
        if isinstance(fields.get("name"), str):  # langchain-redis leaves it out
            rest["type"] = "function"
        return "tool"
    raise InvalidInputError("the message is of an unknown type")


def _calls(fields: Mapping[str, Any], stem: str) -> tuple[ToolCall, ...]:
    made: list[ToolCall] = []
    for field, kind in (("tool_calls", dict), ("invalid_tool_calls", str)):
        calls = fields.get(field) or []
        for call in calls if isinstance(calls, list | tuple) else [calls]:
            if not isinstance(call, dict):
                raise InvalidInputError(f"{field} holds something that is no call")
            name, args, named = call.get("name"), call.get("args"), call.get("id")
            made.append(
                ToolCall(
                    named if isinstance(named, str) and named else f"{stem}/call-{len(made) + 1}",
                    name if isinstance(name, str) and name else "unknown",
                    args if isinstance(args, kind) else kind(),
                )
            )
    return tuple(made)


def _usage(reported: Any) -> Usage | None:
    if not isinstance(reported, dict):
        return None
    details = {
        ours: told[theirs]
        for field, names in (("input_token_details", _SENT), ("output_token_details", _MADE))
        if isinstance(told := reported.get(field), dict)
        for theirs, ours in names.items()
        if isinstance(told.get(theirs), int)
    }
    counts = [reported.get(name) for name in ("input_tokens", "output_tokens")]
    sent, made = (count if isinstance(count, int) and count >= 0 else 0 for count in counts)
    return Usage(sent, made, details)
