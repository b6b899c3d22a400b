"""Pydantic AI's conversation records and entries as JSON values, and back. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic_ai.conversation_store import ConversationEntry, ConversationRecord

from daybook.adapters.raw_items import packed, readable, unpacked

__all__ = ["TRAIL", "entry_of", "entry_value", "record_of", "record_value"]

TRAIL = 16  # ancestors that an entry names, so that a history is read in so many at a time

_records = TypeAdapter(ConversationRecord)
_entries = TypeAdapter(ConversationEntry)


def record_value(record: ConversationRecord, family: str) -> dict[str, Any]:
    """Return what is stored for a conversation; its scope and revision stand open."""
    return {
        "record": packed(_records.dump_python(record, mode="json")),
        "revision": record.revision,
        "scope": record.scope,
        "family": family,
    }


def record_of(value: dict[str, Any]) -> ConversationRecord:
    """Return the record that `record_value` was given."""
    found: ConversationRecord = _records.validate_python(unpacked(value["record"]))
    return found


def entry_value(entry: ConversationEntry, family: str, trail: list[str]) -> dict[str, Any]:
    """Return what is stored for an entry: whole, its ancestors' ids, and its text for search."""
    return {
        "entry": packed(_entries.dump_python(entry, mode="json")),
        "family": family,
        "trail": trail,
        "text": _text(entry.message),
    }


def entry_of(value: dict[str, Any]) -> ConversationEntry:
    """Return the entry that `entry_value` was given."""
    found: ConversationEntry = _entries.validate_python(unpacked(value["entry"]))
    return found


def _text(message: Any) -> str:
    texts: list[str] = []
    for part in message.parts:
        content = getattr(part, "content", None)
        pieces = content if isinstance(content, list | tuple) else [content]
        texts += [piece for piece in pieces if isinstance(piece, str) and piece]
    return readable("\n".join(texts))
