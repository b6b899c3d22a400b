"""The search index in memory: one set of columns for each user and collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter
from threading import Lock

from daybook.engines.inmemory.capabilities import INMEMORY, check_open
from daybook.errors import InvalidInputError
from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.capabilities import EngineCapabilities
from daybook.model.index_document import Collection, IndexDocument, IndexState
from daybook.model.scope import Scope
from daybook.recall.search.large_columns import MOST_EXACT, LargeColumns, fitting
from daybook.recall.search.scope_columns import ScopeColumns

__all__ = ["InMemorySearchIndex"]

_Place = tuple[str, str, Collection]


class _Documents:
    """One user's documents of one collection: searched as columns, listed by group and key."""

    def __init__(self, collection: Collection, most_exact: int) -> None:
        self.columns: ScopeColumns | LargeColumns = ScopeColumns(linked=collection == "turns")
        self._most_exact = most_exact
        self.listed: dict[tuple[str, str], tuple[int, str]] = {}  # position, embedder
        self.token_vectors: dict[tuple[str, str], bytes] = {}
        self.watermarks: dict[str, int] = {}

    def add(
        self, documents: Sequence[IndexDocument], watermarks: Sequence[tuple[str, int]]
    ) -> None:
        self.columns.add(documents)
        self.columns = fitting(self.columns, self._most_exact)
        for one in documents:
            self.listed[one.group, one.key] = (one.position, one.embedder)
            self.token_vectors.pop((one.group, one.key), None)
            if one.token_vectors:
                self.token_vectors[one.group, one.key] = one.token_vectors
        for group, position in watermarks:
            self.watermarks[group] = max(position, self.watermarks.get(group, 0))

    def remove(self, group: str, keys: Sequence[str] | None, before: int | None) -> int:
        if keys is None and before is None:
            self.watermarks.pop(group, None)
        wanted = None if keys is None else set(keys)
        gone = [
            (held, key)
            for (held, key), (position, _) in self.listed.items()
            if held == group
            and (wanted is None or key in wanted)
            and (before is None or position < before)
        ]
        for place in gone:
            del self.listed[place]
            self.token_vectors.pop(place, None)
        self.columns.remove(group, keys=keys, before=before)
        return len(gone)

    def groups(self) -> set[str]:
        return {*self.watermarks, *(group for group, _ in self.listed)}


class InMemorySearchIndex:
    """`SearchIndex` in memory."""

    def __init__(self, *, most_exact: int = MOST_EXACT) -> None:
        """Start empty.

        Args:
            most_exact: Users with more documents are searched by codes of vectors first.
        """
        self._most_exact = most_exact
        self._lock = Lock()
        self._closed = False
        self._places: dict[_Place, _Documents] = {}

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this engine promises."""
        return INMEMORY

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        *,
        watermarks: Sequence[tuple[str, int]] = (),
    ) -> None:
        """Write documents and watermarks."""
        place = _place(scope, collection)
        with self._lock:
            check_open(self._closed, "put")
            found = self._places.setdefault(place, _Documents(collection, self._most_exact))
            found.add(documents, watermarks)

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
        found = self._find(scope, collection, "delete")
        with self._lock:
            return 0 if found is None else found.remove(group, keys, before)

    async def erase(self, scope: Scope, collection: Collection | None = None) -> int:
        """Remove everything of a user."""
        which: tuple[Collection, ...] = (
            ("turns", "records") if collection is None else (collection,)
        )
        places = [_place(scope, one) for one in which]
        with self._lock:
            check_open(self._closed, "erase")
            gone = [self._places.pop(place, None) for place in places]
            return sum(len(one.listed) for one in gone if one is not None)

    async def watermark(self, scope: Scope, collection: Collection, group: str) -> int:
        """Return a group's watermark."""
        found = self._find(scope, collection, "watermark")
        with self._lock:
            return 0 if found is None else found.watermarks.get(group, 0)

    async def speakers(self, scope: Scope, collection: Collection) -> list[str]:
        """Return the speakers' names."""
        found = self._find(scope, collection, "speakers")
        with self._lock:
            return [] if found is None else found.columns.speakers

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Return what may answer a query."""
        found = self._find(scope, collection, "candidates") or _Documents(
            collection, self._most_exact
        )
        with self._lock:
            return found.columns.candidates(query)

    async def token_vectors(
        self, scope: Scope, collection: Collection, places: Sequence[tuple[str, str, int]]
    ) -> list[bytes]:
        """Return documents' token vectors."""
        found = self._find(scope, collection, "token vectors")
        with self._lock:
            held = {} if found is None else found.token_vectors
            return [held.get((group, key), b"") for group, key, _ in places]

    async def stale(
        self, collection: Collection, embedder: str, *, limit: int
    ) -> list[tuple[Scope, str, str, int]]:
        """Return documents of other embedders."""
        with self._lock:
            check_open(self._closed, "stale")
            return [*islice(self._stale(collection, embedder), limit)]

    async def groups(
        self,
        scope: Scope,
        collection: Collection,
        *,
        after: tuple[str, str] | None = None,
        limit: int,
    ) -> list[tuple[str, str]]:
        """Return the groups in the order of their names."""
        with self._lock:
            check_open(self._closed, "groups")
            found = {
                (user_id, group)
                for (tenant, user_id, held), documents in self._places.items()
                if tenant == scope.tenant and scope.reaches(user_id) and held == collection
                for group in documents.groups()
            }
        return sorted(one for one in found if after is None or one > after)[:limit]

    async def listed(
        self, scope: Scope, collection: Collection, group: str
    ) -> list[tuple[str, int]]:
        """Return a group's documents."""
        found = self._find(scope, collection, "listed")
        with self._lock:
            held = {} if found is None else found.listed
            mine = [(key, at) for (name, key), (at, _) in held.items() if name == group]
        return sorted(mine, key=itemgetter(1))

    async def state(self, scope: Scope | None = None) -> IndexState:
        """Return how much is indexed."""
        with self._lock:
            check_open(self._closed, "state")
            embedders: dict[str, int] = {}
            for (tenant, user_id, _), documents in self._places.items():
                if scope is None or (scope.tenant == tenant and scope.reaches(user_id)):
                    for _, embedder in documents.listed.values():
                        embedders[embedder] = embedders.get(embedder, 0) + 1
            return IndexState(
                documents=sum(embedders.values()),
                embedders=embedders,
            )

    async def close(self) -> None:
        """Drop everything."""
        with self._lock:
            self._closed = True
            self._places.clear()

    def _find(self, scope: Scope, collection: Collection, operation: str) -> _Documents | None:
        place = _place(scope, collection)
        with self._lock:
            check_open(self._closed, operation)
            return self._places.get(place)

    def _stale(
        self, collection: Collection, embedder: str
    ) -> Iterator[tuple[Scope, str, str, int]]:
        for (tenant, user_id, held), documents in self._places.items():
            if held == collection:
                for (group, key), (position, made_by) in documents.listed.items():
                    if made_by != embedder:
                        yield Scope(tenant, user_id), group, key, position


def _place(scope: Scope, collection: Collection) -> _Place:
    if scope.user_id is None:
        raise InvalidInputError("the search index needs a scope with a user")
    return scope.tenant, scope.user_id, collection
