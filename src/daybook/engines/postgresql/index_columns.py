"""The columns of recently searched scopes, kept up to date with the database.

A search reads what was written since the last one, in one round trip, and adds it to the columns
it started from. After a deletion it reads the numbers of what is left. A scope that is not held yet
is read into columns of its own, which others see when they are whole.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from daybook.enginekit.column_cache import ColumnCache, ScopeName
from daybook.enginekit.freed_memory import give_back
from daybook.engines.postgresql.index_rows import Chunk, chunk_of_row, living_of_row
from daybook.recall.search.large_columns import MOST_EXACT, LargeColumns, fitting
from daybook.recall.search.scope_columns import ScopeColumns

__all__ = ["Database", "Held", "StoredColumns", "scope_arguments"]

T = TypeVar("T")
_SCOPE = "%b::bytea, %b::bytea, %b::text"
_READ = f"SELECT * FROM {{schema}}.index_columns({_SCOPE}, %b::int8, %b::int8, %b::int8, %b::int8)"
_LIVING = f"SELECT * FROM {{schema}}.index_living({_SCOPE}, %b::int8)"
# Documents of one round trip: about 8 MB and a tenth of a second.
_AT_ONCE = 16_384
# Below these, the work is shorter than the way to a thread and back.
_FEW_NEW = 64
_FEW_HELD = 3_000


class Database(Protocol):
    """What the search index asks of the engine's pool."""

    async def fetch(
        self, operation: str, statement: str, arguments: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; its rows may have more columns at the end.

        Args:
            operation: What it is for, in errors.
            statement: With ``%b`` for arguments, and ``{schema}`` for the engine's schema.
            arguments: Bound by the driver.

        Raises:
            StoreError: The driver failed, or the engine is closed; mapped.
        """
        ...


class Held:
    """A scope's columns, and how far into the database they reach. Use `run`."""

    def __init__(self, name: ScopeName, first: Chunk | None, most_exact: int) -> None:
        linked = name[2] == "turns"
        self._lock = Lock()
        self._most_exact = most_exact
        self.row = -1 if first is None else first.row
        self.epoch = -1 if first is None else first.epoch
        self.last = 0
        self.columns: ScopeColumns | LargeColumns
        if first is not None and first.documents > most_exact:
            self.columns = LargeColumns(linked=linked, expected=first.documents)
        else:
            self.columns = ScopeColumns(linked=linked)

    def add(self, chunks: Sequence[Chunk]) -> int:
        """Add documents that are not here yet; return the columns' size in bytes."""
        for chunk in chunks:
            for batch in chunk.batches(self.last):
                self.columns.add_columns(batch)
                self.columns = fitting(self.columns, self._most_exact)
            self.last = max(self.last, chunk.last)
        return self.columns.memory_bytes

    def retain(self, row: tuple[Any, ...]) -> None:
        """Leave out what is not in the database any more, by a row of ``index_living``."""
        epoch, last, numbers = living_of_row(row)
        self.columns.retain(numbers, up_to=last)
        self.epoch = epoch

    async def run(self, job: Callable[[], T], *, new: int = 0) -> T:
        """Run work on the columns, one at a time; in a thread if it may take long."""
        short = new < _FEW_NEW and self.columns.row_count < _FEW_HELD
        if short and self._lock.acquire(blocking=False):
            try:
                return job()
            finally:
                self._lock.release()
        return await asyncio.to_thread(self._locked, job)

    def _locked(self, job: Callable[[], T]) -> T:
        with self._lock:
            return job()


class _Scope:
    """What is held of one scope, now and then something else."""

    def __init__(self, _name: ScopeName) -> None:
        self.held: Held | None = None
        self.loading: WeakKeyDictionary[AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def loading_here(self) -> asyncio.Lock:
        """Return the lock of those who load the whole scope in this event loop."""
        return self.loading.setdefault(asyncio.get_running_loop(), asyncio.Lock())


class StoredColumns:
    """Up-to-date columns of the database's scopes, within a budget of bytes."""

    def __init__(self, database: Database, budget_bytes: int, most_exact: int) -> None:
        """Start with nothing held.

        Args:
            database: Runs statements.
            budget_bytes: What all scopes together may take.
            most_exact: Scopes with more documents are held as codes.
        """
        self._database = database
        self._cache: ColumnCache[_Scope] = ColumnCache(budget_bytes, _Scope)
        self._most_exact = most_exact

    async def fresh(self, name: ScopeName) -> Held:
        """Return a scope with all that was written before this call.

        Args:
            name: The scope.

        Raises:
            StoreError: The database failed.
        """
        scope = self._cache.scope(name)
        if scope.held is not None:
            return await self._refreshed(scope, name)
        async with scope.loading_here():  # those who wait find it loaded
            return await self._refreshed(scope, name)

    async def _refreshed(self, scope: _Scope, name: ScopeName) -> Held:
        while True:
            known = scope.held
            found = await self._current(name, known)
            if found is None:  # something was deleted meanwhile
                continue
            held, size = found
            if held is not known and scope.held is known:
                scope.held = held if held.row >= 0 else None
            self._cache.report(name, scope, size)
            return held

    async def _current(self, name: ScopeName, known: Held | None) -> tuple[Held, int] | None:
        """Return up-to-date columns and their size; None if they were deleted from meanwhile."""
        stamp = (-1, None, 0) if known is None else (known.row, known.epoch, known.last)
        chunk = await self._read(name, stamp)
        if chunk is None:
            return Held(name, None, self._most_exact), 0
        if known is None or chunk.row != known.row:
            return await self._loaded(name, chunk)
        if chunk.epoch != stamp[1]:
            rows = await self._database.fetch(
                "search", _LIVING, (*scope_arguments(name), known.row)
            )
            if rows:
                await known.run(partial(known.retain, rows[0]), new=_FEW_NEW)
            return None
        return await self._grown(name, known, chunk)

    async def _read(self, name: ScopeName, stamp: tuple[int, int | None, int]) -> Chunk | None:
        rows = await self._database.fetch(
            "search", _READ, (*scope_arguments(name), *stamp, _AT_ONCE)
        )
        return chunk_of_row(rows[0]) if rows else None

    async def _grown(self, name: ScopeName, known: Held, chunk: Chunk) -> tuple[Held, int] | None:
        """Add to what is held, all at once, so that every search sees whole writes."""
        chunks = [chunk]
        while chunks[-1].count == _AT_ONCE:
            more = await self._read(name, (chunk.row, chunk.epoch, chunks[-1].last))
            if more is None or (more.row, more.epoch) != (chunk.row, chunk.epoch):
                return None
            chunks.append(more)
        new = sum(one.count for one in chunks)
        return known, await known.run(partial(known.add, chunks), new=new)

    async def _loaded(self, name: ScopeName, chunk: Chunk) -> tuple[Held, int] | None:
        """Read a whole scope, piece by piece, into columns that nobody sees yet.

        What is deleted meanwhile is left out by the next search, which sees another epoch.
        """
        held = Held(name, chunk, self._most_exact)
        while True:
            size = await held.run(partial(held.add, [chunk]), new=chunk.count)
            if chunk.count < _AT_ONCE:
                break
            again = await self._read(name, (held.row, None, held.last))
            if again is None or again.row != held.row:
                return None
            chunk = again
        del chunk
        if held.columns.row_count > MOST_EXACT:
            await asyncio.to_thread(give_back)
        return held, size


def scope_arguments(name: ScopeName) -> tuple[bytes, bytes, str]:
    """Return a scope's name as the database has it."""
    tenant, user, collection = name
    return tenant.encode(), user.encode(), collection
