"""A session as versioned JSON that loses nothing, and back. Pure.

One message stands on each line, so two exports can be compared with `diff`. What is exported is
what is stored: an import writes the session as it was, and its export is the same, byte for byte.
Tokens are not exported: they are counted when messages are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from daybook.errors import InvalidInputError
from daybook.model.codec import decode_message, encode_message
from daybook.model.entry import HistoryEntry
from daybook.model.message import Message
from daybook.model.session import Session

__all__ = [
    "EXPORT_FORMAT",
    "EXPORT_VERSION",
    "export_json",
    "read_export",
    "session_of",
]

EXPORT_FORMAT = "daybook-export"
EXPORT_VERSION = 1

# What the log counts by itself.
_COUNTED = ("message_count", "token_count")


class _Export(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    session: dict[str, Any]
    messages: list[msgspec.Raw]


def export_json(session: Session, entries: Iterable[HistoryEntry]) -> Iterator[str]:
    """Yield the export piece by piece; joined, the pieces are one JSON document.

    Args:
        session: The session.
        entries: Its messages in order. One whose stored bytes did not decode is left out.

    Example:
        >>> from datetime import UTC, datetime
        >>> from daybook.model.session import Session
        >>> when = datetime(2024, 5, 1, tzinfo=UTC)
        >>> empty = Session(id="s", user_id="alice", created_at=when, last_active_at=when)
        >>> print(next(export_json(empty, [])).splitlines()[0])
        {"format":"daybook-export","version":1,
    """
    yield f'{{"format":"{EXPORT_FORMAT}","version":{EXPORT_VERSION},\n"session":'
    yield msgspec.json.encode(_session_facts(session)).decode()
    yield ',\n"messages":['
    mark = "\n"
    for entry in entries:
        if not entry.corrupt:
            yield mark + encode_message(entry.message).decode()
            mark = ",\n"
    yield "\n]}\n"


def _session_facts(session: Session) -> dict[str, Any]:
    facts = msgspec.structs.asdict(session)
    return {name: value for name, value in facts.items() if name not in _COUNTED}


def session_of(facts: dict[str, Any]) -> Session:
    """Return the session of an export's facts.

    Raises:
        InvalidInputError: They do not describe one.
    """
    try:
        return msgspec.convert(facts, Session, strict=True)
    except msgspec.ValidationError as exc:
        raise InvalidInputError(f"the export's session is not valid: {exc}") from None


def read_export(exported: str | bytes) -> tuple[Session, list[Message]]:
    """Return what `export_json` wrote.

    Raises:
        InvalidInputError: Not an export, or one of another version.
    """
    try:
        document = msgspec.json.decode(exported, type=_Export)
        if document.format != EXPORT_FORMAT:
            raise InvalidInputError("not a Daybook export")
        if document.version != EXPORT_VERSION:
            raise InvalidInputError(
                f"the export has version {document.version} and this Daybook reads "
                f"{EXPORT_VERSION}: upgrade daybook"
            )
        return session_of(document.session), [
            decode_message(bytes(raw)) for raw in document.messages
        ]
    except (msgspec.MsgspecError, UnicodeError) as exc:
        raise InvalidInputError(f"not a Daybook export: {type(exc).__name__}") from None
