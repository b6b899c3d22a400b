"""Parts of what a reader yielded, for assertions."""

from __future__ import annotations

from collections.abc import Iterable

from daybook.importers.source import BadRecord, ImportedMessage, LeftOut, Record
from daybook.model.message import Message

__all__ = ["bad_in", "left_out_in", "messages_in", "said_in", "sessions_in"]


def messages_in(records: Iterable[Record]) -> list[Message]:
    return [record.message for record in records if isinstance(record, ImportedMessage)]


def said_in(records: Iterable[Record]) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in messages_in(records)]


def bad_in(records: Iterable[Record]) -> list[BadRecord]:
    return [record for record in records if isinstance(record, BadRecord)]


def left_out_in(records: Iterable[Record]) -> int:
    return sum(record.count for record in records if isinstance(record, LeftOut))


def sessions_in(records: Iterable[Record]) -> list[str]:
    found = (record.session.session_id for record in records if isinstance(record, ImportedMessage))
    return list(dict.fromkeys(found))
