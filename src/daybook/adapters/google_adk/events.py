"""ADK's events as our messages and back, equal: the event stands whole in the metadata. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.adk.events.event import Event

from daybook.adapters.raw_items import has_item, item_of, readable, with_item
from daybook.model.message import ContentPart, Message, ToolCall

__all__ = ["event_of", "event_text", "message_of"]

SHELF = "google_adk"


def message_of(event: Event, message_id: str) -> Message:
    """Return an event as a message."""
    raw = event.model_dump(mode="json", exclude_none=True)
    fields: dict[str, Any] = {"id": message_id, "created_at": _time(event.timestamp)}
    if event.author:
        fields["name"] = readable(event.author)
    return with_item(_view(event, fields), SHELF, raw)


def event_of(message: Message) -> Event | None:
    """Return the event that a message was made from; None if it was made from none."""
    return Event.model_validate(item_of(message, SHELF)) if has_item(message, SHELF) else None


def event_text(content: Any) -> str:
    """Return the readable text of a content."""
    parts = (content.parts if content else None) or []
    return readable("\n".join(part.text for part in parts if part.text and not part.thought))


def _view(event: Event, fields: dict[str, Any]) -> Message:
    parts = (event.content.parts if event.content else None) or []
    calls = [part.function_call for part in parts if part.function_call]
    results = [part.function_response for part in parts if part.function_response]
    text = event_text(event.content)
    if len(results) == 1 and results[0].id and not calls:
        said = text or readable(str(results[0].response))
        return Message.tool(said, tool_call_id=readable(results[0].id), **fields)
    kinds = [_kind(part) for part in parts]
    content: Any = text
    if any(kind != "text" for kind in kinds) and not calls:
        content = tuple(
            ContentPart(kind, readable(part.text) if part.text else None)
            for kind, part in zip(kinds, parts, strict=True)
        )
    if event.author == "user":
        return Message.user(content, **fields)
    made = tuple(
        ToolCall(readable(call.id or ""), readable(call.name or ""), call.args or {})
        for call in calls
    )
    return Message.assistant(content, tool_calls=made, **fields)


def _kind(part: Any) -> str:
    if part.text is not None:
        return "reasoning" if part.thought else "text"
    for name in ("inline_data", "file_data", "function_response", "executable_code"):
        if getattr(part, name, None) is not None:
            return name
    return "part"


def _time(timestamp: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
