"""`DaybookConversationStore`: the five primitives of Pydantic AI's `ConversationStore`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
)

from daybook.adapters.opened import BookOrUrl, Place
from daybook.adapters.pydantic_ai.families import Families, members_of
from daybook.adapters.pydantic_ai.values import (
    TRAIL,
    entry_of,
    entry_value,
    record_of,
    record_value,
)
from daybook.client import AsyncDaybook
from daybook.errors import ConflictError
from daybook.facets.records import RecordWrite
from daybook.model.identifiers import check_id, new_id
from daybook.model.memory_record import MemoryRecord, Namespace

__all__ = ["DaybookConversationStore"]

_PAGE = 500
_DELETED = "deleted"
_MARK_LIFE = timedelta(hours=1)
_Values = dict[str, dict[str, Any]]


class DaybookConversationStore(ConversationStore):  # type: ignore[misc] # untyped where it is checked
    """Conversations as a log of messages, each stored once, with branches and forks.

    A save is one transaction: its entries and its record, or neither, as far as the engine's
    `capabilities` go. Revisions are compared by the store in the same step that writes. `delete`
    removes the messages that no other conversation's history or branch reaches.
    """

    def __init__(self, book: BookOrUrl, *, owner: str = "pydantic-ai", **options: Any) -> None:
        """Name the store; no I/O.

        Args:
            book: A URL as for `Daybook.open`, or an opened book. A URL is opened once per process.
            owner: The first label of the records; stores of different owners share nothing.
            options: Options of `Daybook.open`, with a URL only.
        """
        self._place = Place(book, options)
        check_id(owner, "owner")
        self._conversations: Namespace = (owner, "conversations")
        self._entries: Namespace = (owner, "entries")
        self._families = Families(owner)

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        """Return the record of a conversation; None if there is none."""
        stored = _live(await self._stored(conversation_id))
        return None if stored is None else record_of(stored.value)

    async def read_records(
        self, *, scope: str | None = None, limit: int | None = None
    ) -> Sequence[ConversationRecord]:
        """Return the records, of one scope if named, last saved first.

        Cost: reads every record of the scope.
        """
        book = await self._book()
        found: dict[str, ConversationRecord] = {}
        offset = 0
        while True:
            page = await book.records.list(
                self._conversations,
                filter=None if scope is None else {"scope": scope},
                limit=_PAGE,
                offset=offset,
            )
            found.update((one.key, record_of(one.value)) for one in page if _live(one))
            if len(page) < _PAGE:
                break
            offset += _PAGE
        records = sorted(found.values(), key=lambda record: record.updated_at, reverse=True)
        return records[:limit]

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        """Store a record and its new entries in place of the record with `expected_revision`.

        Raises:
            ConversationConflict: The stored record has another revision, or the history that the
                new one continues is not stored.
            StoreError: The engine failed.
        """
        book = await self._book()
        written = False
        while not written:  # again where only its family has changed meanwhile
            stored = await self._stored(record.conversation_id)
            if _revision(stored) != expected_revision:
                raise ConversationConflict(record.conversation_id)
            older = await self._older(record, new_entries)
            writes: list[RecordWrite] = []
            if stored is not None and _live(stored):
                family = str(stored.value["family"])
            else:
                family = next((str(one["family"]) for one in older.values()), new_id())
                writes.append(await self._joining(book, record, family, shares=bool(older)))
            writes.append(self._record_write(record, family, stored))
            written = await _written(book, self._entry_writes(new_entries, family, older), writes)

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        """Delete a conversation, and the entries that no remaining one of its family reaches.

        Raises:
            ConversationConflict: Its revision is another one, or it is gone.
        """
        book = await self._book()
        while True:
            stored = await self._stored(conversation_id)
            if _revision(stored) != expected_revision or stored is None:
                raise ConversationConflict(conversation_id)
            family = str(stored.value["family"])
            kin = await self._families.read(book, family)
            others = [one for one in members_of(kin) if one != conversation_id]
            reached = await self._reached([record_of(stored.value)])
            kept = await self._reached(await self._records_of(book, others))
            mark = RecordWrite(
                namespace=self._conversations,
                key=conversation_id,
                value={_DELETED: True},
                ttl=_MARK_LIFE,
                searched=False,
                expected_version=stored.version,
            )
            leaving = self._families.without_member(family, kin, conversation_id)
            try:
                await book.records.put_many([mark, leaving])
            except ConflictError:
                continue  # saved, or its family changed: look again
            gone = [(self._entries, one) for one in reached - kept]
            await book.records.delete_many(gone)
            if not others:
                await self._families.forget(book, family)
            return

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        """Return an entry.

        Raises:
            LookupError: There is none of this id.
        """
        value = (await self._values([entry_id])).get(entry_id)
        if value is None:
            raise LookupError(f"no entry {entry_id}")
        return entry_of(value)

    async def read_history(
        self, head_id: str | None, *, limit: int | None = None
    ) -> list[ConversationEntry]:
        """Return the entries up to `head_id`, oldest first; the last `limit` of them.

        Raises:
            LookupError: One of them is gone.

        Cost: one read for each 16 entries.
        """
        history: list[ConversationEntry] = []
        values: _Values = {}
        entry_id = head_id
        while entry_id is not None and (limit is None or len(history) < limit):
            if entry_id not in values:
                trail = values[history[-1].id]["trail"] if history else []
                values.update(
                    await self._values([entry_id, *(one for one in trail if one != entry_id)])
                )
            if entry_id not in values:
                raise LookupError(f"no entry {entry_id}")
            entry = entry_of(values[entry_id])
            history.append(entry)
            entry_id = entry.parent_id
        history.reverse()
        return history

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable; the next use opens it again."""
        self._place.close()

    async def _book(self) -> AsyncDaybook:
        return (await self._place.aopen()).awaited

    async def _stored(self, conversation_id: str) -> MemoryRecord | None:
        book = await self._book()
        return await book.records.get(self._conversations, conversation_id)

    async def _values(self, entry_ids: Sequence[str]) -> _Values:
        book = await self._book()
        found = await book.records.get_many([(self._entries, one) for one in entry_ids])
        return {one.key: one.value for one in found if one is not None}

    async def _older(
        self, record: ConversationRecord, new_entries: Sequence[ConversationEntry]
    ) -> _Values:
        """Return the stored entries that a save rests on: the head, or what the new ones follow.

        Raises:
            ConversationConflict: One of them is not stored.
        """
        fresh = {entry.id for entry in new_entries}
        named = {record.head_id, *(entry.parent_id for entry in new_entries)}
        needed = [one for one in named if one is not None and one not in fresh]
        found = await self._values(needed) if needed else {}
        if len(found) < len(needed):
            raise ConversationConflict(record.conversation_id)
        return found

    async def _joining(
        self, book: AsyncDaybook, record: ConversationRecord, family: str, *, shares: bool
    ) -> RecordWrite:
        """Return the write that makes a new conversation one of its family.

        Raises:
            ConversationConflict: What it was forked from has been deleted.
        """
        kin = await self._families.read(book, family)
        members = members_of(kin)
        if shares and record.forked_from not in members:
            raise ConversationConflict(record.conversation_id)
        return self._families.with_member(family, kin, record.conversation_id)

    def _entry_writes(
        self, entries: Sequence[ConversationEntry], family: str, older: _Values
    ) -> list[RecordWrite]:
        trails = {one: [*value["trail"], one][-TRAIL:] for one, value in older.items()}
        writes: list[RecordWrite] = []
        for entry in entries:
            trail = trails.get(entry.parent_id or "", [])
            trails[entry.id] = [*trail, entry.id][-TRAIL:]
            writes.append(
                RecordWrite(
                    namespace=self._entries,
                    key=entry.id,
                    value=entry_value(entry, family, trail),
                    searched=("text",),
                )
            )
        return writes

    def _record_write(
        self, record: ConversationRecord, family: str, stored: MemoryRecord | None
    ) -> RecordWrite:
        return RecordWrite(
            namespace=self._conversations,
            key=record.conversation_id,
            value=record_value(record, family),
            searched=False,
            expected_version=0 if stored is None else stored.version,
        )

    async def _records_of(
        self, book: AsyncDaybook, conversation_ids: Sequence[str]
    ) -> list[ConversationRecord]:
        places = [(self._conversations, one) for one in conversation_ids]
        found = await book.records.get_many(places) if places else []
        return [record_of(one.value) for one in found if one is not None and _live(one)]

    async def _reached(self, records: Sequence[ConversationRecord]) -> set[str]:
        """Return the ids of every entry that histories and branches of records reach."""
        reached: set[str] = set()
        tips = [tip for record in records for tip in (record.head_id, *record.branches)]
        for tip in tips:
            at = tip
            while at is not None:
                value = (await self._values([at])).get(at, {"trail": []})
                trail = value["trail"]
                # What is reached already, is so with all that stands before it.
                oldest = trail[0] if trail and trail[0] not in reached else None
                reached.update([at, *trail])
                at = oldest
        return reached


async def _written(
    book: AsyncDaybook, entries: list[RecordWrite], records: list[RecordWrite]
) -> bool:
    """Write all at once; False if a record has another version than expected.

    Where the engine takes less at once, the first entries go before: none sees them yet.
    """
    most = book.capabilities.max_atomic_records
    room = len(entries) if most is None else max(0, most - len(records))
    first = max(0, len(entries) - room)
    for at in range(0, first, most or 1):
        await book.records.put_many(entries[at : min(at + (most or 1), first)])
    try:
        await book.records.put_many([*entries[first:], *records])
    except ConflictError:
        await book.records.delete_many([(one.namespace, one.key) for one in entries[:first]])
        return False
    return True


def _live(stored: MemoryRecord | None) -> MemoryRecord | None:
    """Return a record that is not the mark of a deleted one."""
    return None if stored is None or _DELETED in stored.value else stored


def _revision(stored: MemoryRecord | None) -> str | None:
    live = _live(stored)
    return None if live is None else str(live.value["revision"])
