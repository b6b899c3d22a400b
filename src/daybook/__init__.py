"""Daybook: the memory layer for conversational AI.

Keeps conversations, builds context windows, stores facts and finds what was said. Names load when
they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from daybook._version import __version__

if TYPE_CHECKING:
    from daybook.blocking import Daybook
    from daybook.chat import AsyncChatApplication, ChatApplication, ChatReply
    from daybook.client import AsyncDaybook
    from daybook.errors import DaybookError
    from daybook.model.entry import HistoryEntry, Receipt
    from daybook.model.hit import Hit, Reason
    from daybook.model.memory_record import MemoryRecord, Provenance, RecordHit
    from daybook.model.message import ContentPart, Message, ToolCall, Usage
    from daybook.model.passage import Passage, Recollection
    from daybook.model.scope import Scope
    from daybook.model.session import Page, Session, SessionStats

__all__ = [
    "AsyncChatApplication",
    "AsyncDaybook",
    "ChatApplication",
    "ChatReply",
    "ContentPart",
    "Daybook",
    "DaybookError",
    "HistoryEntry",
    "Hit",
    "MemoryRecord",
    "Message",
    "Page",
    "Passage",
    "Provenance",
    "Reason",
    "Receipt",
    "Recollection",
    "RecordHit",
    "Scope",
    "Session",
    "SessionStats",
    "ToolCall",
    "Usage",
    "__version__",
]

_HOMES = {
    "AsyncChatApplication": "daybook.chat",
    "AsyncDaybook": "daybook.client",
    "ChatApplication": "daybook.chat",
    "ChatReply": "daybook.chat",
    "ContentPart": "daybook.model.message",
    "Daybook": "daybook.blocking",
    "DaybookError": "daybook.errors",
    "HistoryEntry": "daybook.model.entry",
    "Hit": "daybook.model.hit",
    "MemoryRecord": "daybook.model.memory_record",
    "Message": "daybook.model.message",
    "Page": "daybook.model.session",
    "Passage": "daybook.model.passage",
    "Provenance": "daybook.model.memory_record",
    "Reason": "daybook.model.hit",
    "Receipt": "daybook.model.entry",
    "Recollection": "daybook.model.passage",
    "RecordHit": "daybook.model.memory_record",
    "Scope": "daybook.model.scope",
    "Session": "daybook.model.session",
    "SessionStats": "daybook.model.session",
    "ToolCall": "daybook.model.message",
    "Usage": "daybook.model.message",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'daybook' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
