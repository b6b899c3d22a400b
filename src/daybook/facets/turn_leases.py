"""`book.turn_leases`: whose turn it is in a session, across processes.

A lease is one record that says until when it holds. Taking it is a write that expects none to be
there, or the very version that has ended, so of many that try one succeeds. Giving it back is a
write that has expired already, which leaves the key free at once and without old versions: no
deletion is needed, so none can hit somebody else's lease. The record outlives the lease, or whoever
takes it over would begin at version 1 again, which its last holder may be about to replace.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from daybook.errors import ConflictError, InvalidInputError
from daybook.model.codec import encode_json
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance
from daybook.model.scope import Scope, internal_tenant
from daybook.model.session import Session
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.record_store import RecordStore

__all__ = ["TurnLease", "TurnLeases"]

_AREA = "turns"


class TurnLeases:
    """Gives out leases on sessions."""

    def __init__(
        self, records: RecordStore, *, tenant: str, clock: Clock, id_factory: IdFactory
    ) -> None:
        self._records = records
        self._scope = Scope(internal_tenant(tenant))
        self._clock = clock
        self._id_factory = id_factory

    def of(self, session: Session, life: timedelta) -> TurnLease:
        """Return a lease on a session that nobody holds yet.

        Args:
            session: The session.
            life: So long after it was taken or renewed it ends by itself: the longest that others
                wait for a process that died. Clocks of hosts must agree better than that.

        Raises:
            InvalidInputError: `life` is not positive.
        """
        if life <= timedelta(0):
            raise InvalidInputError("a lease's life must be a positive timedelta")
        place = ((session.user_id, _AREA), session.id)
        return TurnLease(self._records, self._scope, self._clock, place, self._id_factory(), life)


class TurnLease:
    """One holder's claim to the next turn of a session."""

    def __init__(
        self,
        records: RecordStore,
        scope: Scope,
        clock: Clock,
        place: tuple[Namespace, str],
        holder: str,
        life: timedelta,
    ) -> None:
        """Describe a lease; callers use `TurnLeases.of`."""
        self._records = records
        self._scope = scope
        self._clock = clock
        self._place = place
        self._holder = holder
        self._life = life
        self._version = 0
        self._ends_at: datetime | None = None

    @property
    def remaining(self) -> timedelta:
        """How long it is still ours for certain, by our clock; nothing if it is not held."""
        if self._ends_at is None:
            return timedelta(0)
        return max(timedelta(0), self._ends_at - self._clock.now())

    async def take(self) -> bool:
        """Take it if nobody holds it; tell whether it is ours. Repeatable.

        Raises:
            StoreError: The store failed; take it again, or release it.
        """
        if self._version:
            return await self.renew()
        if await self._write(0):
            return True
        found = await self._found()
        if found is None:
            return False
        if found.value.get("holder") == self._holder:  # a write that seemed to fail was stored
            return self._won(found)
        over = datetime.fromisoformat(found.value["until"]) <= self._clock.now()
        return over and await self._write(found.version)

    async def renew(self) -> bool:
        """Begin its life anew; tell whether it is still ours.

        Once it was not, somebody else may have had a turn meanwhile, and it stays lost.

        Raises:
            StoreError: The store failed; it may be ours or not.
        """
        return await self._is_ours() and await self._write(self._version)

    async def release(self) -> None:
        """Let the next one have it; nothing happens if it is not ours. Repeatable.

        Raises:
            StoreError: The store failed; it ends by itself.
        """
        if await self._is_ours():
            await self._write(self._version, free=True)
        self._lose()

    async def _is_ours(self) -> bool:
        """Tell whether we hold it; the store is asked where somebody may have taken it over."""
        if self._version and self.remaining <= self._life / 2:
            found = await self._found()
            if found is None or found.value.get("holder") != self._holder:
                self._lose()
            else:
                self._won(found)
        return self._version > 0

    async def _found(self) -> MemoryRecord | None:
        (found,) = await self._records.get(self._scope, [self._place])
        return found

    async def _write(self, expected: int, *, free: bool = False) -> bool:
        """Write it in place of a version; tell whether that was the stored one."""
        namespace, key = self._place
        now = self._clock.now()
        until = now + self._life
        record = NewRecord(
            namespace=namespace,
            key=key,
            value=encode_json({"holder": self._holder, "until": until.isoformat()}),
            expires_at=now if free else until + self._life,
            provenance=Provenance(source=_AREA, session_id=key),
            expected_version=expected,
        )
        try:
            (stored,) = await self._records.put(self._scope, [record])
        except ConflictError:
            if expected == 0:
                return False
            found = await self._found()
            if found is not None and found.value.get("holder") == self._holder:
                return self._won(found)
            self._lose()
            return False
        return self._won(stored)

    def _won(self, stored: MemoryRecord) -> bool:
        self._version = stored.version
        self._ends_at = datetime.fromisoformat(stored.value["until"])
        return True

    def _lose(self) -> None:
        self._version, self._ends_at = 0, None
