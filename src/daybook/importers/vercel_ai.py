"""Vercel's AI SDK: its ``UIMessage``, alone, in lists and in chats; and back.

Needs no framework: a message is ``{id, role, parts, metadata}``. One in which the assistant called
tools becomes several of ours: the words with the calls, each result, the words after. The message
stands whole in the first one's ``metadata["vercel_ai"]``, so `to_ui_messages` gives it back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from daybook.errors import InvalidInputError
from daybook.importers.source import Record
from daybook.importers.source_file import SourceFile
from daybook.importers.ui_conversations import UiFormat, known_time, read_ui
from daybook.model.message import ContentPart, Message, Role, ToolCall

__all__ = ["from_ui_messages", "looks_like_vercel_ai", "read_vercel_ai", "to_ui_messages"]

_OURS = "vercel_ai"
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_KINDS = ("text", "reasoning", "file", "step-start", "dynamic-tool", "tool-invocation")
_PREFIXES = ("tool-", "data-", "source-")
_OUTPUTS = ("output", "result", "errorText")
_OTHERS = ("session_id", "conversation_id", "thread_id")  # a line of somebody else's


def looks_like_vercel_ai(value: Any) -> bool:
    """Tell whether a JSON value is a UI message or a chat of them."""
    if not isinstance(value, dict):
        return False
    messages = value.get("messages")
    return any(map(_is_message, messages)) if isinstance(messages, list) else _is_message(value)


def read_vercel_ai(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the conversations of a file."""
    return read_ui(file, user_id, _FORM)


def from_ui_messages(messages: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Return UI messages as ours.

    Raises:
        InvalidInputError: One is no UI message, or has no id.

    Example:
        >>> said = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}]
        >>> from_ui_messages(said)[0].text
        'Hello'
        >>> to_ui_messages(from_ui_messages(said)) == said
        True
    """
    return [made for one in messages for made in _messages_of(dict(one), "", None)]


def to_ui_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages as UI messages: those they were made from, or those that say the same.

    A tool's result goes into the message that called it.
    """
    made: list[dict[str, Any]] = []
    calls: dict[str, dict[str, Any]] = {}
    for message in messages:
        kept = message.metadata.get(_OURS)
        if isinstance(kept, dict) and "of" in kept:
            continue
        if isinstance(kept, dict) and "message" in kept:
            made.append(kept["message"])
        elif message.role == "tool" and message.tool_call_id in calls:
            part = calls[message.tool_call_id]
            part.update(state="output-available", output=message.text)
        else:
            made.append(_made(message, calls))
    return made


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict) or any(name in value for name in _OTHERS):
        return False
    parts = value.get("parts")
    return (
        isinstance(value.get("id"), str)
        and value.get("role") in _ROLES
        and isinstance(parts, list)
        and all(isinstance(part, dict) and _is_kind(part.get("type")) for part in parts)
    )


def _is_kind(kind: Any) -> bool:
    return isinstance(kind, str) and (kind in _KINDS or kind.startswith(_PREFIXES))


def _messages_of(value: dict[str, Any], fallback: str, said_at: datetime | None) -> list[Message]:
    role = _ROLES.get(str(value.get("role")))
    if role is None:
        raise InvalidInputError("the role is missing or none of system, user, assistant")
    message_id = value.get("id") or fallback
    if not isinstance(message_id, str) or not message_id:
        raise InvalidInputError("the message has no id")
    parts = value.get("parts")
    if not isinstance(parts, list):
        raise InvalidInputError("the message has no parts")
    extra = value.get("metadata")
    named = extra.get("createdAt") if isinstance(extra, dict) else None
    time = known_time(value.get("createdAt")) or known_time(named) or said_at
    splitting = _Splitting(message_id, role, time)
    for part in parts:
        splitting.add(part)
    return splitting.finish(value)


class _Splitting:
    """Collects parts into messages: words after a tool's result begin a new one."""

    def __init__(self, stem: str, role: Role, said_at: datetime | None) -> None:
        self._stem = stem
        self._role = role
        self._said_at = said_at
        self._done: list[Message] = []
        self._parts: list[ContentPart] = []
        self._calls: list[ToolCall] = []
        self._results: list[tuple[str, Any]] = []

    def add(self, part: Any) -> None:
        """Take the next part.

        Raises:
            InvalidInputError: It is not of a known shape.
        """
        if not isinstance(part, dict) or not isinstance(part.get("type"), str) or not part["type"]:
            raise InvalidInputError("a part is no object or has no type")
        kind = part["type"]
        if kind == "step-start":
            return
        if kind.startswith("tool-") or kind == "dynamic-tool":
            self._tool(part)
            return
        if self._results:
            self._close()
        text = part.get("text")
        data = {name: item for name, item in part.items() if name not in ("type", "text")}
        self._parts.append(ContentPart(kind, text if isinstance(text, str) else None, data))

    def finish(self, value: dict[str, Any]) -> list[Message]:
        """Return the messages; the first holds what they were made from, the others its id."""
        if self._parts or self._calls or not self._done:
            self._close()
        return [
            _with(one, {"message": value} if at == 0 else {"of": self._stem})
            for at, one in enumerate(self._done)
        ]

    def _tool(self, part: dict[str, Any]) -> None:
        inner = part.get("toolInvocation")
        body = inner if part["type"] == "tool-invocation" and isinstance(inner, dict) else part
        call_id = body.get("toolCallId")
        named = body.get("toolName") or part["type"].removeprefix("tool-")
        if not isinstance(call_id, str) or not call_id or not isinstance(named, str):
            raise InvalidInputError("a tool's part has no toolCallId or no name")
        given = body.get("input", body.get("args", body.get("rawInput")))
        self._calls.append(
            ToolCall(call_id, named, given if isinstance(given, dict) else _text(given))
        )
        state = str(body.get("state"))
        output = next((body[name] for name in _OUTPUTS if body.get(name) is not None), None)
        if state == "output-denied":
            output = "denied"
        if output is not None or state in ("output-available", "output-error", "result"):
            self._results.append((call_id, output))

    def _close(self) -> None:
        content: Any = tuple(self._parts)
        if len(self._parts) == 1 and self._parts[0].type == "text" and not self._parts[0].data:
            content = self._parts[0].text or ""
        number = len(self._done)
        self._done.append(
            Message(
                id=self._stem if not number else f"{self._stem}/{number + 1}",
                role=self._role,
                content=content,
                tool_calls=tuple(self._calls),
                created_at=self._said_at,
            )
        )
        for call_id, output in self._results:
            self._done.append(
                Message.tool(
                    _text(output),
                    tool_call_id=call_id,
                    id=f"{self._stem}/{len(self._done) + 1}",
                    created_at=self._said_at,
                )
            )
        self._parts, self._calls, self._results = [], [], []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _with(message: Message, kept: dict[str, Any]) -> Message:
    return replace(message, metadata={_OURS: kept})


def _made(message: Message, calls: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a UI message; its calls' parts are noted in `calls` for their results."""
    if isinstance(message.content, str):
        parts: list[dict[str, Any]] = [{"type": "text", "text": message.content}]
        parts = parts if message.content or not message.tool_calls else []
    else:
        parts = [_ui_part(part) for part in message.content]
    for call in message.tool_calls:
        part = {
            "type": f"tool-{call.name}",
            "toolCallId": call.id,
            "state": "input-available",
            "input": call.arguments,
        }
        calls[call.id] = part
        parts.append(part)
    role = message.role if message.role != "tool" else "assistant"
    return {"id": message.id, "role": role, "parts": parts}


def _ui_part(part: ContentPart) -> dict[str, Any]:
    kind = part.type if _is_kind(part.type) else f"data-{part.type}"
    if kind.startswith("data-") and "data" not in part.data:
        return {"type": kind, "data": {**part.data, "text": part.text}}
    return {"type": kind, **({} if part.text is None else {"text": part.text}), **part.data}


def _is_nothing(_: Any) -> bool:
    return False


_FORM = UiFormat(_OURS, ("chatId", "id"), _messages_of, _is_message, _is_nothing)
