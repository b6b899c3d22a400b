"""`book.turn_leases`: whose turn it is in a session, across processes.

A lease is one record that ends by itself. Taking it is a write that expects none to be there, so of
many that try one succeeds; giving it back is a write that has ended already, which leaves the key
free at once and without old versions. No deletion is needed, so none can hit somebody else's lease.
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
        return await self._write(self._clock.now() + self._life)

    async def renew(self) -> bool:
        """Begin its life anew; tell whether it is still ours.

        Once it was not, somebody else may have had a turn meanwhile, and it stays lost.

        Raises:
            StoreError: The store failed; it may be ours or not.
        """
        if self._version == 0:
            return False
        return await self._write(self._clock.now() + self._life)

    async def release(self) -> None:
        """Let the next one have it; nothing happens if it is not ours. Repeatable.

        Raises:
            StoreError: The store failed; it ends by itself.
        """
        if self._version:
            await self._write(self._clock.now())
        self._lose()

    async def _write(self, ends_at: datetime) -> bool:
        namespace, key = self._place
        record = NewRecord(
            namespace=namespace,
            key=key,
            value=encode_json({"holder": self._holder}),
            expires_at=ends_at,
            provenance=Provenance(source=_AREA, session_id=key),
            expected_version=self._version,
        )
        stored: MemoryRecord | None
        try:
            (stored,) = await self._records.put(self._scope, [record])
        except ConflictError:
            # A write that seemed to fail may have been stored: then what is there is our own.
            (stored,) = await self._records.get(self._scope, [self._place])
            if stored is None or stored.value.get("holder") != self._holder:
                self._lose()
                return False
        self._version, self._ends_at = stored.version, stored.expires_at
        return True

    def _lose(self) -> None:
        self._version, self._ends_at = 0, None
