"""Where Daybook keeps what it derives from a session, and how all of it is forgotten.

Apart from `session_notes`, which reads and writes it: deleting a session must not load that.
"""

from __future__ import annotations

from daybook.model.memory_record import Namespace
from daybook.model.scope import Scope, internal_tenant
from daybook.model.session import Session
from daybook.protocols.record_store import RecordStore

__all__ = ["JOBS", "NotesArea", "job_key", "note_place"]

_AREA = "context"
JOBS = "context jobs"
_KINDS = ("summary", "observations")


def note_place(session: Session, part: str) -> Namespace:
    """Return the namespace of one kind of a session's notes."""
    return (session.user_id, _AREA, session.id, part)


def job_key(session_id: str, kind: str) -> str:
    """Return the key of a session's open job."""
    return f"{kind} {session_id}"


class NotesArea:
    """The part of a record store that holds notes of a tenant's sessions."""

    def __init__(self, records: RecordStore, *, tenant: str) -> None:
        self.records = records
        self.scope = Scope(internal_tenant(tenant))

    async def forget(self, session: Session) -> None:
        """Remove everything kept about a session. Repeatable."""
        await self.records.delete_namespace(self.scope, (session.user_id, _AREA, session.id))
        jobs = [((session.user_id, JOBS), job_key(session.id, kind)) for kind in _KINDS]
        await self.records.delete(self.scope, jobs)
