"""The search index on SQLite: documents in tables, columns in memory.

Method texts: `daybook.protocols.search_index`. A scope's documents are read once into columns
(`daybook.recall.search.scope_columns`); later searches read only what was written since. A deletion
moves the scope's epoch on, and then what is gone is left out of them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from functools import partial

from daybook.enginekit.column_cache import ScopeName
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

_MOST_SCOPES = 10_000


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
        # Speakers as the last search of each scope saw them: saves every search a trip. A name that
        # another process brings is known from the second search on.
        self._speakers: dict[ScopeName, list[str]] = {}
        self._writes = 0
        self._gate = threading.Lock()  # of both: searches note names on threads of their own

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
        await self._writer.run(job, "index")
        known = self._speakers.get(name, [])
        if any(one.speaker and one.speaker not in known for one in documents):
            self._forget_speakers(name)

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
        job = partial(
            index_jobs.delete,
            name=_name(scope, collection),
            group=group,
            keys=keys,
            before=before,
        )
        return await self._writer.run(job, "unindex")

    async def erase(self, scope: Scope, collection: Collection | None = None) -> int:
        """Remove everything of a user."""
        collections: tuple[Collection, ...] = (
            ("turns", "records") if collection is None else (collection,)
        )
        names = [_name(scope, one) for one in collections]
        try:
            return await self._writer.run(partial(index_jobs.erase, names=names), "erase index")
        finally:
            for name in names:
                self._forget_speakers(name)

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
            writes = self._writes
            with self._cache.fresh(connection, name) as columns:
                self._note_speakers(name, columns.speakers, writes)
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

    def _note_speakers(self, name: ScopeName, speakers: list[str], writes: int) -> None:
        """Remember names, unless they may be older than the last write that ended."""
        with self._gate:
            if writes == self._writes:
                if len(self._speakers) >= _MOST_SCOPES:
                    self._speakers.clear()
                self._speakers[name] = speakers

    def _forget_speakers(self, name: ScopeName) -> None:
        with self._gate:
            self._writes += 1
            self._speakers.pop(name, None)


def _name(scope: Scope, collection: Collection) -> ScopeName:
    if scope.user_id is None:
        raise InvalidInputError("the search index needs a scope with a user")
    return scope.tenant, scope.user_id, collection
