"""What Daybook itself keeps about a session: digests, their open jobs, receipts of contexts.

All of it is derived and stands in the internal tenant below the session's owner. It is read only
for a session that is alive and the same as when it was written, and ends soon after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from daybook.errors import ConflictError
from daybook.facets.notes_area import JOBS, NotesArea, job_key, note_place
from daybook.model.codec import encode_json
from daybook.model.context import ContextReceipt
from daybook.model.digest import Digest, DigestJob, DigestKind
from daybook.model.memory_record import MemoryRecord, NewRecord, Provenance
from daybook.model.session import Session

__all__ = ["SessionNotes", "incarnation"]

# A session may end a little later than it was to when its notes were written.
_MARGIN = timedelta(hours=1)
_RECEIPTS_LIVE = timedelta(days=30)
_DIGESTS_KEPT = 2


class SessionNotes:
    """Stores and finds digests, jobs and receipts of sessions."""

    def __init__(self, area: NotesArea) -> None:
        self._area = area
        self._records = area.records
        self._scope = area.scope

    async def digest(self, session: Session, kind: DigestKind) -> Digest | None:
        """Return the newest digest of a session, None if there is none that still holds."""
        found = await self._records.list(
            self._scope, note_place(session, kind), limit=_DIGESTS_KEPT
        )
        await self._live_on(session, found)
        held = [_digest_of(record) for record in found if _is_of(record, session)]
        valid = [one for one in held if session.first_seq <= one.first_seq]
        reached = [one for one in valid if one.last_seq <= session.last_seq]
        return max(reached, key=lambda one: (one.last_seq, one.generation), default=None)

    async def put_digest(self, session: Session, digest: Digest) -> bool:
        """Store a digest; tell whether this was the first to get so far.

        The one before it is kept, older ones are removed.
        """
        place = note_place(session, digest.kind)
        record = NewRecord(
            namespace=place,
            key=f"{digest.last_seq:012}.{digest.generation:06}",
            value=encode_json({"session": incarnation(session), **_plain(digest)}),
            expires_at=_end(session),
            provenance=Provenance(source=digest.made_by, session_id=session.id),
            expected_version=0,
        )
        try:
            await self._records.put(self._scope, [record])
        except ConflictError:
            return False
        listed = await self._records.list(self._scope, place, limit=10 * _DIGESTS_KEPT)
        keys = sorted((one.key for one in listed), reverse=True)
        if keys[_DIGESTS_KEPT:]:
            await self._records.delete(self._scope, [(place, key) for key in keys[_DIGESTS_KEPT:]])
        return True

    async def _live_on(self, session: Session, found: Sequence[MemoryRecord]) -> None:
        """Let a digest live as long as its session, which lives on with each message."""
        end = _end(session)
        old = [
            NewRecord(
                namespace=record.namespace,
                key=record.key,
                value=encode_json(dict(record.value)),
                expires_at=end,
                provenance=record.provenance,
                expected_version=record.version,
            )
            for record in found
            if end is not None and _is_of(record, session)
            if record.expires_at is not None and record.expires_at < end - _MARGIN / 2
        ]
        # Whoever else wrote it let it live on, too.
        with suppress(ConflictError):
            if old:
                await self._records.put(self._scope, old)

    async def put_job(self, session: Session, job: DigestJob) -> None:
        """Note that a part of a session waits to be digested."""
        record = NewRecord(
            namespace=(session.user_id, JOBS),
            key=job_key(session.id, job.kind),
            value=encode_json({"session": incarnation(session), **_plain(job)}),
            expires_at=_end(session),
            provenance=Provenance(source="context", session_id=session.id),
        )
        await self._records.put(self._scope, [record])

    async def end_job(self, session: Session, kind: DigestKind) -> None:
        """Forget that a part of a session waited."""
        place = ((session.user_id, JOBS), job_key(session.id, kind))
        await self._records.delete(self._scope, [place])

    async def job(self, session: Session, kind: DigestKind) -> DigestJob | None:
        """Return what waits to be digested of a session."""
        place = ((session.user_id, JOBS), job_key(session.id, kind))
        (record,) = await self._records.get(self._scope, [place])
        if record is None or not _is_of(record, session):
            return None
        return msgspec.convert(_fields(record), DigestJob)

    async def jobs(self, user_id: str, limit: int) -> list[tuple[DigestJob, str]]:
        """Return what waits to be digested of a user's sessions, last failed first.

        Beside each job stands the `incarnation` of its session: whether that is still there is not
        looked up.
        """
        found = await self._records.list(self._scope, (user_id, JOBS), limit=limit)
        return [
            (msgspec.convert(_fields(record), DigestJob), str(record.value.get("session")))
            for record in found
        ]

    async def put_receipt(self, session: Session, receipt: ContextReceipt) -> None:
        """Store the account of a context for thirty days."""
        end = _end(session)
        latest = receipt.built_at + _RECEIPTS_LIVE
        record = NewRecord(
            namespace=note_place(session, "receipts"),
            key=receipt.id,
            value=encode_json({"session": incarnation(session), **_plain(receipt)}),
            expires_at=latest if end is None else min(end, latest),
            provenance=Provenance(source="context.build", session_id=session.id),
        )
        await self._records.put(self._scope, [record])

    async def receipt(self, session: Session, receipt_id: str | None) -> ContextReceipt | None:
        """Return a stored receipt of a session; the latest if no id is given."""
        place = note_place(session, "receipts")
        found: list[MemoryRecord | None]
        if receipt_id is None:
            found = [*await self._records.list(self._scope, place, limit=1)]
        else:
            found = await self._records.get(self._scope, [(place, receipt_id)])
        record = found[0] if found else None
        if record is None or not _is_of(record, session):
            return None
        return msgspec.convert(_fields(record), ContextReceipt)

    async def forget(self, session: Session) -> None:
        """Remove everything kept about a session. Repeatable."""
        await self._area.forget(session)


def incarnation(session: Session) -> str:
    """Tell a session from another one that had, or will have, its id."""
    return session.created_at.isoformat()


def _is_of(record: MemoryRecord, session: Session) -> bool:
    return bool(record.value.get("session") == incarnation(session))


def _end(session: Session) -> datetime | None:
    return None if session.expires_at is None else session.expires_at + _MARGIN


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain


def _fields(record: MemoryRecord) -> dict[str, Any]:
    return {name: value for name, value in record.value.items() if name != "session"}


def _digest_of(record: MemoryRecord) -> Digest:
    return msgspec.convert(_fields(record), Digest)
