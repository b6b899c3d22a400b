"""Which conversations share entries: a root and its forks are a family, named in one record.

Forking and deleting both change that record from the version they read, together with what else
they write. So a fork is never made of entries that are just being removed, and a delete removes
no entry that a fork has just begun to use.
"""

from __future__ import annotations

from daybook.client import AsyncDaybook
from daybook.facets.records import RecordWrite
from daybook.model.memory_record import MemoryRecord, Namespace

__all__ = ["Families", "members_of"]


class Families:
    """The families of one owner."""

    def __init__(self, owner: str) -> None:
        self._namespace: Namespace = (owner, "families")

    async def read(self, book: AsyncDaybook, family: str) -> MemoryRecord | None:
        """Return a family's record."""
        return await book.records.get(self._namespace, family)

    def with_member(
        self, family: str, before: MemoryRecord | None, conversation_id: str
    ) -> RecordWrite:
        """Return the write that adds a conversation."""
        members = [one for one in members_of(before) if one != conversation_id]
        return self._write(family, before, [*members, conversation_id])

    def without_member(
        self, family: str, before: MemoryRecord | None, conversation_id: str
    ) -> RecordWrite:
        """Return the write that takes a conversation away."""
        members = [one for one in members_of(before) if one != conversation_id]
        return self._write(family, before, members)

    async def forget(self, book: AsyncDaybook, family: str) -> None:
        """Remove a family that has no members any more. None can join it: its entries are gone."""
        await book.records.delete(self._namespace, family)

    def _write(self, family: str, before: MemoryRecord | None, members: list[str]) -> RecordWrite:
        return RecordWrite(
            namespace=self._namespace,
            key=family,
            value={"members": members},
            searched=False,
            expected_version=0 if before is None else before.version,
        )


def members_of(family: MemoryRecord | None) -> list[str]:
    """Return the conversations of a family."""
    return [] if family is None else list(family.value["members"])
