"""The search index: a projection of log and records that can be dropped and rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from daybook.model.capabilities import EngineCapabilities
from daybook.model.index_document import Collection, IndexDocument, IndexState
from daybook.model.scope import Scope

if TYPE_CHECKING:
    from daybook.model.candidates import CandidateQuery, Candidates

__all__ = ["SearchIndex"]


class SearchIndex(Protocol):
    """Analysed documents per scope, and the candidates a query finds among them.

    Every call names a scope with a user: one user's documents share no table of words, no
    statistics and no vectors with another's.
    """

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        ...

    async def put(
        self,
        scope: Scope,
        collection: Collection,
        documents: Sequence[IndexDocument],
        *,
        watermarks: Sequence[tuple[str, int]] = (),
    ) -> None:
        """Write documents; one with a key of its group that is there already replaces it.

        Args:
            scope: Whose documents; must name a user.
            collection: Turns or records.
            documents: In ascending position within each group.
            watermarks: ``(group, position)`` up to which a group is indexed now, same transaction.
        """
        ...

    async def delete(
        self,
        scope: Scope,
        collection: Collection,
        group: str,
        *,
        keys: Sequence[str] | None = None,
        before: int | None = None,
    ) -> int:
        """Remove a group's documents and return how many.

        Args:
            scope: Whose documents.
            collection: Turns or records.
            group: The session, or the encoded namespace.
            keys: Only these; None for all.
            before: Only those at a position below this; None for all. Without `keys` and
                `before` the group's watermark goes too.
        """
        ...

    async def erase(self, scope: Scope, collection: Collection | None = None) -> int:
        """Remove everything of a user; return how many documents."""
        ...

    async def watermark(self, scope: Scope, collection: Collection, group: str) -> int:
        """Return the position up to which a group is indexed; 0 for none."""
        ...

    async def speakers(self, scope: Scope, collection: Collection) -> list[str]:
        """Return the names of all who speak in the scope, first come first; at most 1,000."""
        ...

    async def candidates(
        self, scope: Scope, collection: Collection, query: CandidateQuery
    ) -> Candidates:
        """Return what may answer a query, both legs restricted to the scope beforehand.

        Consistency: sees every `put` that returned before, in this process or another.
        """
        ...

    async def token_vectors(
        self, scope: Scope, collection: Collection, places: Sequence[tuple[str, str, int]]
    ) -> list[bytes]:
        """Return what `IndexDocument.token_vectors` of some documents is, in the order asked.

        Args:
            scope: Whose documents.
            collection: Turns or records.
            places: Group, key and position of each; some hundreds, the ones a search may return.

        Returns:
            Empty bytes for a document that has none or is gone meanwhile.
        """
        ...

    async def stale(
        self, collection: Collection, embedder: str, *, limit: int
    ) -> list[tuple[Scope, str, str, int]]:
        """Return documents that were analysed under another embedder than the named one.

        Each as ``(scope, group, key, position)``; empty when all are of this embedder.
        """
        ...

    async def groups(
        self,
        scope: Scope,
        collection: Collection,
        *,
        after: tuple[str, str] | None = None,
        limit: int,
    ) -> list[tuple[str, str]]:
        """Return the groups of a user or a tenant, each as ``(user_id, group)``.

        Args:
            scope: Whose; without a user, all of the tenant.
            collection: Turns or records.
            after: The last one of the page before; None for the first page.
            limit: At most so many.

        Ordering: one of the engine's own, the same for every call, so that pages that follow each
        other return each group that stays exactly once.
        """
        ...

    async def listed(
        self, scope: Scope, collection: Collection, group: str
    ) -> list[tuple[str, int]]:
        """Return a group's documents, each as ``(key, position)``, in ascending position."""
        ...

    async def state(self, scope: Scope | None = None) -> IndexState:
        """Return how much is indexed, of one user or of all."""
        ...

    async def close(self) -> None:
        """Finish what is in flight, release everything. Repeatable."""
        ...
