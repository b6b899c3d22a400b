"""The columns of recently searched scopes, kept up to date with the file, within a budget."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from daybook.enginekit.packed_ids import id_from_column
from daybook.engines.sqlite.index_jobs import DOCUMENT_COLUMNS, ScopeName, find_scope
from daybook.engines.sqlite.schema import SPAN
from daybook.model.index_document import Collection
from daybook.recall.document_batch import DocumentBatch
from daybook.recall.scope_columns import ScopeColumns
from daybook.recall.vector_blobs import unpack_vectors

__all__ = ["ColumnCache"]

_NEW = (
    f"SELECT key, group_row, {DOCUMENT_COLUMNS} FROM index_documents "
    "WHERE key > ? AND key < ? ORDER BY key"
)


class _Scope:
    """One scope's columns, and how far into the file they reach."""

    def __init__(self, collection: Collection) -> None:
        self.lock = threading.Lock()
        self.collection = collection
        self.columns = self._empty()
        self.row = -1
        self.epoch = -1
        self.last_key = 0
        self.group_names: dict[int, str] = {}

    def refresh(self, connection: sqlite3.Connection, name: ScopeName) -> None:
        """Read what was written since; all of it after a deletion."""
        connection.execute("BEGIN")  # scope and documents of one moment
        try:
            found = find_scope(connection, name)
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
        for embedder, run in groupby(rows, key=_embedder_of):
            self.columns.add_columns(_batch(list(run), self.group_names, embedders[embedder]))
        self.last_key = rows[-1][0]

    def _empty(self) -> ScopeColumns:
        return ScopeColumns(linked=self.collection == "turns")


def _embedder_of(row: tuple[Any, ...]) -> int:
    number: int = row[9]
    return number


def _batch(
    rows: list[tuple[Any, ...]], group_names: dict[int, str], embedder: str
) -> DocumentBatch:
    """Return rows of one embedder as columns."""
    columns = list(zip(*rows, strict=True))
    vectors = unpack_vectors(columns[12])
    return DocumentBatch(
        keys=[id_from_column(name) for name in columns[3]],
        groups=[group_names[group] for group in columns[1]],
        positions=columns[2],
        created_at=columns[4],
        roles=columns[5],
        speakers=columns[6],
        traits=columns[7],
        lengths=columns[8],
        terms=columns[10],
        tokens=columns[11],
        vectors=vectors,
        embedder=embedder if vectors is not None else "",
    )


class ColumnCache:
    """Least recently searched scopes leave first when the budget is spent."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._scopes: OrderedDict[ScopeName, _Scope] = OrderedDict()

    @contextmanager
    def fresh(self, connection: sqlite3.Connection, name: ScopeName) -> Iterator[ScopeColumns]:
        """Give a scope's up-to-date columns to one thread at a time."""
        with self._lock:
            scope = self._scopes.setdefault(name, _Scope(name[2]))
            self._scopes.move_to_end(name)
        with scope.lock:
            scope.refresh(connection, name)
            yield scope.columns
        self._evict(name)

    def _evict(self, keep: ScopeName) -> None:
        with self._lock:
            held = sum(scope.columns.memory_bytes for scope in self._scopes.values())
            while held > self._budget and len(self._scopes) > 1:
                oldest = next(iter(self._scopes))
                if oldest == keep:
                    self._scopes.move_to_end(oldest)
                    continue
                held -= self._scopes.pop(oldest).columns.memory_bytes
