"""One message of a Claude export to the messages it stands for. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.source_times import parse_time
from daybook.model.message import Content, ContentPart, Message, Role, ToolCall

__all__ = ["split_message"]

_ROLES: dict[str, Role] = {"human": "user", "user": "user", "assistant": "assistant"}


def split_message(value: Any, *, fallback_id: str, said_at: datetime | None) -> list[Message]:
    """Return the messages in order; empty if nothing was said.

    Args:
        value: An element of ``chat_messages``.
        fallback_id: The id if it names none.
        said_at: When the message before was said: the time if it names none.

    Raises:
        InvalidInputError: It is not of a known shape.
    """
    if not isinstance(value, dict):
        raise InvalidInputError("the message is not an object")
    role = _ROLES.get(str(value.get("sender")))
    if role is None:
        raise InvalidInputError("the sender is missing or neither human nor assistant")
    named = value.get("uuid")
    splitting = _Splitting(
        named if isinstance(named, str) and named else fallback_id,
        role,
        parse_time(value.get("created_at")) or said_at,
    )
    blocks = value.get("content")
    if isinstance(blocks, list) and blocks:
        for block in blocks:
            splitting.add(block)
    elif isinstance(value.get("text"), str) and value["text"]:
        splitting.add({"type": "text", "text": value["text"]})
    for name in ("attachments", "files", "files_v2"):
        for item in value.get(name) or ():
            splitting.attach(name.removesuffix("_v2").removesuffix("s"), item)
    return splitting.finish()


class _Splitting:
    """Collects blocks into messages: a tool's result ends one and starts the next."""

    def __init__(self, stem: str, role: Role, said_at: datetime | None) -> None:
        self._stem = stem
        self._role = role
        self._said_at = said_at
        self._done: list[Message] = []
        self._parts: list[ContentPart] = []
        self._calls: list[ToolCall] = []
        self._call_count = 0
        self._unanswered: list[str] = []

    def add(self, block: Any) -> None:
        """Take the next block of the message."""
        if not isinstance(block, dict):
            raise InvalidInputError("a block of the content is not an object")
        kind = block.get("type")
        if kind == "tool_use":
            self._call(block)
        elif kind == "tool_result":
            self._result(block)
        else:
            self._parts.append(_part(block))

    def attach(self, kind: str, item: Any) -> None:
        """Take a file that came with the message; its extracted text can be found later."""
        if not isinstance(item, dict):
            return
        data = {name: value for name, value in item.items() if value not in (None, "")}
        text = data.pop("extracted_content", None)
        self._parts.append(ContentPart(kind, text if isinstance(text, str) else None, data))

    def finish(self) -> list[Message]:
        """Return all messages."""
        self._flush()
        return self._done

    def _call(self, block: dict[str, Any]) -> None:
        self._call_count += 1
        name, arguments, named = block.get("name"), block.get("input"), block.get("id")
        if not isinstance(name, str) or not name:
            raise InvalidInputError("a tool call has no name")
        call_id = named if isinstance(named, str) and named else f"{self._stem}/{self._call_count}"
        given = arguments if isinstance(arguments, dict | str) else {}
        self._calls.append(ToolCall(call_id, name, given))
        self._unanswered.append(call_id)

    def _result(self, block: dict[str, Any]) -> None:
        self._flush()
        named = block.get("tool_use_id")
        waiting = self._unanswered.pop(0) if self._unanswered else None
        name = block.get("name")
        self._emit(
            role="tool",
            content=_result_content(block.get("content")),
            tool_call_id=named if isinstance(named, str) and named else waiting,
            name=name if isinstance(name, str) and name else None,
            metadata={"is_error": True} if block.get("is_error") else {},
        )

    def _flush(self) -> None:
        """End the message that is being collected, if it holds anything."""
        if not self._parts and not self._calls:
            return
        content: Content = tuple(self._parts)
        if all(part.type == "text" and not part.data for part in self._parts):
            content = "\n".join(part.text or "" for part in self._parts)
        if content or self._calls:
            self._emit(role=self._role, content=content, tool_calls=tuple(self._calls))
        self._parts, self._calls = [], []

    def _emit(self, **fields: Any) -> None:
        count = len(self._done)
        message_id = self._stem if count == 0 else f"{self._stem}#{count + 1}"
        self._done.append(Message(id=message_id, created_at=self._said_at, **fields))


def _part(block: dict[str, Any]) -> ContentPart:
    kind, text = block.get("type"), block.get("text")
    if kind == "text":
        data = {"citations": block["citations"]} if block.get("citations") else {}
        return ContentPart("text", text if isinstance(text, str) else "", data)
    data = {
        name: value
        for name, value in block.items()
        if name not in ("type", "text") and value is not None
    }
    return ContentPart(
        kind if isinstance(kind, str) and kind else "unknown",
        text if isinstance(text, str) else None,
        data,
    )


def _result_content(value: Any) -> Content:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return "" if value is None else (ContentPart("data", None, {"value": value}),)
    parts = [_part(block) for block in value if isinstance(block, dict)]
    if all(part.type == "text" and not part.data for part in parts):
        return "\n".join(part.text or "" for part in parts)
    return tuple(parts)
