"""A session as versioned JSON that loses nothing: importing it gives the same messages. Pure.

One message stands on each line, so two exports can be compared with `diff`. What is exported is
what is stored: when the session was created and used is told, but an import sets its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from daybook.model.codec import encode_json, encode_message
from daybook.model.entry import HistoryEntry
from daybook.model.session import Session

__all__ = ["EXPORT_FORMAT", "EXPORT_VERSION", "export_json"]

EXPORT_FORMAT = "daybook-export"
EXPORT_VERSION = 1


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
    yield encode_json(_session_facts(session)).decode()
    yield ',\n"messages":['
    mark = "\n"
    for entry in entries:
        if not entry.corrupt:
            yield mark + encode_message(entry.message).decode()
            mark = ",\n"
    yield "\n]}\n"


def _session_facts(session: Session) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": session.id,
        "user_id": session.user_id,
        "title": session.title,
        "metadata": session.metadata,
        "created_at": session.created_at.isoformat(),
        "last_active_at": session.last_active_at.isoformat(),
    }
    if session.ttl is not None:
        facts["ttl_s"] = session.ttl.total_seconds()
    return facts
