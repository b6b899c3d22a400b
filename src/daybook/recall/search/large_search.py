"""Search of a scope with very many documents: codes and postings first, the rest for a few.

Words are exact: every occurrence counts. Of vectors, all signs are compared with the query's
(`CodeSpace`), and cosines are computed for the nearest thousands only. Filters come before both.
Means and deviations of the scope come from rows spread over all of it, and from a share of the best
by words, which weigh most in them; each row of the sample carries how many it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.recall.columns.candidate_rows import ChosenRows, RowScores, Words, gather
from daybook.recall.columns.distinct import distinct
from daybook.recall.columns.document_columns import DocumentColumns
from daybook.recall.search.first_cut import (
    CoarseColumns,
    best,
    coarse_score,
    cut,
    scale_of,
    with_previous,
)
from daybook.recall.search.large_sessions import session_scores
from daybook.recall.search.nearness import Nearness
from daybook.recall.search.scope_search import allowed_rows, living, word_scores

__all__ = ["search_large"]

# So many of the coarsely nearest are looked at closely: all of the ten nearest of a million.
_NEAREST = 4_096
# Of each leg so many rows have the other leg and the turn before looked at, too.
_OF_EACH_LEG = 1_536
# People's turns must not be missing among those, however much an assistant says.
_FEWEST_PEOPLE = 1_024
_SPOTS, _ROWS_OF_A_SPOT = 256, 4
_OF_BEST_WORDS = 256
_ASSISTANT = 2
# Looking for a score that some times as many exceed as are wanted: seldom takes more than six.
_HALVINGS, _FEW_TIMES = 10, 4

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Legs:
    """What is known of a query in a scope before any row is chosen."""

    scope: DocumentColumns
    query: CandidateQuery
    lexical: Floats
    near: Nearness

    def coarse_columns(self, rows: Rows) -> CoarseColumns:
        """Return what the coarse score of some rows is made of."""
        scope = self.scope
        previous = scope.links.previous.take(rows).astype(np.int64)
        has_previous = previous >= 0
        previous[~has_previous] = 0
        return CoarseColumns(
            lexical=self.lexical.take(rows),
            similarity=self.near.cosines(rows),
            lexical_before=self.lexical.take(previous) * has_previous,
            similarity_before=self.near.cosines(previous) * has_previous,
            has_previous=has_previous,
            previous_dot=scope.previous_dot.take(rows).astype(np.float32),
            created_at=scope.created_at.take(rows),
            speakers=scope.speaker_numbers.take(rows),
        )


def search_large(scope: DocumentColumns, query: CandidateQuery) -> Candidates:
    """Return what may answer `query` in `scope`, filtered before any cut.

    Cost: measured by `benchmarks/recall_scale.py`; grows with the documents by some 10 ns each, and
    with each occurrence of the query's words by as much.
    """
    found = living(scope, scope.postings.find(query.full_terms))
    frequency = np.array([len(rows) for rows, _ in found], np.float32)
    mean_length = scope.length_sum / max(len(scope), 1)
    lexical = word_scores(scope, found[: len(query.terms)], frequency, mean_length)
    legs = _Legs(scope, query, lexical, Nearness(scope, query))
    allowed = allowed_rows(scope, query)
    restricted = np.count_nonzero(allowed) < len(scope)
    worded = _best_by_words(legs, allowed if restricted else None)
    pool = _pool(legs, allowed, worded)
    chosen = _choose(legs, pool, worded)
    rows = chosen.rows
    similarity = legs.near.cosines(rows)
    session_lexical, session_similarity = session_scores(scope, rows, lexical, legs.near)
    keys = np.full(len(rows), "", np.object_)
    keys[chosen.eligible] = scope.keys.take(rows[chosen.eligible])
    scores = RowScores(
        keys=keys,
        similarity=similarity,
        has_vector=legs.near.has_vector(rows),
        session_lexical=session_lexical,
        session_similarity=session_similarity,
    )
    return gather(scope, chosen, scores, Words(found, frequency, mean_length))


def _best_by_words(legs: _Legs, among: Flags | None) -> Rows:
    """Return the best of some rows (None: of all) by words, those without any word left out."""
    scores = legs.lexical if among is None else legs.lexical * among
    flags = legs.scope.scratch.empty("flags", len(scores), np.bool_)
    lowest = _below_best(scores, _OF_EACH_LEG, flags)
    rows = np.flatnonzero(np.greater(scores, lowest, out=flags))
    if len(rows) <= _OF_EACH_LEG:
        return rows
    few = scores.take(rows)
    last = np.partition(few, len(few) - _OF_EACH_LEG)[len(few) - _OF_EACH_LEG]
    better = rows[few > last]
    return np.append(better, rows[few == last][: _OF_EACH_LEG - len(better)])


def _below_best(scores: Floats, count: int, flags: Flags) -> float:
    """Return a number that few scores exceed, but `count` or all that are not 0 do.

    Counting a million scores some times takes a sixth of putting them in order.

    Args:
        scores: None is negative.
        count: How many should exceed it.
        flags: As long as `scores`; written over.
    """
    low, high = 0.0, float(scores.max(initial=0.0))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = np.count_nonzero(np.greater(scores, middle, out=flags))
        if above < count:
            high = middle
            continue
        low = middle
        if above <= _FEW_TIMES * count:
            break
    return low


def _best_by_meaning(legs: _Legs, among: Flags | None) -> Rows:
    """Return the best rows by cosine, of those that are nearest coarsely; None for all."""
    rows = legs.near.nearest(among, _NEAREST)
    return rows[best(legs.near.cosines(rows), np.arange(len(rows)), _OF_EACH_LEG)]


def _pool(legs: _Legs, allowed: Flags, worded: Rows) -> Rows:
    """Return the rows worth a closer look, ascending: all that are allowed, if they are few."""
    scope, held = legs.scope, np.count_nonzero(allowed)
    if held <= _NEAREST:
        return np.flatnonzero(allowed)
    parts = [worded, _best_by_meaning(legs, allowed if len(scope) > held else None)]
    if legs.query.near:
        inside = np.zeros(scope.row_count, np.bool_)
        for since, until in legs.query.near:
            inside |= (scope.created_at.view >= since) & (scope.created_at.view < until)
        parts += _best_among(legs, allowed & inside)
    drawn = np.concatenate(parts)
    if np.count_nonzero(scope.roles.take(drawn) != _ASSISTANT) < _FEWEST_PEOPLE:
        parts += _best_among(legs, allowed & (scope.roles.view != _ASSISTANT))
    drawn = np.concatenate(parts)
    # A turn is also about what was said right before it.
    wanted = scope.scratch.zeros("flags", scope.row_count + 1, np.bool_)
    wanted[drawn] = True
    wanted[scope.links.following[drawn]] = True
    wanted[:-1] &= allowed
    pool = np.flatnonzero(wanted[:-1])
    if len(pool) >= legs.query.limit:
        return pool
    wanted[np.flatnonzero(allowed)[: legs.query.limit]] = True  # any are better than none
    return np.flatnonzero(wanted[:-1])


def _best_among(legs: _Legs, among: Flags) -> list[Rows]:
    few = np.flatnonzero(among)
    if len(few) <= _OF_EACH_LEG:
        return [few]
    return [_best_by_words(legs, among), _best_by_meaning(legs, among)]


def _choose(legs: _Legs, pool: Rows, worded: Rows) -> ChosenRows:
    """Return the best rows of the pool with their neighbours, and a sample of all others."""
    scope, query = legs.scope, legs.query
    sample, weight = _sample(scope, np.empty(0, np.int64), worded)
    scales = [scale_of(leg, weight) for leg in with_previous(legs.coarse_columns(sample))]
    speaker = scope.speaker_names.number(query.speaker) if query.speaker else -1
    columns = legs.coarse_columns(pool)
    score = coarse_score(columns, near=query.near, speaker=speaker, scales=(scales[0], scales[1]))
    places = cut(
        score,
        [columns.lexical, columns.similarity],
        np.ones(len(pool), np.bool_),
        scope.roles.take(pool) == _ASSISTANT,
        query.limit,
    )
    found = pool[places]
    sample, weight = _sample(scope, found, worded)
    previous, following = scope.links.previous, scope.links.following
    near, far = _linked(previous, found), _linked(following, found)
    beside = [_linked(previous, sample), _linked(following, sample)]
    beyond = [_linked(previous, near), _linked(following, far)]
    rows = distinct(np.concatenate([found, sample, near, far, *beside, *beyond]))
    weights = np.zeros(len(rows), np.float32)
    weights[np.searchsorted(rows, sample)] = weight
    eligible = np.zeros(len(rows), np.bool_)
    eligible[np.searchsorted(rows, found)] = True
    weights[eligible] = 1
    return ChosenRows(rows, eligible, weights)


def _linked(links: NDArray[np.int32], rows: Rows) -> Rows:
    """Return the neighbours of those rows that have one."""
    found = links.take(rows).astype(np.int64)
    return found[found >= 0]


def _sample(scope: DocumentColumns, found: Rows, worded: Rows) -> tuple[Rows, Floats]:
    """Return rows that stand for all but `found`, and how many each stands for.

    Spots are spread evenly; a spot is some turns in a row, whose sessions and neighbours are then
    the same. A share of the best by words is a part of its own.
    """
    count = scope.row_count
    taken = scope.scratch.zeros("flags", count, np.bool_)
    taken[found] = True
    rest = worded[~taken[worded]]
    of_worded = np.sort(rest)[:: max(1, len(rest) // _OF_BEST_WORDS)]
    taken[rest] = True
    spots = np.arange(_SPOTS, dtype=np.int64) * count // _SPOTS
    spread = distinct((spots[:, None] + np.arange(_ROWS_OF_A_SPOT)).ravel())
    spread = spread[spread < count]
    spread = spread[scope.alive.view[spread] & ~taken[spread]]
    others = len(scope) - len(found) - len(rest)
    weight = np.concatenate(
        [
            np.full(len(of_worded), len(rest) / max(len(of_worded), 1), np.float32),
            np.full(len(spread), others / max(len(spread), 1), np.float32),
        ]
    )
    return np.concatenate([of_worded, spread]), weight
