"""A scope's columns, kept up to date with the file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from daybook.enginekit.column_cache import ColumnCache, ScopeName
from daybook.enginekit.document_rows import document_batches
from daybook.enginekit.packed_ids import id_from_column
from daybook.engines.sqlite.index_jobs import DOCUMENT_COLUMNS, find_scope
from daybook.engines.sqlite.schema import SPAN
from daybook.recall.scope_columns import ScopeColumns

__all__ = ["FileColumns"]

_NEW = (
    f"SELECT key, group_row, {DOCUMENT_COLUMNS} FROM index_documents "
    "WHERE key > ? AND key < ? ORDER BY key"
)


class _Scope:
    """One scope's columns, and how far into the file they reach."""

    def __init__(self, name: ScopeName) -> None:
        self.lock = threading.Lock()
        self.name = name
        self.columns = self._empty()
        self.row = -1
        self.epoch = -1
        self.last_key = 0
        self.group_names: dict[int, str] = {}

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Read what was written since; all of it after a deletion."""
        connection.execute("BEGIN")  # scope and documents of one moment
        try:
            found = find_scope(connection, self.name)
            row, epoch = (found[0], found[1]) if found else (-1, -1)
            if (row, epoch) != (self.row, self.epoch):
                self.columns = self._empty()
                self.row, self.epoch, self.last_key = row, epoch, row * SPAN
                self.group_names = {}
            if row >= 0:
                self._read_new(connection)
        finally:
            connection.execute("COMMIT")

    def _read_new(self, connection: sqlite3.Connection) -> None:
        bounds = (self.last_key, self.row * SPAN + SPAN)
        rows = connection.execute(_NEW, bounds).fetchall()
        if not rows:
            return
        if any(row[1] not in self.group_names for row in rows):
            self.group_names = dict(
                connection.execute(
                    "SELECT row, name FROM index_groups WHERE scope = ?", (self.row,)
                ).fetchall()
            )
        embedders = dict(connection.execute("SELECT row, name FROM index_embedders").fetchall())
        for batch in document_batches(
            rows, groups=self.group_names, embedders=embedders, key_of=id_from_column
        ):
            self.columns.add_columns(batch)
        self.last_key = rows[-1][0]

    def _empty(self) -> ScopeColumns:
        return ScopeColumns(linked=self.name[2] == "turns")


class FileColumns:
    """Up-to-date columns of the file's scopes, within a budget of bytes."""

    def __init__(self, budget_bytes: int) -> None:
        self._cache: ColumnCache[_Scope] = ColumnCache(budget_bytes, _Scope)

    @contextmanager
    def fresh(self, connection: sqlite3.Connection, name: ScopeName) -> Iterator[ScopeColumns]:
        """Give a scope's up-to-date columns to one thread at a time."""
        scope = self._cache.scope(name)
        with scope.lock:
            scope.refresh(connection)
            yield scope.columns
            size = scope.columns.memory_bytes
        self._cache.report(name, scope, size)
