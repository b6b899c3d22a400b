"""A batch of LangGraph's operations over `Records`.

Reads see what was stored before the batch; then its writes are made. Of several writes of one key
the last one counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)

from daybook.adapters.langgraph.namespaces import check_labels, listed, literal_prefix
from daybook.errors import InvalidInputError
from daybook.facets.records import Records, RecordWrite
from daybook.model.memory_record import MemoryRecord, RecordHit

__all__ = ["Batch"]

_MANY = 1_000_000
_Place = tuple[tuple[str, ...], str]
_JSON_KINDS = frozenset({str, int, float, bool, type(None)})


class Batch:
    """Runs batches over one book's records.

    Args:
        records: Where to.
        searched: What a search looks at in values whose put does not say.
        indexed: There is an index; without one queries are passed over, as LangGraph's own
            stores do.
        at_once: Records that the engine writes in one transaction; None for any number.
    """

    def __init__(
        self,
        records: Records,
        *,
        searched: bool | list[str],
        indexed: bool,
        at_once: int | None,
    ) -> None:
        self._records = records
        self._indexed = indexed
        self._searched = searched
        self._at_once = at_once or _MANY

    async def run(self, ops: Iterable[Op]) -> list[Result]:
        """Return the result of each operation, in their order.

        Raises:
            InvalidNamespaceError: A label is not allowed; nothing was written.
            InvalidInputError: A value, filter or limit cannot be used; nothing was written.

        Atomicity: the puts of a batch are one transaction, its deletions another, within what the
        engine's `capabilities` say of records of several owners and of many records.
        """
        asked = list(ops)
        writes = self._writes(asked)
        results: list[Result] = [None] * len(asked)
        seen: list[MemoryRecord] = []
        places = {at: _place_of(op) for at, op in enumerate(asked) if isinstance(op, GetOp)}
        reads: list[Coroutine[Any, Any, None]] = []
        if places:
            reads.append(self._get(places, asked, results, seen))
        for at, op in enumerate(asked):
            if isinstance(op, SearchOp):
                reads.append(self._search(at, op, results, seen))
            elif isinstance(op, ListNamespacesOp):
                reads.append(self._list(at, op, results))
        await _together(reads)
        if seen:
            await self._records.renew(seen)
        await self._write(writes)
        return results

    def _writes(self, ops: Sequence[Op]) -> dict[_Place, RecordWrite | None]:
        """Check all operations; return the last write of each place, None for a deletion."""
        writes: dict[_Place, RecordWrite | None] = {}
        for op in ops:
            if isinstance(op, PutOp):
                place = _place_of(op)
                if not place[0]:
                    raise InvalidNamespaceError("a namespace has at least one label")
                writes.pop(place, None)
                writes[place] = None if op.value is None else self._record_of(op, place)
            elif isinstance(op, SearchOp):
                check_labels(op.namespace_prefix)
            elif isinstance(op, ListNamespacesOp):
                for condition in op.match_conditions or ():
                    check_labels(condition.path)
            elif not isinstance(op, GetOp):
                raise TypeError(f"not an operation of a store: {type(op).__name__}")
        return writes

    def _record_of(self, op: PutOp, place: _Place) -> RecordWrite:
        return RecordWrite(
            namespace=place[0],
            key=place[1],
            value=_json_object(op.value),
            ttl=None if op.ttl is None else timedelta(minutes=op.ttl),
            searched=self._searched if op.index is None else op.index,
        )

    async def _write(self, writes: dict[_Place, RecordWrite | None]) -> None:
        puts = [write for write in writes.values() if write is not None]
        for at in range(0, len(puts), self._at_once):
            await self._records.put_many(puts[at : at + self._at_once])
        gone = [place for place, write in writes.items() if write is None]
        if gone:
            await self._records.delete_many(gone)

    async def _get(
        self,
        places: dict[int, _Place],
        ops: Sequence[Op],
        results: list[Result],
        seen: list[MemoryRecord],
    ) -> None:
        named = {at: place for at, place in places.items() if place[0]}
        if not named:
            return
        found = await self._records.get_many([*named.values()])
        for at, record in zip(named, found, strict=True):
            if record is not None:
                results[at] = _item(record)
                if ops[at].refresh_ttl and record.expires_at is not None:
                    seen.append(record)

    async def _search(
        self, at: int, op: SearchOp, results: list[Result], seen: list[MemoryRecord]
    ) -> None:
        hits = await self._hits(op) if op.limit > 0 else []
        results[at] = [_search_item(hit, scored=bool(op.query) and self._indexed) for hit in hits]
        if op.refresh_ttl:
            seen += [hit.record for hit in hits if hit.record.expires_at is not None]

    async def _hits(self, op: SearchOp) -> list[RecordHit]:
        prefix = tuple(op.namespace_prefix)
        page: dict[str, Any] = {"filter": op.filter, "limit": op.limit, "offset": op.offset}
        if not op.query or not self._indexed:
            return await self._records.search(prefix, **page)
        if not prefix:
            return await self._hits_of_all(op)
        return await self._records.search(prefix, query=op.query, **page)

    async def _hits_of_all(self, op: SearchOp) -> list[RecordHit]:
        """Search every owner's index, and merge."""
        wanted = op.offset + op.limit
        hits: list[RecordHit] = []
        for owner in await self._records.namespaces(max_depth=1, limit=_MANY):
            hits += await self._records.search(
                owner, query=op.query, filter=op.filter, limit=wanted
            )
        hits.sort(key=lambda hit: -hit.score)
        return hits[op.offset : wanted]

    async def _list(self, at: int, op: ListNamespacesOp, results: list[Result]) -> None:
        found = await self._records.namespaces(literal_prefix(op), limit=_MANY)
        results[at] = listed(op, found)


async def _together(reads: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run reads side by side; where one fails, the others end with it."""
    if len(reads) == 1:
        return await reads[0]
    try:
        async with asyncio.TaskGroup() as group:
            for read in reads:
                group.create_task(read)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _place_of(op: GetOp | PutOp) -> _Place:
    return check_labels(op.namespace), str(op.key)


def _json_object(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value as JSON keeps it: tuples as lists, times and UUIDs as text.

    Raises:
        InvalidInputError: Something in it is no JSON; bytes are none.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"a value must be a mapping, got {type(value).__name__}")
    try:
        plain: dict[str, Any] = _plain(value)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidInputError("the value holds something that is not JSON") from exc
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_plain, value)]
    if type(value) in _JSON_KINDS or isinstance(value, bytes | bytearray | memoryview):
        return value  # what is no JSON among these is refused with its path
    return msgspec.to_builtins(value)


def _item(record: MemoryRecord) -> Item:
    return Item(
        value=record.value,
        key=record.key,
        namespace=record.namespace,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def _search_item(hit: RecordHit, *, scored: bool) -> SearchItem:
    record = hit.record
    return SearchItem(
        namespace=record.namespace,
        key=record.key,
        value=record.value,
        created_at=record.created_at,
        updated_at=record.updated_at,
        score=hit.score if scored else None,
    )
