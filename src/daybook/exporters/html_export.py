"""A session as one HTML page that needs nothing else. Pure. It is not read back: use JSON for that.

Everything a message holds is text on the page, never markup; the page forbids scripts, forms and
every request of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date
from html import escape
from typing import Any

from daybook.model.entry import HistoryEntry
from daybook.model.message import ContentPart, Message, ToolCall
from daybook.model.session import Session

__all__ = ["export_html"]

# Control characters, and those that reorder text: they could make a line read as another.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ROLES = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
header { border-bottom: 1px solid #8884; margin-bottom: 1.5rem; }
h1 { margin-bottom: 0; } header p, .when { color: #808080; font-size: .85rem; }
h2 { font-size: .85rem; text-align: center; color: #808080; font-weight: normal; }
article { margin: .75rem 0; padding: .5rem .9rem; border-radius: .8rem; background: #8881; }
article.user { background: #3b82f622; margin-left: 3rem; }
article.tool, article.system { font-size: .9rem; border: 1px dashed #8886; background: none; }
.who { font-weight: 600; margin-right: .6rem; }
pre, .text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
pre { background: #8882; padding: .5rem; border-radius: .4rem; font-size: .85rem; }
"""


def export_html(session: Session, entries: Iterable[HistoryEntry]) -> Iterator[str]:
    """Yield the page piece by piece: a title, then each day with what was said on it.

    Args:
        session: The session.
        entries: Its messages in order.
    """
    title = _text(session.title or session.id)
    count = session.message_count
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{title}</h1><p>{_text(session.user_id)} · {count:,} "
        f"message{'' if count == 1 else 's'} · session {_text(session.id)}</p></header>\n<main>\n"
    )
    day: date | None = None
    for entry in entries:
        said_at = entry.message.created_at
        if said_at is not None and said_at.astimezone(UTC).date() != day:
            day = said_at.astimezone(UTC).date()
            yield f"<h2>{day.day} {day:%B %Y}</h2>\n"
        yield _article(entry)
    yield "</main>\n</body>\n</html>\n"


def _article(entry: HistoryEntry) -> str:
    message = entry.message
    content = message.content
    parts = [_plain(content, message.role)] if isinstance(content, str) else map(_part, content)
    blocks = [*parts, *map(_call, message.tool_calls)]
    return (
        f'<article class="{message.role}" id="m{entry.seq}"><div><span class="who">'
        f"{_text(_speaker(message))}</span>{_when(message)}</div>{''.join(blocks)}</article>\n"
    )


def _speaker(message: Message) -> str:
    role = _ROLES[message.role]
    if message.role == "tool":
        return f"{role} {message.name or ''}".strip() + f" (answers {message.tool_call_id})"
    return message.name or role


def _when(message: Message) -> str:
    said_at = message.created_at
    if said_at is None:
        return ""
    moment = said_at.astimezone(UTC)
    return f'<time class="when" datetime="{moment.isoformat()}">{moment:%H:%M} UTC</time>'


def _plain(text: str, role: str) -> str:
    if not text:
        return ""
    return (
        f"<pre>{_text(text)}</pre>" if role == "tool" else f'<div class="text">{_text(text)}</div>'
    )


def _part(part: ContentPart) -> str:
    if part.type == "text" and not part.data:
        return _plain(part.text or "", "user")
    blocks = [f'<div class="when">{_text(part.type)}</div>', _plain(part.text or "", "user")]
    if part.data:
        blocks.append(_json(part.data))
    return "".join(blocks)


def _call(call: ToolCall) -> str:
    return (
        f'<div class="when">calls {_text(call.name)} ({_text(call.id)})</div>'
        f"{_json(call.arguments)}"
    )


def _json(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return f"<pre>{_text(text)}</pre>"


def _text(text: str) -> str:
    return escape(_UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
