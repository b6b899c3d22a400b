"""`DaybookMemoryService`: what ADK's agents are to remember beyond a session, found by meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.adk.events.event import Event
from google.adk.memory.base_memory_service import BaseMemoryService, SearchMemoryResponse
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions.session import Session

from daybook.adapters.google_adk.events import event_text
from daybook.adapters.opened import BookOrUrl, Place
from daybook.adapters.raw_items import packed, unpacked
from daybook.client import AsyncDaybook
from daybook.errors import ConflictError
from daybook.facets.records import RecordWrite
from daybook.model.identifiers import new_id
from daybook.model.memory_record import Namespace

__all__ = ["DaybookMemoryService"]

_DELETED = "deleted"
_BATCH = 50


class DaybookMemoryService(BaseMemoryService):  # type: ignore[misc] # untyped where it is checked
    """Memories of each user of an app, one record each, found by words and meaning.

    An event is one memory however often its session is added; one that was deleted stays deleted.
    """

    def __init__(self, book: BookOrUrl, *, limit: int = 10, **options: Any) -> None:
        """Name the place; no I/O.

        Args:
            book: A URL as for `Daybook.open`, or an opened book. A URL is opened once per process.
            limit: Most memories that a search returns.
            options: Options of `Daybook.open`, with a URL only.
        """
        self._place = Place(book, options)
        self._limit = limit

    async def add_session_to_memory(self, session: Session) -> None:
        """Remember every event of a session that says something. Repeatable."""
        await self.add_events_to_memory(
            app_name=session.app_name,
            user_id=session.user_id,
            events=session.events,
            session_id=session.id,
        )

    async def add_events_to_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        events: Sequence[Event],
        session_id: str | None = None,
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Remember events that say something. Repeatable."""
        entries = [
            MemoryEntry(
                id=event.id,
                content=event.content,
                author=event.author,
                timestamp=datetime.fromtimestamp(event.timestamp, UTC).isoformat(),
                custom_metadata=dict(custom_metadata or {}),
            )
            for event in events
            if event.content and event.content.parts
        ]
        await self._add(app_name, user_id, entries, session_id)

    async def add_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        memories: Sequence[MemoryEntry],
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Remember what the caller wrote; a memory without an id gets one."""
        entries = [
            one.model_copy(
                update={"custom_metadata": {**(custom_metadata or {}), **one.custom_metadata}}
            )
            for one in memories
        ]
        await self._add(app_name, user_id, entries, None)

    async def search_memory(
        self, *, app_name: str, user_id: str, query: str
    ) -> SearchMemoryResponse:
        """Return the memories that best answer a query, best first.

        Raises:
            UnsupportedError: The book was opened without a search index.
        """
        book = await self._book()
        if not query.strip():
            return SearchMemoryResponse()
        hits = await book.records.search(
            _namespace(app_name, user_id), query=query, limit=self._limit
        )
        memories = [MemoryEntry.model_validate(unpacked(hit.record.value["entry"])) for hit in hits]
        return SearchMemoryResponse(memories=memories)

    async def delete_memory(
        self, *, app_name: str, user_id: str, memory_id: str | None = None
    ) -> None:
        """Forget a memory: its text and its versions go, a mark keeps it from being added again."""
        if not memory_id:
            return
        book = await self._book()
        place = (_namespace(app_name, user_id), memory_id)
        if await book.records.delete(*place):
            await book.records.put(*place, {_DELETED: True}, searched=False)

    def close(self) -> None:
        """Release the book that was opened for a URL. Repeatable; the next use opens it again."""
        self._place.close()

    async def _book(self) -> AsyncDaybook:
        return (await self._place.aopen()).awaited

    async def _add(
        self, app_name: str, user_id: str, entries: Sequence[MemoryEntry], session_id: str | None
    ) -> None:
        namespace = _namespace(app_name, user_id)
        named = {entry.id or new_id(): entry for entry in entries}
        writes = [_write(namespace, key, entry, session_id) for key, entry in named.items()]
        for at in range(0, len(writes), _BATCH):
            await self._add_absent(writes[at : at + _BATCH])

    async def _add_absent(self, writes: list[RecordWrite]) -> None:
        """Store those that are not there, as a memory or as the mark of a deleted one."""
        book = await self._book()
        while writes:
            there = await book.records.get_many([(one.namespace, one.key) for one in writes])
            writes = [one for one, found in zip(writes, there, strict=True) if found is None]
            try:
                await book.records.put_many(writes)
            except ConflictError:
                continue  # another added one of them
            return


def _namespace(app_name: str, user_id: str) -> Namespace:
    return (user_id, "google_adk", app_name, "memories")


def _write(
    namespace: Namespace, key: str, entry: MemoryEntry, session_id: str | None
) -> RecordWrite:
    raw = entry.model_copy(update={"id": key}).model_dump(mode="json", exclude_none=True)
    return RecordWrite(
        namespace=namespace,
        key=key,
        value={
            "entry": packed(raw),
            "text": event_text(entry.content),
            "session_id": session_id,
        },
        searched=("text",),
        expected_version=0,
    )
