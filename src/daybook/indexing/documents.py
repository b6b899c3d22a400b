"""Index documents from messages and records. Pure, given the analysed texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from daybook.indexing.models import AnalysedText
from daybook.indexing.value_paths import texts_at, words_of
from daybook.model.entry import HistoryEntry
from daybook.model.index_document import IndexDocument
from daybook.model.memory_record import MemoryRecord
from daybook.model.message import ROLES, Message
from daybook.model.namespace import encode_namespace

__all__ = [
    "record_document",
    "record_text",
    "searchable_text",
    "to_micros",
    "turn_document",
    "vector_fields",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ROLE_NUMBER = {role: number for number, role in enumerate(ROLES)}
_USER = _ROLE_NUMBER["user"]


def to_micros(when: datetime) -> int:
    """Return an aware time as microseconds since 1970, exactly."""
    return (when - _EPOCH) // _MICROSECOND


def searchable_text(message: Message) -> str:
    """Return what can be found of a message: its text, and the words of its tool calls.

    System messages are instructions, not something that was said: they are not searched.
    """
    if message.role == "system":
        return ""
    if not message.tool_calls:
        return message.text
    calls = [f"{call.name} {words_of(call.arguments)}" for call in message.tool_calls]
    return "\n".join([message.text, *calls]).strip()


def turn_document(
    session_id: str, entry: HistoryEntry, analysed: AnalysedText, embedder: str
) -> IndexDocument:
    """Return the document of one message."""
    message = entry.message
    said_at = message.created_at or _EPOCH
    return IndexDocument(
        key=message.id,
        group=session_id,
        position=entry.seq,
        created_at=to_micros(said_at),
        role=_ROLE_NUMBER[message.role],
        speaker=message.name or "",
        **vector_fields(analysed, embedder),
    )


def record_text(record: MemoryRecord) -> str:
    """Return what can be found of a record: its key and every text in its value.

    A record that says which parts of its value are searched is found by those alone.
    """
    paths = record.provenance.indexed
    if paths is None:
        return f"{record.key} {words_of(record.value)}"
    return "\n".join(text for path in paths for text in texts_at(record.value, path))


def record_document(record: MemoryRecord, analysed: AnalysedText, embedder: str) -> IndexDocument:
    """Return the document of one record."""
    return IndexDocument(
        key=record.key,
        group=encode_namespace(record.namespace),
        position=0,
        created_at=to_micros(record.updated_at),
        role=_USER,
        speaker="",
        **vector_fields(analysed, embedder),
    )


def vector_fields(analysed: AnalysedText, embedder: str) -> dict[str, Any]:
    """Return the fields of a document that come from its text."""
    return {
        "traits": analysed.analysis.traits,
        "length": analysed.analysis.length,
        "terms": analysed.analysis.terms,
        "tokens": analysed.tokens,
        "vector": analysed.vector,
        "token_vectors": analysed.token_vectors,
        "embedder": embedder,
    }
