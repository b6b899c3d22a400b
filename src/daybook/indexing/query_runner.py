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
    import numpy as np
    from numpy.typing import NDArray

    from daybook.model.candidates import Candidates
    from daybook.protocols.embedder import QueryTokens
    from daybook.recall.ranking.query import AnalysedQuery
    from daybook.recall.ranking.ranker import Ranked, Survivors
    from daybook.recall.times.time_relations import TimeWindow

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
    from daybook.recall.ranking.query import plan_query  # noqa: PLC0415
    from daybook.recall.ranking.ranker import rank_survivors, survivors_of  # noqa: PLC0415
    from daybook.recall.ranking.weights import weights_for  # noqa: PLC0415

    speakers = await index.speakers(scope, collection)
    query = plan_query(
        text, analyzer=models.analyzer, now=now, speaker_names=speakers, windows=windows
    )
    vector, asked = await models.embed_question(query.subject)
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
    weights = weights_for(models.embedder_id)
    survivors = survivors_of(query, candidates, weights=weights, limit=limit)
    late = await _late_interaction(
        index, models, scope, collection, query, candidates, survivors, asked
    )
    return rank_survivors(query, candidates, survivors, late, limit=limit)


async def _late_interaction(
    index: SearchIndex,
    models: Models,
    scope: Scope,
    collection: Collection,
    query: AnalysedQuery,
    candidates: Candidates,
    survivors: Survivors,
    asked: QueryTokens | None,
) -> NDArray[np.float32]:
    """Return it by the embedder's own token vectors where there are any, else by the table."""
    from daybook.recall.ranking.ranker import (  # noqa: PLC0415
        comparable_places,
        late_by_table,
        late_by_vectors,
    )

    if asked is not None and (places := comparable_places(candidates, survivors)):
        # Read only now, and only of these: all of them are as large as the rest of the index.
        packed = await index.token_vectors(scope, collection, list(places.values()))
        held = dict(zip(places, packed, strict=True))
        late = late_by_vectors(asked, len(survivors.rows), held)
        if late is not None:
            return late
    return late_by_table(query, candidates, survivors, models.token_embedder)
