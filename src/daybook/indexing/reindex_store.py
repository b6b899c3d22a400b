"""Where a run that indexes everything anew keeps its progress: in the record store.

A run has a head, which says what stage it is in; shares, written once; and a claim for each share
that somebody began. Every change of head and claims names the version that it replaces, so of
several processes that try one succeeds. All of it ends by itself, so a run that was given up is
forgotten.

The progress is in the store and not in the index's marks because only one worker should get a
share, which needs a conditional write; every engine's records have that, few indexes would. That
the index is still the one of the run is seen by a mark in the index (`reindex_plan`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Generic, TypeVar

import msgspec

from daybook.errors import ConflictError, CorruptRecordError
from daybook.indexing.reindex_state import Claim, RunHead, Share
from daybook.model.codec import encode_json
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance
from daybook.model.scope import Scope, internal_tenant
from daybook.protocols.clock import Clock
from daybook.protocols.record_store import RecordStore

__all__ = ["ReindexStore", "Versioned"]

# Of no tenant, as other things that are about the store itself.
_SCOPE = Scope(internal_tenant(""))
_OWNER = "reindex"
_HEAD = "run"
_KEPT = timedelta(days=30)
_MOST_SHARES = 1_000_000

Value = TypeVar("Value")


class Versioned(msgspec.Struct, Generic[Value], frozen=True):
    """A value and the version it was read as."""

    value: Value
    version: int


class ReindexStore:
    """Heads, shares and claims of one kind of run."""

    def __init__(self, records: RecordStore, area: Namespace, clock: Clock) -> None:
        self._records = records
        self._area = (_OWNER, *area)
        self._clock = clock

    async def head(self) -> Versioned[RunHead | None] | None:
        """Return the run that is on its way; None if none is.

        The value is None where another version of Daybook wrote it in another way.
        """
        (found,) = await self._records.get(_SCOPE, [(self._area, _HEAD)])
        if found is None:
            return None
        try:
            return Versioned(msgspec.convert(found.value, RunHead), found.version)
        except msgspec.ValidationError:
            return Versioned(None, found.version)

    async def write_head(
        self, head: RunHead, expected: int, *, over: bool = False
    ) -> Versioned[RunHead] | None:
        """Write a head in place of a version (0: of none); None if that is not the stored one.

        Args:
            head: What to write.
            expected: The version that was read.
            over: Write it as one that has ended, which leaves nothing to read.
        """
        version = await self._put(self._area, _HEAD, head, expected, over=over)
        return None if version is None else Versioned(head, version)

    async def write_share(self, run: str, number: int, share: Share) -> None:
        """Write a share. Repeatable."""
        await self._put((*self._area, run, "shares"), _key(number), share, None)

    async def share(self, run: str, number: int) -> Share | None:
        """Return a share; None if the run is gone."""
        place = ((*self._area, run, "shares"), _key(number))
        (found,) = await self._records.get(_SCOPE, [place])
        return None if found is None else self._decoded(found, Share).value

    async def claims(self, run: str) -> dict[int, Versioned[Claim]]:
        """Return the claims of a run by their shares' numbers."""
        found = await self._records.list(_SCOPE, (*self._area, run, "claims"), limit=_MOST_SHARES)
        return {int(one.key): self._decoded(one, Claim) for one in found}

    async def write_claim(self, run: str, number: int, claim: Claim, expected: int) -> int | None:
        """Write a claim in place of a version (0: of none); return its own, None if it lost."""
        return await self._put((*self._area, run, "claims"), _key(number), claim, expected)

    async def forget(self, run: str) -> None:
        """Remove a run's shares and claims. Repeatable.

        Shares first: while there is one, its claim says that it is done.
        """
        await self._records.delete_namespace(_SCOPE, (*self._area, run, "shares"))
        await self._records.delete_namespace(_SCOPE, (*self._area, run))

    async def _put(
        self,
        namespace: Namespace,
        key: str,
        value: Any,
        expected: int | None,
        *,
        over: bool = False,
    ) -> int | None:
        now = self._clock.now()
        record = NewRecord(
            namespace=namespace,
            key=key,
            value=encode_json(msgspec.to_builtins(value)),
            expires_at=now if over else now + _KEPT,
            provenance=Provenance(source="indexing"),
            expected_version=expected,
        )
        try:
            (stored,) = await self._records.put(_SCOPE, [record])
        except ConflictError:
            return None
        return stored.version

    def _decoded(self, record: MemoryRecord, kind: type[Value]) -> Versioned[Value]:
        try:
            return Versioned(msgspec.convert(record.value, kind), record.version)
        except msgspec.ValidationError as exc:
            raise CorruptRecordError(
                f"the state of a reindex is not as this version writes it: {exc}; run "
                "`daybook reindex --fresh`",
                engine=self._records.capabilities.engine,
                operation="read",
            ) from None


def _key(number: int) -> str:
    return f"{number:06d}"
