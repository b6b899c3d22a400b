"""The search index on SQLite: documents in tables, columns in memory.

Method texts: `daybook.protocols.search_index`. A scope's documents are read once into columns
(`daybook.recall.search.scope_columns`); later searches read only what was written since. A deletion
moves the scope's epoch on, and then what is gone is left out of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial

from daybook.enginekit.column_cache import ScopeName
from daybook.enginekit.known_speakers import KnownSpeakers
from daybook.engines.sqlite import index_jobs, index_listing
from daybook.engines.sqlite.file_columns import FileColumns
from daybook.engines.sqlite.reader_pool import ReaderPool
from daybook.engines.sqlite.writer import Writer
from daybook.errors import InvalidInputError
from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.capabilities import EngineCapabilities
from daybook.model.index_document import Collection, IndexDocument, IndexState
from daybook.model.scope import Scope

__all__ = ["SQLiteSearchIndex"]


class SQLiteSearchIndex:
    """Documents of every scope in the same SQLite file as the log."""

    def __init__(
        self,
        writer: Writer,
        readers: ReaderPool,
        capabilities: EngineCapabilities,
        *,
        cache_bytes: int,
        most_exact: int,
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._capabilities = capabilities
        self._cache = FileColumns(cache_bytes, most_exact)
        self._speakers = KnownSpeakers()

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        *,
        watermarks: Sequence[tuple[str, int]] = (),
    ) -> None:
        """Write documents and watermarks in one transaction."""
        name = _name(scope, collection)
        job = partial(
            index_jobs.put,
            name=name,
            rows=index_jobs.to_rows(documents),
            watermarks=watermarks,
        )
        try:
            await self._writer.run(job, "index")
        finally:
            self._speakers.written(name, documents)

    async def delete(
        self,
        scope: Scope,
        collection: Collection,
        group: str,
        *,
        keys: Sequence[str] | None = None,
        before: int | None = None,
    ) -> int:
        """Remove a group's documents, or some of them."""
        name = _name(scope, collection)
        job = partial(index_jobs.delete, name=name, group=group, keys=keys, before=before)
        try:
            return await self._writer.run(job, "unindex")
        finally:
            self._speakers.forget(name)

    async def erase(self, scope: Scope, collection: Collection | None = None) -> int:
        """Remove everything of a user."""
        collections: tuple[Collection, ...] = (
            ("turns", "records") if collection is None else (collection,)
        )
        names = [_name(scope, one) for one in collections]
        try:
            return await self._writer.run(partial(index_jobs.erase, names=names), "erase index")
        finally:
            self._speakers.forget(*names)

    async def watermark(self, scope: Scope, collection: Collection, group: str) -> int:
        """Return the position up to which a group is indexed."""
        job = partial(index_jobs.watermark, name=_name(scope, collection), group=group)
        return await self._readers.run(job, "watermark")

    async def speakers(self, scope: Scope, collection: Collection) -> list[str]:
        """Return the names of the scope's speakers."""
        name = _name(scope, collection)
        if (known := self._speakers.get(name)) is not None:
            return known

        def job(connection: sqlite3.Connection) -> list[str]:
            with self._cache.fresh(connection, name) as columns:
                return columns.speakers

        return await self._readers.run(job, "speakers")

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Return what may answer a query."""
        name = _name(scope, collection)

        def job(connection: sqlite3.Connection) -> Candidates:
            changes = self._speakers.changes
            with self._cache.fresh(connection, name) as columns:
                self._speakers.note(name, columns.speakers, changes)
                return columns.candidates(query)

        return await self._readers.run(job, "search")

    async def token_vectors(
        self, scope: Scope, collection: Collection, places: Sequence[tuple[str, str, int]]
    ) -> list[bytes]:
        """Return documents' token vectors."""
        job = partial(index_listing.token_vectors, name=_name(scope, collection), places=places)
        return await self._readers.run(job, "token vectors")

    async def stale(
        self, collection: Collection, embedder: str, *, limit: int
    ) -> list[tuple[Scope, str, str, int]]:
        """Return documents that were analysed under another embedder."""
        job = partial(index_jobs.stale, collection=collection, embedder=embedder, limit=limit)
        return await self._readers.run_at_one_moment(job, "stale")

    async def groups(
        self,
        scope: Scope,
        collection: Collection,
        *,
        after: tuple[str, str] | None = None,
        limit: int,
    ) -> list[tuple[str, str]]:
        """Return the groups of a user or a tenant."""
        job = partial(
            index_listing.groups, scope=scope, collection=collection, after=after, limit=limit
        )
        return await self._readers.run(job, "groups")

    async def listed(
        self, scope: Scope, collection: Collection, group: str
    ) -> list[tuple[str, int]]:
        """Return a group's documents."""
        job = partial(index_listing.listed, name=_name(scope, collection), group=group)
        return await self._readers.run(job, "listed")

    async def state(self, scope: Scope | None = None) -> IndexState:
        """Return how much is indexed."""
        return await self._readers.run(partial(index_jobs.state, scope=scope), "index state")

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""


def _name(scope: Scope, collection: Collection) -> ScopeName:
    if scope.user_id is None:
        raise InvalidInputError("the search index needs a scope with a user")
    return scope.tenant, scope.user_id, collection
