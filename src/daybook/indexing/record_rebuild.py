"""Records indexed anew, in place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from daybook.indexing.record_indexer import RecordIndexer
from daybook.indexing.reindex_state import Item, Reached
from daybook.model.memory_record import MemoryRecord, Namespace
from daybook.model.namespace import decode_namespace
from daybook.model.scope import Scope
from daybook.protocols.record_store import RecordStore
from daybook.protocols.search_index import SearchIndex

__all__ = ["RecordRebuild"]

_PAGE = 512
_OVERLAP = 64
_GROUPS = 5_000

OnChunk = Callable[[Reached, int], Awaitable[None]]
Place = tuple[Namespace, str]


class RecordRebuild:
    """What there is to do for the records of a tenant."""

    batch = 256

    def __init__(
        self, store: RecordStore, index: SearchIndex, indexer: RecordIndexer, tenant: str
    ) -> None:
        self.scope = Scope(tenant)
        self._store = store
        self._index = index
        self._indexer = indexer

    async def items(self) -> list[tuple[Item, int]]:
        """Return all records, an owner's ones side by side.

        Pages overlap: records that are removed meanwhile move the others forward, and a page that
        begins with one not seen yet may have passed over some, so it is read again from further
        back. Records that are written meanwhile are indexed by whoever writes them.
        """
        found: set[Place] = set()
        offset = 0
        while page := await self._store.list(self.scope, (), limit=_PAGE, offset=offset):
            places = [(one.namespace, one.key) for one in page]
            if offset and places[0] not in found:
                offset = max(0, offset - _PAGE)
                continue
            found.update(places)
            if len(page) < _PAGE:
                break
            offset += _PAGE - _OVERLAP
        return sorted((_item(place), 1) for place in found)

    async def sweep(self, known: Sequence[Item]) -> None:
        """Take records out of the index that the store does not have."""
        there = {_place(item) for item in known}
        after = None
        while page := await self._index.groups(self.scope, "records", after=after, limit=_GROUPS):
            for owner, group in page:
                namespace = decode_namespace(group)
                listed = await self._index.listed(Scope(self.scope.tenant, owner), "records", group)
                places = [(namespace, key) for key, _ in listed]
                await self._remove_gone([one for one in places if one not in there])
            after = page[-1]

    async def rebuild(self, items: Sequence[Item], _start: Reached, _on_chunk: OnChunk) -> int:
        """Index some records anew; return how many.

        Raises:
            StoreError: A store failed.
            ProviderError: The embedder failed.
        """
        places = [_place(item) for item in items]
        while places:
            before = await self._read(places)
            await self._indexer.index(self.scope.tenant, list(before.values()))
            await self._remove_gone([place for place in places if place not in before])
            # Whoever wrote one meanwhile may have been overwritten by what it was before.
            now = await self._read(list(before))
            places = [
                place
                for place, record in before.items()
                if place not in now or now[place].updated_at != record.updated_at
            ]
        return len(items)

    async def _read(self, places: Sequence[Place]) -> dict[Place, MemoryRecord]:
        found = await self._store.get(self.scope, places) if places else []
        return {(one.namespace, one.key): one for one in found if one is not None}

    async def _remove_gone(self, places: Sequence[Place]) -> None:
        there = await self._read(places)
        gone = [place for place in places if place not in there]
        await self._indexer.remove(self.scope.tenant, gone)


def _item(place: Place) -> Item:
    return Item(place[0][0], msgspec.json.encode([place[0], place[1]]).decode())


def _place(item: Item) -> Place:
    namespace, key = msgspec.json.decode(item.name)
    return tuple(namespace), key
