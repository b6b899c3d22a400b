"""A scope's columns, kept up to date with the file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from daybook.enginekit.column_cache import ColumnCache, ScopeName
from daybook.enginekit.freed_memory import give_back
from daybook.engines.sqlite.connection import one_moment
from daybook.engines.sqlite.document_reads import living_keys, read_documents
from daybook.engines.sqlite.index_jobs import find_scope
from daybook.engines.sqlite.schema import SPAN
from daybook.recall.search.large_columns import MOST_EXACT, LargeColumns, fitting
from daybook.recall.search.scope_columns import ScopeColumns

__all__ = ["FileColumns"]

_GROUPS = "SELECT row, name FROM index_groups WHERE scope = ?"
_COUNT = "SELECT coalesce(sum(documents), 0) FROM index_vectors WHERE scope = ?"
_EMBEDDERS = "SELECT row, name FROM index_embedders"
_Columns = ScopeColumns | LargeColumns


class _Scope:
    """One scope's columns, and how far into the file they reach."""

    def __init__(self, name: ScopeName, most_exact: int) -> None:
        self.lock = threading.Lock()
        self.name = name
        self._most_exact = most_exact
        self.columns: _Columns = ScopeColumns(linked=name[2] == "turns")
        self.row = -1
        self.epoch = -1
        self.next_number = 0
        self.last_key = 0

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read what was written since, after leaving out what was deleted."""
        try:
            with one_moment(connection):
                row, epoch, number = find_scope(connection, self.name) or (-1, -1, 0)
                if row != self.row:
                    self.columns = self._empty(connection, row)
                    self.last_key = row * SPAN
                elif epoch != self.epoch:
                    self.columns.retain(living_keys(connection, row))
                if (row, number) != (self.row, self.next_number):
                    self._read_new(connection, row)
                self.row, self.epoch, self.next_number = row, epoch, number
        except BaseException:
            self.row = -1  # what was read in part is read again
            raise

    def _read_new(self, connection: sqlite3.Connection, row: int) -> None:
        batches = read_documents(
            connection,
            after=self.last_key,
            before=row * SPAN + SPAN,
            groups=dict(connection.execute(_GROUPS, (row,)).fetchall()),
            embedders=dict(connection.execute(_EMBEDDERS).fetchall()),
        )
        for batch in batches:
            self.columns.add_columns(batch)
            self.columns = fitting(self.columns, self._most_exact)
            if batch.numbers is not None:
                self.last_key = int(batch.numbers[-1])

    def _empty(self, connection: sqlite3.Connection, row: int) -> _Columns:
        linked = self.name[2] == "turns"
        (documents,) = connection.execute(_COUNT, (row,)).fetchone()
        if documents > self._most_exact:
            return LargeColumns(linked=linked, expected=documents)
        return ScopeColumns(linked=linked)


class FileColumns:
    """Up-to-date columns of the file's scopes, within a budget of bytes."""

    def __init__(self, budget_bytes: int, most_exact: int) -> None:
        self._cache: ColumnCache[_Scope] = ColumnCache(
            budget_bytes, lambda name: _Scope(name, most_exact)
        )

    @contextmanager
    def fresh(self, connection: sqlite3.Connection, name: ScopeName) -> Iterator[_Columns]:
        """Give a scope's up-to-date columns to one thread at a time."""
        scope = self._cache.scope(name)
        with scope.lock:
            held = scope.columns.row_count
            scope.refresh(connection)
            if scope.columns.row_count - held > MOST_EXACT:
                connection.execute("PRAGMA shrink_memory")  # pages that nobody reads again
                give_back()
            yield scope.columns
            size = scope.columns.memory_bytes
        self._cache.report(name, scope, size)
