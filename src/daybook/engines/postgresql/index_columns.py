"""The columns of recently searched scopes, kept up to date with the database.

A search reads what was written since the last one, in one round trip, and adds it to the columns
it started from. What a deletion left is read anew into columns of its own, which take the place of
the old ones when they are whole; whoever still searches the old ones finds them whole, too.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary

from daybook.enginekit.column_cache import ColumnCache, ScopeName
from daybook.engines.postgresql.index_rows import batches_of_rows
from daybook.recall.outside_columns import OutsideColumns
from daybook.recall.scope_columns import ScopeColumns

__all__ = ["EVERYTHING", "Database", "Held", "StoredColumns", "scope_arguments"]

T = TypeVar("T")
_READ = (
    "SELECT * FROM {schema}.index_read(%b::bytea, %b::bytea, %b::text, "
    "%b::int8, %b::int8, %b::int8, %b::int8, %b::int8, %b::bool)"
)
# Rows of one round trip: about 25 MB and half a second.
_AT_ONCE = 50_000
EVERYTHING = 1 << 62
# Below these, the work is shorter than the way to a thread and back.
_FEW_NEW = 64
_FEW_HELD = 3_000

Row = tuple[Any, ...]


class ScopeHeader(NamedTuple):
    """What the database says of a scope before its documents."""

    row: int
    epoch: int
    documents: int


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

    def __init__(self, name: ScopeName, row: int, epoch: int, *, outside: bool = False) -> None:
        linked = name[2] == "turns"
        self._lock = Lock()
        self.row = row
        self.epoch = epoch
        self.last = 0
        self.columns: ScopeColumns | OutsideColumns = (
            OutsideColumns(linked=linked) if outside else ScopeColumns(linked=linked)
        )

    @property
    def outside(self) -> bool:
        """Whether words and vectors are in the database only."""
        return isinstance(self.columns, OutsideColumns)

    def add(self, rows: Sequence[Row]) -> int:
        """Add documents that are not here yet; return the columns' size in bytes."""
        new = [row for row in rows if row[0] > self.last]
        for batch in batches_of_rows(new):
            self.columns.add_columns(batch)
        if new:
            self.last = new[-1][0]
        return self.columns.memory_bytes

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


Settle = Callable[[ScopeName, Held, OutsideColumns], Awaitable[None]]


class StoredColumns:
    """Up-to-date columns of the database's scopes, within a budget of bytes."""

    def __init__(
        self,
        database: Database,
        budget_bytes: int,
        *,
        most: int = EVERYTHING,
        settle: Settle | None = None,
    ) -> None:
        """Start with nothing held.

        Args:
            database: Runs statements.
            budget_bytes: What all scopes together may take.
            most: Of scopes with more documents, words and vectors stay in the database.
            settle: Completes the columns of such scopes; needed with `most`.
        """
        self._database = database
        self._cache: ColumnCache[_Scope] = ColumnCache(budget_bytes, _Scope)
        self._most = most
        self._settle = settle

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
        stamp = (-1, -1, 0) if known is None else (known.row, known.epoch, known.last)
        outside = known is not None and known.outside
        header, rows = await self._read(name, stamp, outside=outside)
        if header is None:
            return Held(name, -1, -1), 0
        if header.documents > self._most and not outside:
            header, rows = await self._read(name, (-1, -1, 0), outside=True)
            return header and await self._loaded(name, header, rows, outside=True)
        if known is not None and header[:2] == stamp[:2]:
            return await self._grown(name, known, rows)
        return await self._loaded(name, header, rows, outside=outside)

    async def _read(
        self, name: ScopeName, stamp: tuple[int, int, int], *, outside: bool
    ) -> tuple[ScopeHeader | None, list[Row]]:
        most = EVERYTHING if outside else self._most
        rows = await self._database.fetch(
            "search", _READ, (*scope_arguments(name), *stamp, most, _AT_ONCE, outside)
        )
        if not rows:
            return None, []
        return ScopeHeader(*rows[0][:3]), rows[1:]

    async def _grown(
        self, name: ScopeName, known: Held, rows: list[Row]
    ) -> tuple[Held, int] | None:
        """Add to what is held, all at once, so that every search sees whole writes."""
        stamp = (known.row, known.epoch)
        while rows and len(rows) % _AT_ONCE == 0:
            place = (*stamp, rows[-1][0])
            header, more = await self._read(name, place, outside=known.outside)
            if header is None or header[:2] != stamp:
                return None
            if not more:
                break
            rows += more
        return known, await known.run(partial(known.add, rows), new=len(rows))

    async def _loaded(
        self, name: ScopeName, header: ScopeHeader, rows: list[Row], *, outside: bool
    ) -> tuple[Held, int] | None:
        """Read a whole scope, piece by piece, into columns that nobody sees yet."""
        held = Held(name, *header[:2], outside=outside)
        while True:
            size = await held.run(partial(held.add, rows), new=len(rows))
            if isinstance(held.columns, OutsideColumns) and self._settle is not None:
                await self._settle(name, held, held.columns)
            if len(rows) < _AT_ONCE:
                return held, size
            place = (held.row, held.epoch, held.last)
            again, rows = await self._read(name, place, outside=outside)
            if again is None or again[:2] != header[:2]:
                return None


def scope_arguments(name: ScopeName) -> tuple[bytes, bytes, str]:
    """Return a scope's name as the database has it."""
    tenant, user, collection = name
    return tenant.encode(), user.encode(), collection
