"""What a search index is asked, and what it hands to the ranker: columns, not objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CandidateQuery", "Candidates"]


class CandidateQuery(Struct, frozen=True, kw_only=True, eq=False):
    """A query, analysed.

    `groups`, `group_prefix`, `since` and `until` exclude; `near` and `speaker` only say where the
    answer probably is, so that a first cut among many documents keeps enough of those.

    Attributes:
        terms: Distinct stem hashes of the query without the speakers' names (uint32).
        full_terms: `terms`, then those of the names.
        vector: Shape (d,), float32, L2-normalised; None without an embedder.
        embedder: Id of the embedder that made `vector`: only its vectors are compared.
        groups: Only these groups (sessions, or encoded namespaces); None for all.
        group_prefix: Only groups that start so (a namespace prefix); empty for all.
        since: Only documents said at or after this moment (µs, UTC).
        until: Only documents said before this moment (µs, UTC).
        near: Spans of time the query names, start and end of each (µs, UTC).
        speaker: The one speaker the query names; empty for none or several.
        limit: How many eligible candidates are wanted (the ranker cuts further).
    """

    terms: tuple[int, ...]
    full_terms: tuple[int, ...]
    vector: NDArray[np.float32] | None
    embedder: str
    groups: frozenset[str] | None = None
    group_prefix: str = ""
    since: int | None = None
    until: int | None = None
    near: tuple[tuple[int, int], ...] = ()
    speaker: str = ""
    limit: int = 300


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Some documents of one scope as columns of length m: candidates, neighbours, background.

    Attributes:
        keys: Document keys (objects).
        groups: Index into `group_names` (int32).
        group_names: Sessions, or encoded namespaces, of the scope.
        positions: Sequence numbers (int64).
        created_at: Microseconds (int64).
        roles: Role numbers (int8).
        speakers: Index into `speaker_names` (int32).
        speaker_names: Names of the scope's speakers.
        traits: Bit flags (int32).
        lengths: Words (float32).
        previous: Row of the turn before in the same session, -1 if none or not among the rows.
        following: Row of the turn after, likewise (both int32).
        eligible: Rows that passed filter and first cut: only these may be returned.
        weight: How many documents of the scope each row stands for in means and deviations;
            0 for a row that is here only as a neighbour. Adds up to `document_count` (float32).
        term_counts: Occurrences, shape (len(query.full_terms), m), float32.
        document_frequency: Documents of the scope that hold each of `full_terms` (float32).
        document_count: Documents of the scope.
        mean_length: Mean words of the scope's documents.
        similarity: Cosine to the query vector; 0 where `has_vector` is False (float32).
        has_vector: Rows with a comparable vector.
        previous_dot: Dot product of the row's vector with the turn's before (float32).
        skip_dot: Dot product of the vectors before and after the row (float32).
        session_lexical: Mean BM25 (`terms`) of the three best turns of the row's session.
        session_similarity: Mean cosine of the three nearest turns of the row's session.
        token_ids: Token ids of at least these rows, one document after the other (uint16).
        token_starts: Where each row's token ids start in `token_ids`, shape (m,) (int64).
        token_ends: Where they end, shape (m,) (int64).
    """

    keys: NDArray[np.object_]
    groups: NDArray[np.int32]
    group_names: Sequence[str]
    positions: NDArray[np.int64]
    created_at: NDArray[np.int64]
    roles: NDArray[np.int8]
    speakers: NDArray[np.int32]
    speaker_names: Sequence[str]
    traits: NDArray[np.int32]
    lengths: NDArray[np.float32]
    previous: NDArray[np.int32]
    following: NDArray[np.int32]
    eligible: NDArray[np.bool_]
    weight: NDArray[np.float32]
    term_counts: NDArray[np.float32]
    document_frequency: NDArray[np.float32]
    document_count: int
    mean_length: float
    similarity: NDArray[np.float32]
    has_vector: NDArray[np.bool_]
    previous_dot: NDArray[np.float32]
    skip_dot: NDArray[np.float32]
    session_lexical: NDArray[np.float32]
    session_similarity: NDArray[np.float32]
    token_ids: NDArray[np.uint16]
    token_starts: NDArray[np.int64]
    token_ends: NDArray[np.int64]
