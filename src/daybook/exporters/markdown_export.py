"""A session as Markdown, pleasant to read. Pure. It is not read back: use JSON for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from daybook.exporters.markdown_text import code_block, inline, quoted
from daybook.model.entry import HistoryEntry
from daybook.model.message import ContentPart, Message, ToolCall
from daybook.model.session import Session

__all__ = ["export_markdown"]

_ROLES = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}


def export_markdown(session: Session, entries: Iterable[HistoryEntry]) -> Iterator[str]:
    """Yield the document piece by piece: a title, then each day with what was said on it.

    Args:
        session: The session.
        entries: Its messages in order.
    """
    yield f"# {inline(session.title or session.id)}\n"
    count = session.message_count
    yield (
        f"\n{inline(session.user_id)} · {count} message{'' if count == 1 else 's'} · "
        f"session {inline(session.id)}\n"
    )
    day: date | None = None
    for entry in entries:
        said_at = entry.message.created_at
        if said_at is not None and said_at.astimezone(UTC).date() != day:
            day = said_at.astimezone(UTC).date()
            yield f"\n## {day.day} {day:%B %Y}\n"
        yield f"\n{_message(entry.message)}\n"


def _message(message: Message) -> str:
    blocks = [f"**{inline(_speaker(message))}**{_clock(message.created_at)}"]
    if isinstance(message.content, str):
        if message.role == "tool":
            blocks.append(code_block(message.content))
        elif message.content:
            blocks.append(quoted(message.content))
    else:
        blocks.extend(map(_part, message.content))
    blocks.extend(map(_call, message.tool_calls))
    return "\n\n".join(blocks)


def _speaker(message: Message) -> str:
    role = _ROLES[message.role]
    if message.role == "tool":
        of = message.tool_call_id
        return f"{role} {message.name or ''}".strip() + (f" (answers {of})" if of else "")
    return message.name or role


def _clock(moment: datetime | None) -> str:
    return "" if moment is None else f" · {moment.astimezone(UTC):%H:%M} UTC"


def _part(part: ContentPart) -> str:
    if part.type == "text" and not part.data:
        return quoted(part.text or "")
    blocks = [f"*{inline(part.type)}*"]
    if part.text:
        blocks.append(quoted(part.text))
    if part.data:
        blocks.append(code_block(part.data))
    return "\n\n".join(blocks)


def _call(call: ToolCall) -> str:
    return f"Calls **{inline(call.name)}** ({inline(call.id)}):\n\n{code_block(call.arguments)}"
