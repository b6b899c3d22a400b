"""Runs one query against an index: read it, embed it, find candidates, rank them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from daybook.indexing.models import Models
from daybook.model.index_document import Collection
from daybook.model.scope import Scope
from daybook.protocols.search_index import SearchIndex

if TYPE_CHECKING:
    from daybook.recall.ranker import Ranked
    from daybook.recall.time_relations import TimeWindow

__all__ = ["EVERYTHING", "SearchFilter", "run_query"]


class SearchFilter(Struct, frozen=True, kw_only=True):
    """Which documents may be found, decided before anything is ranked.

    Attributes:
        groups: Only these sessions (or encoded namespaces); None for all.
        group_prefix: Only groups that start so.
        since: Only documents said at or after this moment (µs).
        until: Only documents said before this moment (µs).
    """

    groups: frozenset[str] | None = None
    group_prefix: str = ""
    since: int | None = None
    until: int | None = None

    def at_any_time(self) -> SearchFilter:
        """Return the filter without its bounds of time."""
        return replace(self, since=None, until=None)

    def within(self, since: int, until: int) -> SearchFilter:
        """Return the filter with bounds of time (µs) beside its own."""
        return replace(
            self,
            since=since if self.since is None else max(self.since, since),
            until=until if self.until is None else min(self.until, until),
        )


EVERYTHING = SearchFilter()

# Ranking this many candidates takes about a millisecond; it does not wait for a thread. In a scope
# of 100,000 turns 300 lost 3 points of recall at 10, and 1,000 gained nothing.
_CANDIDATES = 600


async def run_query(  # noqa: PLR0913 - what a search is made of
    index: SearchIndex,
    models: Models,
    scope: Scope,
    collection: Collection,
    text: str,
    *,
    now: datetime,
    limit: int,
    only: SearchFilter = EVERYTHING,
    windows: Sequence[TimeWindow] = (),
) -> list[Ranked]:
    """Return the best documents of a scope for a query, best first.

    Args:
        index: Where to look.
        models: What analyses and embeds the query.
        scope: Whose documents.
        collection: Turns or records.
        text: The query.
        now: When it is asked: what "last month" counts from.
        limit: At most so many.
        only: Which documents may be found at all.
        windows: Spans of time that it means beside those that the calendar names.

    Raises:
        StoreError: The index failed.
        ProviderError: The embedder failed.
    """
    # numpy loads with the first query, not with the package
    from daybook.recall.query import plan_query  # noqa: PLC0415
    from daybook.recall.ranker import rank  # noqa: PLC0415
    from daybook.recall.weights import weights_for  # noqa: PLC0415

    speakers = await index.speakers(scope, collection)
    query = plan_query(
        text, analyzer=models.analyzer, now=now, speaker_names=speakers, windows=windows
    )
    rows = await models.embed([query.subject], purpose="query")
    vector = None if rows is None or not rows[0].any() else rows[0]
    candidates = await index.candidates(
        scope,
        collection,
        query.candidate_query(
            vector,
            models.embedder_id,
            groups=only.groups,
            group_prefix=only.group_prefix,
            since=only.since,
            until=only.until,
            limit=max(_CANDIDATES, limit),
        ),
    )
    return rank(
        query,
        candidates,
        token_embedder=models.token_embedder,
        weights=weights_for(models.embedder_id),
        limit=limit,
    )
