"""Search indexes that break one promise each: negative controls for the kit.

Each wraps a sound index. `INDEX_DOUBLES` names the test that must convict it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replace_columns
from typing import Any

import numpy as np
from msgspec.structs import replace

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.index_document import Collection, IndexDocument
from daybook.model.scope import Scope
from daybook.protocols.search_index import SearchIndex

__all__ = ["INDEX_DOUBLES", "IndexDouble"]


class IndexDouble:
    """An index that does what another does, except where a subclass breaks it."""

    def __init__(self, inner: SearchIndex) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        """Hand everything else on."""
        return getattr(self.inner, name)


class FilterAfterSearch(IndexDouble):
    """The best of everything is taken first and filtered afterwards."""

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Search without the filter, then drop what does not pass."""
        bare = replace(query, groups=None, group_prefix="", since=None, until=None)
        found = await self.inner.candidates(scope, collection, bare)
        best = np.argsort(-found.similarity, kind="stable")[: query.limit]
        passes = np.zeros(len(found.keys), np.bool_)
        for row in best.tolist():
            group = found.group_names[found.groups[row]]
            passes[row] = (
                (query.groups is None or group in query.groups)
                and group.startswith(query.group_prefix)
                and (query.since is None or found.created_at[row] >= query.since)
                and (query.until is None or found.created_at[row] < query.until)
            )
        return replace_columns(found, eligible=passes)


class MissesTheNearest(IndexDouble):
    """A cut by something coarse loses one in twenty of those it should hand over."""

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Lose the nearest."""
        found = await self.inner.candidates(scope, collection, query)
        kept = found.eligible.copy()
        order = np.argsort(-np.where(kept, found.similarity, -9.0))
        kept[order[:5:5]] = False
        return replace_columns(found, eligible=kept)


class DeletesNothing(IndexDouble):
    """A deletion is answered as if it had been done."""

    async def delete(self, scope: Scope, collection: Collection, group: str, **_rest: Any) -> int:
        """Count only."""
        return len(await self.inner.listed(scope, collection, group))


class SharedByTenant(IndexDouble):
    """All users of a tenant share one table."""

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        **rest: Any,
    ) -> None:
        """Write to the table of all."""
        await self.inner.put(Scope(scope.tenant, "all"), collection, documents, **rest)

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Search in it."""
        return await self.inner.candidates(Scope(scope.tenant, "all"), collection, query)


class LeakingErase(IndexDouble):
    """Erasing one user erases another with the same name in another tenant."""

    def __init__(self, inner: SearchIndex) -> None:
        super().__init__(inner)
        self.scopes: set[Scope] = set()

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        **rest: Any,
    ) -> None:
        """Remember who is there."""
        self.scopes.add(scope)
        await self.inner.put(scope, collection, documents, **rest)

    async def erase(self, scope: Scope, collection: Collection | None = None) -> int:
        """Forget the tenant."""
        removed = await self.inner.erase(scope, collection)
        for other in self.scopes:
            if other.user_id == scope.user_id:
                await self.inner.erase(other, collection)
        return removed


class WatermarkAhead(IndexDouble):
    """The mark of progress is not written with the documents."""

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        **_rest: Any,
    ) -> None:
        """Leave the watermarks out."""
        await self.inner.put(scope, collection, documents)


class WatermarkSurvives(IndexDouble):
    """A deleted group still counts as indexed."""

    async def delete(self, scope: Scope, collection: Collection, group: str, **rest: Any) -> int:
        """Delete and write the old mark again."""
        mark = await self.inner.watermark(scope, collection, group)
        removed = await self.inner.delete(scope, collection, group, **rest)
        await self.inner.put(scope, collection, [], watermarks=[(group, mark)])
        return removed


class AppendsForEver(IndexDouble):
    """A document that comes again stands beside its former self."""

    def __init__(self, inner: SearchIndex) -> None:
        super().__init__(inner)
        self.count = 0

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        **rest: Any,
    ) -> None:
        """Make every document another one."""
        self.count += 1
        again = [replace(one, group=f"{one.group}~{self.count}") for one in documents]
        await self.inner.put(scope, collection, again, **rest)


class SearchesThePast(IndexDouble):
    """Answers come from a copy made by the first search."""

    def __init__(self, inner: SearchIndex) -> None:
        super().__init__(inner)
        self.kept: dict[tuple[Scope, Collection, tuple[int, ...]], Candidates] = {}

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Look into the copy first."""
        place = (scope, collection, query.full_terms)
        if place not in self.kept:
            self.kept[place] = await self.inner.candidates(scope, collection, query)
        return self.kept[place]


class MixedEmbedders(IndexDouble):
    """Vectors are compared whoever made them."""

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        **rest: Any,
    ) -> None:
        """Call every embedder the same."""
        same = [replace(one, embedder="any") for one in documents]
        await self.inner.put(scope, collection, same, **rest)

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Here too."""
        return await self.inner.candidates(scope, collection, replace(query, embedder="any"))


class ListsOnePage(IndexDouble):
    """Every page of groups is the first one."""

    async def groups(
        self, scope: Scope, collection: Collection, *, limit: int, **_rest: Any
    ) -> list[tuple[str, str]]:
        """Forget where the page before ended, and stop in the end."""
        self.pages = getattr(self, "pages", 0) + 1
        return (
            [] if self.pages % 9 == 0 else await self.inner.groups(scope, collection, limit=limit)
        )


class ListsEveryone(IndexDouble):
    """The documents of a group are listed whoever's they are."""

    async def listed(
        self, scope: Scope, collection: Collection, group: str
    ) -> list[tuple[str, int]]:
        """List the group of every user of the tenant."""
        users = {
            user for user, _ in await self.inner.groups(Scope(scope.tenant), collection, limit=999)
        }
        found = [
            one
            for user in users
            for one in await self.inner.listed(Scope(scope.tenant, user), collection, group)
        ]
        return sorted(found, key=lambda one: one[1])


class OldTokenVectors(IndexDouble):
    """Token vectors of a document that has none any more are those it had."""

    async def token_vectors(
        self, scope: Scope, collection: Collection, places: Sequence[tuple[str, str, int]]
    ) -> list[bytes]:
        """Remember every answer."""
        known: dict[tuple[Scope, str, str, str], bytes] = self.__dict__.setdefault("known", {})
        found = await self.inner.token_vectors(scope, collection, places)
        names = [(scope, collection, group, key) for group, key, _ in places]
        known.update((name, one) for name, one in zip(names, found, strict=True) if one)
        return [known.get(name, b"") for name in names]


INDEX_DOUBLES: dict[type[IndexDouble], str] = {
    FilterAfterSearch: "test_filters_come_before_limits",
    MissesTheNearest: "test_many_documents_keep_the_nearest",
    DeletesNothing: "test_many_documents_change_at_once",
    SharedByTenant: "test_statistics_are_of_one_user",
    LeakingErase: "test_no_method_reaches_anothers_documents",
    WatermarkAhead: "test_watermarks_follow_puts_and_groups",
    WatermarkSurvives: "test_watermarks_follow_puts_and_groups",
    AppendsForEver: "test_a_repeated_put_changes_nothing",
    SearchesThePast: "test_a_put_is_seen_by_the_next_search",
    ListsOnePage: "test_a_tenants_groups_are_listed_in_pages",
    ListsEveryone: "test_a_groups_documents_are_listed",
    OldTokenVectors: "test_token_vectors_are_those_of_the_document",
    MixedEmbedders: "test_vectors_of_another_embedder_are_not_compared",
}
