"""From a query to candidate columns: filter, score every row cheaply, cut, gather.

Scopes of up to `ALL_ROWS` documents are handed over whole. In larger ones a first cut keeps the
best by a coarse score, adds their neighbours, and a spread sample of the rest carries a weight so
that means and deviations still describe the whole scope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.recall.columns.candidate_rows import ChosenRows, Found, RowScores, Words, gather
from daybook.recall.columns.document_columns import DocumentColumns
from daybook.recall.columns.vector_space import VectorSpace
from daybook.recall.search.bm25 import inverse_document_frequency, length_penalty, saturated
from daybook.recall.search.first_cut import CoarseColumns, coarse_score, cut
from daybook.recall.search.session_scores import top_means

__all__ = [
    "ALL_ROWS",
    "Legs",
    "allowed_rows",
    "living",
    "search",
    "search_with",
    "word_scores",
]

ALL_ROWS = 2_048
_SAMPLE = 1_024
_ASSISTANT = 2
# Rows at a time: what is made of so many stays in a core's cache.
_SCORED = 32_768

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """What a query finds among all rows of a scope, by words and by meaning.

    Attributes:
        found: Rows and counts for each of the query's `full_terms`; rows of a term never repeat.
        similarity: Cosine of every row to the query, 0 where there is none.
        has_vector: Rows with a vector that can be compared.
    """

    found: Found
    similarity: Floats
    has_vector: NDArray[np.bool_]


def search(scope: DocumentColumns, query: CandidateQuery) -> Candidates:
    """Return what may answer `query` in `scope`, filtered before any cut."""
    found = scope.postings.find(query.full_terms)
    return search_with(scope, query, Legs(found, *_similarity(scope, query)))[0]


def search_with(
    scope: DocumentColumns, query: CandidateQuery, legs: Legs
) -> tuple[Candidates, Rows]:
    """Return what may answer `query`, given what both legs found, and the rows it stands in."""
    found = living(scope, legs.found)
    similarity, has_vector = legs.similarity, legs.has_vector
    frequency = np.array([len(rows) for rows, _ in found], np.float32)
    mean_length = scope.length_sum / max(len(scope), 1)
    lexical = word_scores(scope, found[: len(query.terms)], frequency, mean_length)
    allowed = allowed_rows(scope, query)
    if len(scope) <= ALL_ROWS:
        chosen = _everything(scope, allowed)
    else:
        chosen = _cut(scope, query, allowed, lexical, similarity)
    rows = chosen.rows
    session_lexical, session_similarity = _session_scores(scope, chosen, lexical, similarity)
    scores = RowScores(
        keys=scope.keys.take(rows),
        similarity=similarity[rows],
        has_vector=has_vector[rows],
        session_lexical=session_lexical,
        session_similarity=session_similarity,
    )
    words = Words(found, frequency, mean_length)
    return gather(scope, chosen, scores, words), rows


def living(scope: DocumentColumns, found: Found) -> Found:
    """Leave out the entries of dead rows."""
    if not scope.has_dead_rows:
        return found
    alive = scope.alive.view
    return [(rows[alive[rows]], counts[alive[rows]]) for rows, counts in found]


def word_scores(
    scope: DocumentColumns, found: Found, frequency: Floats, mean_length: float
) -> Floats:
    """Return BM25 of every row, until the next search."""
    scores = scope.scratch.zeros("words", scope.row_count, np.float32)
    idf = inverse_document_frequency(frequency, len(scope))
    for (rows, counts), rarity in zip(found, idf, strict=False):
        for begin in range(0, len(rows), _SCORED):
            some = rows[begin : begin + _SCORED].astype(np.int64)
            penalty = length_penalty(scope.lengths.take(some).astype(np.float32), mean_length)
            often = counts[begin : begin + _SCORED].astype(np.float32)
            scores[some] += rarity * saturated(often, penalty)
    return scores


def _similarity(scope: DocumentColumns, query: CandidateQuery) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the cosine of every row to the query, and which rows have a comparable vector."""
    space = scope.spaces.get(query.embedder)
    vector = query.vector
    if vector is None or not isinstance(space, VectorSpace) or space.width != len(vector):
        return np.zeros(scope.row_count, np.float32), np.zeros(scope.row_count, np.bool_)
    similarity, has_vector = space.similarity(vector, scope.row_count)
    if scope.has_dead_rows:
        has_vector &= scope.alive.view
        similarity *= has_vector
    return similarity, has_vector


def allowed_rows(scope: DocumentColumns, query: CandidateQuery) -> NDArray[np.bool_]:
    """Return the living rows that pass the query's filters."""
    allowed = scope.alive.view.copy()
    if query.since is not None:
        allowed &= scope.created_at.view >= query.since
    if query.until is not None:
        allowed &= scope.created_at.view < query.until
    if query.groups is not None or query.group_prefix:
        allowed &= _wanted_groups(scope, query)[scope.groups.view]
    return allowed


def _wanted_groups(scope: DocumentColumns, query: CandidateQuery) -> NDArray[np.bool_]:
    names = scope.group_names
    wanted = np.zeros(len(names), np.bool_)
    for name in names.listed if query.groups is None else query.groups:
        number = names.number(name)
        if number >= 0 and name.startswith(query.group_prefix):
            wanted[number] = True
    return wanted


def _everything(scope: DocumentColumns, allowed: NDArray[np.bool_]) -> ChosenRows:
    rows = np.flatnonzero(scope.alive.view)
    return ChosenRows(rows, allowed[rows], np.ones(len(rows), np.float32))


def _coarse(
    scope: DocumentColumns, query: CandidateQuery, lexical: Floats, similarity: Floats
) -> Floats:
    speaker = scope.speaker_names.number(query.speaker) if query.speaker else -1
    previous = scope.links.previous
    has_previous = previous >= 0
    columns = CoarseColumns(
        lexical=lexical,
        similarity=similarity,
        lexical_before=np.where(has_previous, lexical[previous], np.float32(0)),
        similarity_before=np.where(has_previous, similarity[previous], np.float32(0)),
        has_previous=has_previous,
        previous_dot=scope.previous_dot.view.astype(np.float32, copy=False),
        created_at=scope.created_at.view,
        speakers=scope.speaker_numbers.view,
    )
    return coarse_score(columns, near=query.near, speaker=speaker)


def _cut(
    scope: DocumentColumns,
    query: CandidateQuery,
    allowed: NDArray[np.bool_],
    lexical: Floats,
    similarity: Floats,
) -> ChosenRows:
    coarse = _coarse(scope, query, lexical, similarity)
    legs = [lexical, similarity]
    best = cut(coarse, legs, allowed, scope.roles.view == _ASSISTANT, query.limit)
    wanted = np.zeros(scope.row_count + 1, np.bool_)
    wanted[best] = True
    rest = np.flatnonzero(scope.alive.view & ~wanted[:-1])
    sample = rest[:: max(1, len(rest) // _SAMPLE)]
    weight = np.zeros(scope.row_count, np.float32)
    weight[best] = 1
    weight[sample] = len(rest) / max(len(sample), 1)
    previous, following = scope.links.previous, scope.links.following
    near, far = previous[best], following[best]
    for rows in (sample, previous[sample], following[sample], near, far):
        wanted[rows] = True
    # Row -1 is no neighbour and lands on the spare last place, as its own neighbours do.
    wanted[np.append(previous, -1)[near]] = True
    wanted[np.append(following, -1)[far]] = True
    rows = np.flatnonzero(wanted[:-1])
    eligible = np.zeros(scope.row_count, np.bool_)
    eligible[best] = True
    return ChosenRows(rows, eligible[rows], weight[rows])


def _session_scores(
    scope: DocumentColumns, chosen: ChosenRows, lexical: Floats, similarity: Floats
) -> tuple[Floats, Floats]:
    """Return, for each row handed over, the mean of its session's three best scores."""
    if not scope.linked:
        zeros = np.zeros(len(chosen.rows), np.float32)
        return zeros, zeros
    groups = scope.groups.view
    needed = np.zeros(len(scope.group_names), np.bool_)
    needed[groups[chosen.rows]] = True
    members = np.flatnonzero(needed[groups] & scope.alive.view)
    of_members, of_rows = groups[members], groups[chosen.rows]
    return (
        top_means(lexical[members], of_members)[of_rows],
        top_means(similarity[members], of_members)[of_rows],
    )
