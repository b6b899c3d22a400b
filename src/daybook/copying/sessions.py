"""One session from log to log: what is missing there, then its facts, then the proof."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from daybook.copying.checksums import of_entries, of_session
from daybook.errors import ConflictError, NotFoundError
from daybook.facets.session_forks import to_new_entry
from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Grant, Session, SessionChanges
from daybook.protocols.message_log import MessageLog

__all__ = ["CopiedSession", "SessionCopier"]

_PAGE = 500
_PAGE_BYTES = 4_000_000


class CopiedSession(Struct, frozen=True):
    """What was done for one session.

    Attributes:
        written: Messages written.
        shared: Messages that it shares with its parent at the destination.
    """

    written: int
    shared: int


class SessionCopier:
    """Copies the sessions of one tenant from one log to another."""

    def __init__(self, source: MessageLog, target: MessageLog, tenant: str) -> None:
        self._source = source
        self._target = target
        self._scope = Scope(tenant)

    async def check_origin(self, session: Session) -> None:
        """Refuse to touch a session of the destination's own.

        Raises:
            ConflictError: Another session has the id there.
        """
        there = await self._target.get_session(self._scope, session.id)
        if there is not None and not _same_origin(there, session):
            raise ConflictError(
                f"another session has the id {session.id} at the destination; it was left alone"
            )

    async def copy(self, session: Session) -> CopiedSession:
        """Bring the destination's session, which is this one's copy, up to the source's.

        Raises:
            ConflictError: A message has another body there.
            NotFoundError: The session ended meanwhile.
            msgspec.MsgspecError: A stored message does not decode.
        """
        scope = Scope(self._scope.tenant, session.user_id)
        there = await self._target.get_session(self._scope, session.id)
        if there is not None and not _is_beginning_of(there, session):
            # The source was cleared, or this session's past is another one now: begin anew.
            await self._target.delete_session(self._scope, session.id)
            there = None
        shared = 0
        if there is None:
            there, shared = await self._begin(scope, session)
        written = await self._append(scope, session, there.last_seq)
        await self._set_facts(scope, session)
        return CopiedSession(written, shared)

    async def _begin(self, scope: Scope, session: Session) -> tuple[Session, int]:
        """Create the session there: as a fork if its parent is there too, else with its numbers."""
        endless = replace(session, expires_at=None)  # it must not end while it is being filled
        if session.ancestors:
            parent, at = session.ancestors[-1].session_id, session.ancestors[-1].seq
            if await self._shares(parent, session, at):
                made = await self._target.fork_session(scope, parent, endless, at=at)
                if made is not None:
                    return made, made.message_count
        return await self._target.create_session(scope, endless), 0

    async def _shares(self, parent: str, session: Session, at: int) -> bool:
        """Tell whether the parent there holds what this session shares with it here."""
        there = await self._target.get_session(self._scope, parent)
        if there is None or there.user_id != session.user_id:
            return False
        if there.first_seq != session.first_seq or there.last_seq < at:
            return False
        return await self._checksum(self._target, parent, at) == await self._checksum(
            self._source, session.id, at
        )

    async def _append(self, scope: Scope, session: Session, after: int) -> int:
        written = 0
        while after < session.last_seq:
            page = await self._source.read(
                scope, session.id, after=after, before=session.last_seq + 1, limit=_PAGE
            )
            if not page or page[0].seq != after + 1:
                raise NotFoundError(
                    f"session {session.id} was cleared or ended while it was copied"
                )
            for batch in _batches(page):
                entries = [to_new_entry(stored) for stored in batch]
                result = await self._target.append(scope, session.id, entries)
                if result is None or (result.first_seq, result.last_seq) != (
                    batch[0].seq,
                    batch[-1].seq,
                ):
                    raise ConflictError(
                        f"session {session.id} changed at the destination while it was copied"
                    )
                written += len(batch) - result.duplicates
            after = page[-1].seq
        return written

    async def _set_facts(self, scope: Scope, session: Session) -> None:
        there = await self._target.get_session(scope, session.id)
        if there is None:
            raise NotFoundError(f"session {session.id} ended at the destination")
        grants: dict[str, Grant | None] = {grant.user_id: None for grant in there.grants}
        grants.update({grant.user_id: grant for grant in session.grants})
        pins = {**dict.fromkeys(there.pins, False), **dict.fromkeys(session.pins, True)}
        changes = SessionChanges(
            title=session.title,
            metadata=session.metadata,
            ttl=session.ttl,
            max_messages=session.max_messages,
            grants=grants,
            pins=pins,
            last_active_at=session.last_active_at,
            expires_at=session.expires_at,
        )
        await self._target.update_session(scope, session.id, changes)

    async def proofs(self, session: Session) -> tuple[bytes, bytes]:
        """Return the checksums of a session at the source, as it was listed, and there."""
        there = await self._target.get_session(self._scope, session.id)
        ours = await self._checksum(self._source, session.id, session.last_seq)
        theirs = await self._checksum(self._target, session.id, session.last_seq)
        facts = b"" if there is None else of_session(there)
        return of_session(session) + ours, facts + theirs

    async def _checksum(self, log: MessageLog, session_id: str, up_to: int) -> bytes:
        checksum, after = b"", 0
        while True:
            page = await log.read(
                self._scope, session_id, after=after, before=up_to + 1, limit=_PAGE
            )
            if not page:
                return checksum
            checksum = of_entries(checksum, page)
            after = page[-1].seq


def _same_origin(there: Session, session: Session) -> bool:
    return (there.user_id, there.created_at) == (session.user_id, session.created_at)


def _is_beginning_of(there: Session, session: Session) -> bool:
    return (
        there.first_seq == session.first_seq
        and there.last_seq <= session.last_seq
        and there.ancestors == session.ancestors
    )


def _batches(page: list[StoredEntry]) -> list[list[StoredEntry]]:
    """Part a page so that a batch is not much larger than a few megabytes."""
    batches: list[list[StoredEntry]] = [[]]
    size = 0
    for entry in page:
        if batches[-1] and size + len(entry.body) > _PAGE_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += len(entry.body)
    return batches
