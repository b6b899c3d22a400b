"""The search index on PostgreSQL: documents in tables, columns in memory.

Method texts: `daybook.protocols.search_index`. A scope's documents are read once into columns
(`daybook.recall.search.scope_columns`); later searches read only what was written since, and
answer as every engine's index does.
"""

from __future__ import annotations

from collections.abc import Sequence

from daybook.enginekit.column_cache import ScopeName
from daybook.enginekit.known_speakers import KnownSpeakers
from daybook.engines.postgresql.index_columns import Database, StoredColumns, scope_arguments
from daybook.engines.postgresql.index_rows import (
    name_from_bytes,
    name_to_bytes,
    put_arguments,
    token_vector_arguments,
)
from daybook.errors import InvalidInputError
from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.capabilities import EngineCapabilities
from daybook.model.index_document import Collection, IndexDocument, IndexState
from daybook.model.scope import Scope
from daybook.recall.search.large_columns import MOST_EXACT

__all__ = ["PostgreSQLSearchIndex"]

_SCOPE = "%b::bytea, %b::bytea, %b::text"
_PUT = (
    f"SELECT {{schema}}.index_put({_SCOPE}, %b::bytea[], %b::bytea[], %b::int4[], %b::int4[], "
    "%b::int8[], %b::bytea[], %b::int8[], %b::int2[], %b::bytea[], %b::int4[], %b::int4[], "
    "%b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[], %b::int8[])"
)
# One statement and one transaction: the second function is called with what the first answers.
_PUT_ALL = (
    f"WITH put AS MATERIALIZED ({_PUT} AS documents) "
    f"SELECT {{schema}}.index_put_token_vectors({_SCOPE}, put.documents, "
    "%b::bytea[], %b::bytea[], %b::bytea[]) FROM put"
)
_TOKEN_VECTORS = (
    f"SELECT * FROM {{schema}}.index_token_vectors_of({_SCOPE}, %b::bytea[], %b::bytea[])"
)
_DELETE = f"SELECT {{schema}}.index_delete({_SCOPE}, %b::bytea, %b::bytea[], %b::int8)"
_ERASE = "SELECT {schema}.index_erase(%b::bytea, %b::bytea, %b::text[])"
_WATERMARK = f"SELECT {{schema}}.index_watermark({_SCOPE}, %b::bytea)"
_STALE = "SELECT * FROM {schema}.index_stale(%b::text, %b::bytea, %b::int8)"
_GROUPS = (
    "SELECT * FROM {schema}.index_groups_of("
    "%b::bytea, %b::bytea, %b::text, %b::bytea, %b::bytea, %b::int8)"
)
_LISTED = f"SELECT * FROM {{schema}}.index_listed({_SCOPE}, %b::bytea)"
_STATE = "SELECT * FROM {schema}.index_state(%b::bytea, %b::bytea)"


class PostgreSQLSearchIndex:
    """Documents of every scope in the same database as the log."""

    def __init__(
        self,
        database: Database,
        capabilities: EngineCapabilities,
        *,
        cache_bytes: int,
        most_exact: int = MOST_EXACT,
    ) -> None:
        """Use an opened engine's database.

        Args:
            database: Runs statements.
            capabilities: The engine's.
            cache_bytes: Memory for columns of recently searched scopes.
            most_exact: Scopes with more documents are searched by codes of vectors first.
        """
        self._database = database
        self._capabilities = capabilities
        self._columns = StoredColumns(database, cache_bytes, most_exact)
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
        """Write documents and watermarks in one transaction, one round trip."""
        name = _name(scope, collection)
        arguments = (*scope_arguments(name), *put_arguments(documents, watermarks))
        late = token_vector_arguments(documents)
        try:
            if late is None:
                await self._database.fetch("index", _PUT, arguments)
            else:
                arguments = (*arguments, *scope_arguments(name), *late)
                await self._database.fetch("index", _PUT_ALL, arguments)
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
        """Remove a group's documents, or some of them, in one transaction."""
        name = _name(scope, collection)
        names = None if keys is None else [name_to_bytes(key) for key in dict.fromkeys(keys)]
        arguments = (*scope_arguments(name), name_to_bytes(group), names, before)
        try:
            [row] = await self._database.fetch("unindex", _DELETE, arguments)
        finally:
            self._speakers.forget(name)
        return int(row[0])

    async def erase(self, scope: Scope, collection: Collection | None = None) -> int:
        """Remove everything of a user, in one transaction."""
        collections: tuple[Collection, ...] = (
            ("turns", "records") if collection is None else (collection,)
        )
        names = [_name(scope, one) for one in collections]
        arguments = (*scope_arguments(names[0])[:2], list(collections))
        try:
            [row] = await self._database.fetch("erase index", _ERASE, arguments)
        finally:
            self._speakers.forget(*names)
        return int(row[0])

    async def watermark(self, scope: Scope, collection: Collection, group: str) -> int:
        """Return the position up to which a group is indexed."""
        arguments = (*scope_arguments(_name(scope, collection)), name_to_bytes(group))
        [row] = await self._database.fetch("watermark", _WATERMARK, arguments)
        return row[0] or 0

    async def speakers(self, scope: Scope, collection: Collection) -> list[str]:
        """Return the names of the scope's speakers."""
        name = _name(scope, collection)
        if (known := self._speakers.get(name)) is not None:
            return known
        held = await self._columns.fresh(name)
        return await held.run(lambda: held.columns.speakers)

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Return what may answer a query."""
        name = _name(scope, collection)
        changes = self._speakers.changes
        held = await self._columns.fresh(name)
        self._speakers.note(name, held.columns.speakers, changes)
        return await held.run(lambda: held.columns.candidates(query))

    async def token_vectors(
        self, scope: Scope, collection: Collection, places: Sequence[tuple[str, str, int]]
    ) -> list[bytes]:
        """Return documents' token vectors, in one round trip."""
        arguments = (
            *scope_arguments(_name(scope, collection)),
            [name_to_bytes(group) for group, _, _ in places],
            [name_to_bytes(key) for _, key, _ in places],
        )
        rows = await self._database.fetch("token vectors", _TOKEN_VECTORS, arguments)
        return [row[0] or b"" for row in rows]

    async def stale(
        self, collection: Collection, embedder: str, *, limit: int
    ) -> list[tuple[Scope, str, str, int]]:
        """Return documents that were analysed under another embedder."""
        rows = await self._database.fetch("stale", _STALE, (collection, embedder.encode(), limit))
        return [
            (
                Scope(tenant.decode(), user.decode()),
                name_from_bytes(group),
                name_from_bytes(key),
                position,
            )
            for tenant, user, group, key, position, *_ in rows
        ]

    async def groups(
        self,
        scope: Scope,
        collection: Collection,
        *,
        after: tuple[str, str] | None = None,
        limit: int,
    ) -> list[tuple[str, str]]:
        """Return the groups of a user or a tenant in the order of their bytes."""
        user, group = (
            (None, None) if after is None else (after[0].encode(), name_to_bytes(after[1]))
        )
        owner = None if scope.user_id is None else scope.user_id.encode()
        arguments = (scope.tenant.encode(), owner, collection, user, group, limit)
        rows = await self._database.fetch("groups", _GROUPS, arguments)
        return [(found.decode(), name_from_bytes(name)) for found, name, *_ in rows]

    async def listed(
        self, scope: Scope, collection: Collection, group: str
    ) -> list[tuple[str, int]]:
        """Return a group's documents."""
        arguments = (*scope_arguments(_name(scope, collection)), name_to_bytes(group))
        rows = await self._database.fetch("listed", _LISTED, arguments)
        return [(name_from_bytes(name), position) for name, position, *_ in rows]

    async def state(self, scope: Scope | None = None) -> IndexState:
        """Return how much is indexed."""
        tenant = None if scope is None else scope.tenant.encode()
        user = None if scope is None or scope.user_id is None else scope.user_id.encode()
        rows = await self._database.fetch("index state", _STATE, (tenant, user))
        embedders = {name.decode(): int(count) for name, count, *_ in rows}
        return IndexState(documents=sum(embedders.values()), embedders=embedders)

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""


def _name(scope: Scope, collection: Collection) -> ScopeName:
    if scope.user_id is None:
        raise InvalidInputError("the search index needs a scope with a user")
    return scope.tenant, scope.user_id, collection
